"""nvurisrcbin: video from a file, camera or server.

gst-launch-1.0 nvurisrcbin uri=/videos/street.mp4 ! m.sink_0 nvstreammux name=m ! ...
gst-launch-1.0 nvurisrcbin uri=rtsp://camera/stream latency=200 ! m.sink_0 ...
"""

from __future__ import annotations

import dataclasses
from typing import Any

from gi.repository import Gst

from headrace.elements.caps import ANY_CAPS
from headrace.elements.ending import EndWatch
from headrace.elements.looping import FileLoop
from headrace.errors import SourceError
from headrace.gst.face import USER_ERRORS, Face, properties_of, template
from headrace.gst.options import option
from headrace.source.uri import redacted, to_uri

_LATER = "recording comes with a later version"
_CPU = "decoded by the CPU"


@dataclasses.dataclass(frozen=True)
class UriSourceOptions:
    """Options of nvurisrcbin."""

    uri: str = option("", "file, http, https, rtsp, v4l2 or sim address, or a bare path")
    file_loop: bool = option(False, "start a file again when it ends")
    type: int = option(0, "kind of source", maximum=3, no_effect="seen from the address")
    latency: int = option(100, "jitter buffer of RTSP sources, ms")
    drop_on_latency: bool = option(True, "drop RTP packets that are later than the jitter buffer")
    udp_buffer_size: int = option(524288, "kernel buffer of RTSP sources, bytes")
    select_rtp_protocol: int = option(7, "RTSP transports: 1 UDP, 2 multicast, 4 TCP, summed", maximum=7)
    leaky: int = option(0, "what a full queue drops: 0 nothing, 1 new, 2 old frames", maximum=2)
    max_size_buffers: int = option(4, "frames in the queue behind the decoder")
    source_id: int = option(-1, "number of the source", minimum=-1, no_effect="the muxer's pad counts")
    disable_audio: bool = option(True, "no audio", no_effect="audio is not decoded")
    gpu_id: int = option(0, "GPU", no_effect=_CPU)
    num_extra_surfaces: int = option(1, "extra decoder surfaces", no_effect=_CPU)
    cudadec_memtype: int = option(0, "decoder memory", maximum=2, no_effect=_CPU)
    drop_frame_interval: int = option(0, "keep every n-th frame; 0: all", maximum=30)
    disable_passthrough: bool = option(False, "always convert", no_effect="frames are shared until written")
    rtsp_reconnect_interval: int = option(0, "seconds without data", no_effect="reconnecting comes later")
    init_rtsp_reconnect_interval: int = option(0, "seconds before data", no_effect="reconnecting comes later")
    rtsp_reconnect_attempts: int = option(-1, "tries", minimum=-1, no_effect="reconnecting comes later")
    smart_record: int = option(0, "recording on demand", maximum=2, no_effect=_LATER)


class UriSource(Face, Gst.Bin):
    """Face of a source: decoder, queue, converter; ``vsrc_0`` appears with the first video stream."""

    __gtype_name__ = "HeadraceUriSource"
    factory = "nvurisrcbin"
    rank = Gst.Rank.NONE
    options_type = UriSourceOptions
    __gproperties__ = properties_of(UriSourceOptions)
    __gstmetadata__ = ("URI source", "Source/Video/Network", "Decodes a file, camera or server", "Headrace")
    __gsttemplates__ = (template("vsrc_%u", Gst.PadDirection.SRC, ANY_CAPS, Gst.PadPresence.SOMETIMES),)

    def __init__(self) -> None:
        super().__init__()
        self.loop: FileLoop | None = None
        self.end: EndWatch | None = None
        self.frames = 0

    def do_change_state(self, transition: Gst.StateChange) -> Gst.StateChangeReturn:
        """GStreamer vmethod: the address is opened when the source leaves READY or NULL."""
        try:
            if transition == Gst.StateChange.NULL_TO_READY and not self.get_by_name("nvurisrc_bin_src_elem"):
                self._build()
        except USER_ERRORS as error:
            self.post_error(error)
            return Gst.StateChangeReturn.FAILURE
        return Gst.Bin.do_change_state(self, transition)

    def _build(self) -> None:
        uri = to_uri(self.options.uri)
        if uri.startswith("sim://"):
            source = make("hrsimsrc", "nvurisrc_bin_src_elem", {"scene": uri})
            self.add(source)
            self._video(source.get_static_pad("src"))
            return
        source = make("uridecodebin", "nvurisrc_bin_src_elem", {"uri": uri})
        source.set_property("caps", Gst.Caps.from_string("video/x-raw(ANY)"))
        source.set_property("expose-all-streams", False)
        source.connect("pad-added", _pad_added)
        source.connect("source-setup", _source_setup, self.options)
        self.add(source)

    def _video(self, pad: Gst.Pad) -> None:
        """Put queue and converter behind the first video stream and show it as ``vsrc_0``."""
        if self.get_static_pad("vsrc_0") is not None:
            return
        options = self.options
        queue = make("queue", "nvurisrc_bin_queue", {
            "leaky": options.leaky, "max-size-buffers": options.max_size_buffers, "max-size-bytes": 0,
            "max-size-time": 0,
        })  # fmt: skip
        # Takes decoders' formats that Headrace does not handle (4:2:2, 10 bit); passes all others untouched.
        convert = make("videoconvert", "nvurisrc_bin_convert", {})
        out = make("nvvideoconvert", "nvurisrc_bin_nvvidconv_elem", {})
        for element in (queue, convert, out):
            self.add(element)
        queue.link(convert)
        convert.link(out)
        ghost = Gst.GhostPad.new_from_template("vsrc_0", out.get_static_pad("src"), self.template("vsrc_%u"))
        if options.file_loop and self.options.uri:
            self.loop = FileLoop(self, queue.get_static_pad("sink"))
        else:
            self.end = EndWatch(self, queue.get_static_pad("sink"), redacted(options.uri))
        ghost.set_active(True)
        self.add_pad(ghost)
        for element in (out, convert, queue):
            element.sync_state_with_parent()
        pad.link(queue.get_static_pad("sink"))

    def do_send_event(self, event: Gst.Event) -> bool:
        """GStreamer vmethod: end of stream from outside is a wish, not an early end."""
        if event.type == Gst.EventType.EOS and self.end is not None:
            self.end.asked = True
        return bool(Gst.Bin.do_send_event(self, event))

    def do_handle_message(self, message: Gst.Message) -> None:
        """GStreamer vmethod: errors of the parts say which source they are about, without passwords."""
        if message.type == Gst.MessageType.ERROR:
            error, debug = message.parse_error()
            said = redacted(error.message)
            if error.matches(Gst.CoreError.quark(), Gst.CoreError.MISSING_PLUGIN):
                said = f"no video in it that the installed plugins decode; run: headrace doctor ({said})"
            text = f"source {redacted(self.options.uri)}: {said}"
            self._post(Gst.Message.new_error, text, f"{message.src.get_name()}: {redacted(debug or '')}")
            return
        Gst.Bin.do_handle_message(self, message)


def _pad_added(source: Gst.Element, pad: Gst.Pad) -> None:
    parent = source.get_parent()
    caps = pad.get_current_caps() or pad.query_caps(None)
    if parent is not None and caps.get_structure(0).get_name().startswith("video/"):
        parent._video(pad)


def _source_setup(_decoder: Gst.Element, source: Gst.Element, options: UriSourceOptions) -> None:
    wanted: dict[str, Any] = {
        "latency": options.latency,
        "drop-on-latency": options.drop_on_latency,
        "udp-buffer-size": options.udp_buffer_size,
        "protocols": options.select_rtp_protocol,
    }
    if source.get_factory().get_name() == "rtspsrc":
        for name, value in wanted.items():
            source.set_property(name, value)


def make(factory: str, name: str, properties: dict[str, Any]) -> Gst.Element:
    """Make an element.

    Raises:
        SourceError: The element is missing.
    """
    element = Gst.ElementFactory.make(factory, name)
    if element is None:
        raise SourceError(f"GStreamer element {factory!r} is missing; run: headrace doctor")
    for key, value in properties.items():
        element.set_property(key, value)
    return element
