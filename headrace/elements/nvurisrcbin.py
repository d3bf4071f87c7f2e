"""nvurisrcbin: video from a file, camera or server.

gst-launch-1.0 nvurisrcbin uri=/videos/street.mp4 ! m.sink_0 nvstreammux name=m ! ...
gst-launch-1.0 nvurisrcbin uri=rtsp://camera/stream latency=200 ! m.sink_0 ...
"""

from __future__ import annotations

import dataclasses

from gi.repository import GLib, Gst

from headrace.elements.caps import ANY_CAPS, is_batch
from headrace.elements.ending import EndWatch
from headrace.elements.opening import OpeningWatch
from headrace.elements.parts import chain, make
from headrace.elements.uri_probes import EveryNth, FileLoop
from headrace.errors import SourceError
from headrace.gst.face import USER_ERRORS, Face, properties_of, template
from headrace.gst.options import option
from headrace.gst.structures import structure_of
from headrace.source.uri import redacted, to_uri

SOURCE = "nvurisrc_bin_src_elem"
QUEUE = "nvurisrc_bin_queue"
CONVERT = "nvurisrc_bin_convert"

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
        self.skipper: EveryNth | None = None
        self.end: EndWatch | None = None
        self.opening: OpeningWatch | None = None

    def do_change_state(self, transition: Gst.StateChange) -> Gst.StateChangeReturn:
        """GStreamer vmethod: the address is opened anew for each run; pad and queue stay."""
        try:
            if transition == Gst.StateChange.NULL_TO_READY:
                self._open()
        except USER_ERRORS as error:
            self.post_error(error)
            return Gst.StateChangeReturn.FAILURE
        result = Gst.Bin.do_change_state(self, transition)
        if transition == Gst.StateChange.READY_TO_PAUSED:
            self._watch_opening()
        if transition == Gst.StateChange.PAUSED_TO_READY and self.opening is not None:
            self.opening.close()
        if transition == Gst.StateChange.READY_TO_NULL:
            self._close()
        return result

    def _watch_opening(self) -> None:
        if to_uri(self.options.uri).startswith("file://"):
            self.opening = OpeningWatch(self._opened, self, SOURCE, redacted(self.options.uri))

    def _opened(self) -> bool:
        queue = self.get_by_name(QUEUE)
        return queue is not None and bool(queue.get_static_pad("sink").is_linked())

    def _close(self) -> None:
        for name in (SOURCE, CONVERT):
            part = self.get_by_name(name)
            if part is not None:
                part.set_state(Gst.State.NULL)
                self.remove(part)

    def _open(self) -> None:
        uri = to_uri(self.options.uri)
        self._close()
        for watch in (self.end, self.loop):
            if watch is not None:
                watch.reset()
        if uri.startswith("sim://"):
            source = make("hrsimsrc", SOURCE, {"scene": uri})
            self.add(source)
            self._video(source.get_static_pad("src"))
            return
        source = make("uridecodebin", SOURCE, {"uri": uri, "expose-all-streams": False})
        source.set_property("caps", Gst.Caps.from_string("video/x-raw(ANY)"))
        source.connect("pad-added", self.guarded(self._pad_added))
        source.connect("no-more-pads", self.guarded(self._no_more_pads))
        source.connect("source-setup", self.guarded(self._source_setup))
        self.add(source)

    def _pad_added(self, _source: Gst.Element, pad: Gst.Pad) -> None:
        caps = pad.get_current_caps() or pad.query_caps(None)
        if structure_of(caps, 0).get_name().startswith("video/"):
            self._video(pad)

    def _no_more_pads(self, source: Gst.Element) -> None:
        if not self._opened():
            raise SourceError(f"source {redacted(self.options.uri)}: there is no video stream in it")

    def _source_setup(self, _decoder: Gst.Element, source: Gst.Element) -> None:
        if source.get_factory().get_name() == "rtspsrc":
            options = self.options
            source.set_property("latency", options.latency)
            source.set_property("drop-on-latency", options.drop_on_latency)
            source.set_property("udp-buffer-size", options.udp_buffer_size)
            source.set_property("protocols", options.select_rtp_protocol)

    def _video(self, pad: Gst.Pad) -> None:
        """Link the first video stream to the queue, which is made for the first run."""
        sink = (self.get_by_name(QUEUE) or self._make_chain()).get_static_pad("sink")
        if sink.is_linked():
            return
        if not is_batch(pad.query_caps(None)):
            pad = self._convert(pad)
        if pad.link(sink) != Gst.PadLinkReturn.OK:
            raise SourceError(f"source {redacted(self.options.uri)}: its video cannot be converted")

    def _convert(self, pad: Gst.Pad) -> Gst.Pad:
        """Bring a source that is not decoded into a format that Headrace handles; most cameras' is not."""
        convert = make("videoconvert", CONVERT, {})
        self.add(convert)
        pad.link(convert.get_static_pad("sink"))
        convert.sync_state_with_parent()
        return convert.get_static_pad("src")

    def _make_chain(self) -> Gst.Element:
        """Queue and converter, shown to the outside as ``vsrc_0``; returns the queue."""
        options = self.options
        unlimited = {"max-size-bytes": 0, "max-size-time": 0}
        queue = make("queue", QUEUE, {
            "leaky": options.leaky, "max-size-buffers": options.max_size_buffers, **unlimited,
        })  # fmt: skip
        out = make("nvvideoconvert", "nvurisrc_bin_nvvidconv_elem", {})
        chain(self, queue, out)
        sink = queue.get_static_pad("sink")
        self.end = EndWatch(self, sink, redacted(options.uri))
        if options.file_loop and to_uri(options.uri).startswith("file://"):
            self.loop = FileLoop(self, sink)
        if options.drop_frame_interval > 1:
            self.skipper = EveryNth(self, sink, options.drop_frame_interval)
        ghost = Gst.GhostPad.new_from_template("vsrc_0", out.get_static_pad("src"), self.template("vsrc_%u"))
        ghost.set_active(True)
        self.add_pad(ghost)
        for element in (out, queue):
            element.sync_state_with_parent()
        return queue

    def do_send_event(self, event: Gst.Event) -> bool:
        """GStreamer vmethod: end of stream from outside is a wish, not an early end."""
        if event.type == Gst.EventType.EOS and self.end is not None:
            self.end.asked = True
        return bool(Gst.Bin.do_send_event(self, event))

    def do_handle_message(self, message: Gst.Message) -> None:
        """GStreamer vmethod: what the parts say names the source, without passwords."""
        try:
            message = self._without_secrets(message)
        except USER_ERRORS as error:
            self.post_error(error)
            return
        Gst.Bin.do_handle_message(self, message)

    def _without_secrets(self, message: Gst.Message) -> Gst.Message:
        kind = message.type
        if kind == Gst.MessageType.PROGRESS:
            step, code, text = message.parse_progress()
            return Gst.Message.new_progress(self, step, code, redacted(text))
        if kind not in (Gst.MessageType.ERROR, Gst.MessageType.WARNING) or message.src == self:
            return message
        failed = kind == Gst.MessageType.ERROR
        error, debug = message.parse_error() if failed else message.parse_warning()
        text = redacted(error.message)
        if error.matches(Gst.CoreError.quark(), Gst.CoreError.MISSING_PLUGIN):
            text = f"no video in it that the installed plugins decode; run: headrace doctor ({text})"
        text = f"source {redacted(self.options.uri)}: {text}"
        said = GLib.Error.new_literal(GLib.quark_from_string(error.domain), text, error.code)
        make_message = Gst.Message.new_error if failed else Gst.Message.new_warning
        return make_message(self, said, f"{message.src.get_name()}: {redacted(debug or '')}")
