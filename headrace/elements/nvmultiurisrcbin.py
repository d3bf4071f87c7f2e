"""nvmultiurisrcbin: many sources and their muxer in one element; sources come and go while it plays.

gst-launch-1.0 nvmultiurisrcbin uri-list=file:///a.mp4,rtsp://camera/1 max-batch-size=4 port=9000 ! nvinfer ! ...
curl -X POST localhost:9000/api/v1/stream/add -d '{"key":"sensor","value":{"camera_id":"7","camera_url":"rtsp://..."}}'
"""

from __future__ import annotations

import dataclasses
import threading
import time
from typing import Any

from gi.repository import Gst

from headrace.elements.base.caps import BATCH_CAPS
from headrace.elements.base.parts import make
from headrace.elements.nvstreammux import MuxOptions, StreamMux
from headrace.elements.source.controlling import set_in_pipeline
from headrace.elements.source.options import UriSourceOptions
from headrace.errors import SourceError
from headrace.gst.face import USER_ERRORS, Face, properties_of, template
from headrace.gst.options import option, property_name
from headrace.source.control_api import Camera, ControlServer, Stream
from headrace.source.uri import redacted

_MUX = frozenset(field.name for field in dataclasses.fields(MuxOptions)) - {"batch_size"}
_SOURCE = frozenset(field.name for field in dataclasses.fields(UriSourceOptions)) - {"uri", "source_id"}
_LATER = "messages of a broker do not control sources here; use the port"


@dataclasses.dataclass(frozen=True)
class MultiUriOptions(MuxOptions, UriSourceOptions):
    """Options of nvmultiurisrcbin: those of all its sources and of its muxer, and its own."""

    uri_list: str = option("", "addresses, separated by commas")
    sensor_id_list: str = option("", "ids of the sources, in the same order")
    sensor_name_list: str = option("", "names of the sources, in the same order")
    max_batch_size: int = option(30, "most sources")
    mode: int = option(0, "0: video, 1: audio", maximum=1, no_effect="only video is batched")
    ip_address: str = option("localhost", "address that the control interface listens on")
    port: str = option("9000", "port of the control interface, 0: none")
    sensorID_padID_mapping: bool = option(False, "the sensor id is the number of the muxer's pad")
    enable_error_propagation: bool = option(False, "publish errors of streams", no_effect=_LATER)
    proto_lib: str = option("", "message broker", no_effect=_LATER)
    conn_str: str = option("", "message broker's address", no_effect=_LATER)
    topic: str = option("", "message broker's topic", no_effect=_LATER)
    extract_sei_type5_data_dec: bool = option(False, "SEI messages", no_effect="SEI messages are not read")
    uri: str = option("", "address", no_effect="see uri-list")
    source_id: int = option(-1, "number", minimum=-1, no_effect="given in order of arrival")
    batch_size: int = option(0, "frames in a batch", maximum=1024, no_effect="see max-batch-size")


class MultiUriSource(Face, Gst.Bin):
    """Face of sources that come and go; `add_camera` and `remove_camera` from any but a streaming thread."""

    __gtype_name__ = "HeadraceMultiUriSource"
    factory = "nvmultiurisrcbin"
    rank = Gst.Rank.NONE
    options_type = MultiUriOptions
    __gproperties__ = properties_of(MultiUriOptions)
    __gstmetadata__ = (
        "Multi URI source",
        "Source/Video/Network",
        "Plays and batches many addresses",
        "Headrace",
    )
    __gsttemplates__ = (template("src", Gst.PadDirection.SRC, BATCH_CAPS),)

    def __init__(self) -> None:
        super().__init__()
        self.cameras: dict[int, Camera] = {}
        self._changing = threading.RLock()  # of the cameras: each request comes on a thread of its own
        self._server: ControlServer | None = None
        self._counted: dict[int, tuple[float, int]] = {}
        self.mux: StreamMux = make("nvstreammux", "mux")
        self.add(self.mux)
        ghost = Gst.GhostPad.new_from_template("src", self.mux.get_static_pad("src"), self.template("src"))
        self.add_pad(ghost)

    def option_changed(self, field: str) -> None:
        """What concerns the muxer or playing sources reaches them at once."""
        if field in _MUX:
            self.mux.set_property(property_name(field), getattr(self.options, field))

    def do_change_state(self, transition: Gst.StateChange) -> Gst.StateChangeReturn:
        """GStreamer vmethod: the sources of the list are made for each run."""
        try:
            if transition == Gst.StateChange.NULL_TO_READY:
                self._open()
        except USER_ERRORS as error:
            self._close()
            self.post_error(error)
            return Gst.StateChangeReturn.FAILURE
        if transition == Gst.StateChange.READY_TO_NULL:
            self._close()
        return Gst.Bin.do_change_state(self, transition)

    def _open(self) -> None:
        options = self.options
        # Nobody knows how many sources there will be: a batch is complete when every one has given its frame.
        self.mux.set_property("batch-size", 0)
        ids, names = _parts(options.sensor_id_list), _parts(options.sensor_name_list)
        for index, uri in enumerate(_parts(options.uri_list)):
            camera = Camera(_at(ids, index) or str(index), _at(names, index), uri)
            self.add_camera(camera)
        if options.port.strip() not in ("", "0"):
            if not options.port.strip().isdigit():
                raise SourceError(f"port={options.port!r} is no number")
            self._server = ControlServer(options.ip_address, int(options.port), self)

    def _close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        with self._changing:
            for index in list(self.cameras):
                self._take_out(index)

    def add_camera(self, camera: Camera) -> int:
        """Add a source and start it.

        Returns:
            Its number, which is that of its pad at the muxer.

        Raises:
            SourceError: The id is taken, or there are as many sources as may be.
        """
        with self._changing:
            return self._add_camera(camera)

    def _add_camera(self, camera: Camera) -> int:
        if any(camera.id == other.id for other in self.cameras.values()):
            raise SourceError("Duplicate Camera id, unable to add stream")
        if len(self.cameras) >= self.options.max_batch_size:
            raise SourceError("Active sources exceded max-batch-size of nvstreammux")
        index = self._number(camera)
        source = make("nvurisrcbin", f"source_{index}")
        for name in _SOURCE:
            source.set_property(property_name(name), getattr(self.options, name))
        source.set_property("uri", camera.uri)
        self.cameras[index] = camera
        pad = self.mux.request_pad_simple(f"sink_{index}")
        source.connect("pad-added", self.guarded(self._pad_added))
        self.add(source)
        source.sync_state_with_parent()
        self._tell("stream-add", index, camera)
        if pad is None:
            raise SourceError(f"source {index} cannot be batched")
        return index

    def _number(self, camera: Camera) -> int:
        if self.options.sensorID_padID_mapping:
            if not camera.id.isdigit():
                raise SourceError(f"sensorID-padID-mapping: the sensor id {camera.id!r} is no number")
            return int(camera.id)
        return next(index for index in range(len(self.cameras) + 1) if index not in self.cameras)

    def _pad_added(self, source: Gst.Element, pad: Gst.Pad) -> None:
        if not pad.get_name().startswith("vsrc"):
            return
        sink = self.mux.get_static_pad(source.get_name().replace("source", "sink"))
        if sink is not None and not sink.is_linked():
            pad.link(sink)

    def remove_camera(self, camera_id: str, uri: str) -> None:
        """Stop a source and take it out.

        Raises:
            SourceError: There is none of this id and address.
        """
        with self._changing:
            for index, camera in self.cameras.items():
                if (camera.id, camera.uri) == (camera_id, uri):
                    self._take_out(index)
                    return
        raise SourceError("No record found. Failed to remove source stream")

    def _take_out(self, index: int) -> None:
        camera = self.cameras.pop(index)
        self._counted.pop(index, None)
        source, sink = self.get_by_name(f"source_{index}"), self.mux.get_static_pad(f"sink_{index}")
        if source is not None:
            source.set_locked_state(True)  # the bin must not start it again while it goes
            sink.send_event(
                Gst.Event.new_flush_start()
            )  # a frame that waits for its batch would hold the thread
            source.set_state(Gst.State.NULL)
            self.remove(source)
        if sink is not None:
            self.mux.release_request_pad(sink)
        self._tell("stream-remove", index, camera)

    def _tell(self, what: str, index: int, camera: Camera) -> None:
        structure = Gst.Structure.new_empty(what)
        structure.set_value("source-id", index)
        for name, value in (("sensor-id", camera.id), ("sensor-name", camera.name or "N/A")):
            structure.set_value(name, value)
        structure.set_value("uri", redacted(camera.uri))
        self.post_message(Gst.Message.new_element(self, structure))

    def streams(self) -> list[Stream]:
        """The sources with their frames so far, and their rate since this was last asked."""
        frames = {source.index: source.next_number for source in self.mux.sources.values()}
        with self._changing:
            return [
                Stream(index, camera, frames.get(index, 0), self._rate(index, frames.get(index, 0)))
                for index, camera in sorted(self.cameras.items())
            ]

    def _rate(self, index: int, frames: int) -> float:
        now = time.monotonic()
        before, counted = self._counted.get(index, (now, frames))
        self._counted[index] = (now, frames)
        return (frames - counted) / (now - before) if now > before else 0.0

    def is_ready(self) -> bool:
        """Whether sources can be added; without any the pipeline waits for its first frame in PAUSED."""
        return self.get_state(0)[1] in (Gst.State.PAUSED, Gst.State.PLAYING)

    def control(self, target: str, name: str, value: Any, stream_id: str) -> None:
        """Set a property of the sources, or of other elements of the pipeline; see `ControlServer`."""
        if target != "decoder":
            set_in_pipeline(self, target, name, value)
            return
        with self._changing:
            chosen = [i for i, camera in self.cameras.items() if stream_id in ("", str(i), camera.id)]
            if not chosen:
                raise SourceError(f"there is no stream {stream_id!r}")
            for index in chosen:
                Gst.util_set_object_arg(self.get_by_name(f"source_{index}"), name, str(value))

    def quit(self) -> None:
        """End the stream."""
        self.send_event(Gst.Event.new_eos())


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _at(values: list[str], index: int) -> str:
    return values[index] if index < len(values) else ""
