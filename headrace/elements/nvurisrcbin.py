"""nvurisrcbin: video from a file, camera or server.

gst-launch-1.0 nvurisrcbin uri=/videos/street.mp4 ! m.sink_0 nvstreammux name=m ! ...
gst-launch-1.0 nvurisrcbin uri=rtsp://camera/stream latency=200 ! m.sink_0 ...
"""

from __future__ import annotations

import ctypes
import dataclasses
import logging
from typing import Any, ClassVar

from gi.repository import GLib, GObject, Gst

from headrace.elements.base.caps import ANY_CAPS, is_batch
from headrace.elements.base.parts import chain, make
from headrace.elements.source.ending import EndWatch
from headrace.elements.source.opening import OpeningWatch
from headrace.elements.source.options import UriSourceOptions
from headrace.elements.source.reconnecting import Reconnector
from headrace.elements.source.recording import Recorder
from headrace.elements.source.uri_probes import EveryNth, FileLoop
from headrace.errors import HeadraceError, SourceError
from headrace.gst.face import USER_ERRORS, Face, properties_of, template
from headrace.gst.options import option
from headrace.gst.recording import RecordingInfoStruct, address_of, pointer_at, pointer_to
from headrace.gst.reference_time import note_sender_times
from headrace.gst.structures import structure_of
from headrace.source.uri import redacted, to_uri

_log = logging.getLogger(__name__)

STATUS = "smart-rec-status"
_ACTION = GObject.SignalFlags.RUN_LAST | GObject.SignalFlags.ACTION
_POINTER = GObject.TYPE_POINTER
_SOUND_CAPS = Gst.Caps.from_string("audio/x-raw")

SOURCE = "nvurisrc_bin_src_elem"
QUEUE = "nvurisrc_bin_queue"
SOUND = "nvurisrc_bin_audio_queue"
CONVERT = "nvurisrc_bin_convert"


@dataclasses.dataclass(frozen=True)
class RecordingSourceOptions(UriSourceOptions):
    """Options of nvurisrcbin, and what it says of itself."""

    smart_rec_status: bool = option(False, "whether a recording is being written", read_only=True)


class UriSource(Face, Gst.Bin):
    """Face of a source: decoder, queue, converter; ``vsrc_0`` appears with the first video stream.

    With ``smart-record``, the action signals ``start-sr`` and ``stop-sr``, or `start_recording` and `stop_recording`,
    write what the source sends to a file, without coding it again; ``sr-done`` tells when it is complete, and
    ``smart-rec-status`` whether one is being written.
    """

    __gtype_name__ = "NvUriSrcBin"
    factory = "nvurisrcbin"
    rank = Gst.Rank.NONE
    options_type = RecordingSourceOptions
    __gproperties__ = properties_of(RecordingSourceOptions)
    __gsignals__: ClassVar[dict[str, Any]] = {
        "start-sr": (_ACTION, None, (_POINTER, GObject.TYPE_UINT, GObject.TYPE_UINT, _POINTER)),
        "stop-sr": (_ACTION, None, (GObject.TYPE_UINT,)),
        "sr-done": (GObject.SignalFlags.RUN_LAST, None, (_POINTER, _POINTER)),
    }
    __gstmetadata__ = ("URI source", "Source/Video/Network", "Decodes a file, camera or server", "Headrace")
    __gsttemplates__ = (
        template("vsrc_%u", Gst.PadDirection.SRC, ANY_CAPS, Gst.PadPresence.SOMETIMES),
        template("asrc_%u", Gst.PadDirection.SRC, _SOUND_CAPS, Gst.PadPresence.SOMETIMES),
    )

    _ending = False  # of the class, too: parts may speak when the instance has no attributes yet, or any more

    def __init__(self) -> None:
        super().__init__()
        self.loop: FileLoop | None = None
        self.skipper: EveryNth | None = None
        self.end: EndWatch | None = None
        self.opening: OpeningWatch | None = None
        self.reconnector: Reconnector | None = None
        self.recorder = Recorder(self)
        self._sr_user = 0

    def do_get_property(self, spec: GObject.ParamSpec) -> Any:
        """GObject vmethod."""
        return self.recorder.active if spec.name == STATUS else Face.do_get_property(self, spec)

    def option_changed(self, field: str) -> None:
        """One property has an older name too."""
        if field == "smart_rec_video_cache":
            seconds = self.options.smart_rec_video_cache
            self.options = dataclasses.replace(self.options, smart_rec_cache=seconds)

    def do_change_state(self, transition: Gst.StateChange) -> Gst.StateChangeReturn:
        """GStreamer vmethod: the address is opened anew for each run; pads and queues stay."""
        try:
            if transition == Gst.StateChange.NULL_TO_READY:
                self._open()
            elif transition == Gst.StateChange.READY_TO_PAUSED:
                self._ending = False
                self._watch_server()
        except USER_ERRORS as error:
            self.post_error(error)
            return Gst.StateChangeReturn.FAILURE
        if transition == Gst.StateChange.PAUSED_TO_READY:
            self._ending = True
            self._end_watches()
        result = Gst.Bin.do_change_state(self, transition)
        if transition == Gst.StateChange.READY_TO_PAUSED:
            if result == Gst.StateChangeReturn.FAILURE:
                self._end_watches()
            else:
                self._watch_file()
        elif transition == Gst.StateChange.PAUSED_TO_READY:
            self.recorder.close()  # nothing comes any more
        elif transition == Gst.StateChange.READY_TO_NULL:
            self._close()
        return result

    def _watch_server(self) -> None:
        """Look after a server that may be lost, from before its first frame."""
        options = self.options
        seconds = options.rtsp_reconnect_interval, options.init_rtsp_reconnect_interval
        if to_uri(options.uri).startswith("rtsp") and any(seconds):
            self.reconnector = Reconnector(self, self._reopen, *seconds, options.rtsp_reconnect_attempts)
            queue = self.get_by_name(QUEUE)
            if queue is not None:
                self.reconnector.watch(queue.get_static_pad("sink"))

    def _watch_file(self) -> None:
        """Look after a file that may never open; once its threads are at work, as they rest before."""
        uri = self.options.uri
        if to_uri(uri).startswith("file://"):
            self.opening = OpeningWatch(self._opened, self, SOURCE, redacted(uri))

    def _end_watches(self) -> None:
        for watch in (self.opening, self.reconnector):
            if watch is not None:
                watch.close()

    def _opened(self) -> bool:
        queues = [self.get_by_name(QUEUE), None if self.options.disable_audio else self.get_by_name(SOUND)]
        return any(queue is not None and queue.get_static_pad("sink").is_linked() for queue in queues)

    def _wanted(self) -> str:
        return "video" if self.options.disable_audio else "video or audio"

    def _close(self) -> None:
        for name in (SOURCE, CONVERT):
            part = self.get_by_name(name)
            if part is not None:
                part.set_state(Gst.State.NULL)
                self.remove(part)

    def _reopen(self) -> None:
        self._open()
        self.get_by_name(SOURCE).sync_state_with_parent()

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
        kinds = "video/x-raw(ANY)" if self.options.disable_audio else "video/x-raw(ANY);audio/x-raw"
        source.set_property("caps", Gst.Caps.from_string(kinds))
        source.connect("pad-added", self.guarded(self._pad_added))
        source.connect("no-more-pads", self.guarded(self._no_more_pads))
        source.connect("source-setup", self.guarded(self._source_setup))
        source.connect("deep-element-added", self.guarded(self._part_added))
        self.add(source)

    def _pad_added(self, _source: Gst.Element, pad: Gst.Pad) -> None:
        caps = pad.get_current_caps() or pad.query_caps(None)
        kind = structure_of(caps, 0).get_name()
        if kind.startswith("video/"):
            self._video(pad)
        elif kind.startswith("audio/"):
            self._sound(pad)

    def _no_more_pads(self, source: Gst.Element) -> None:
        if not self._opened():
            raise SourceError(
                f"source {redacted(self.options.uri)}: there is no {self._wanted()} stream in it"
            )
        sound = self.get_by_name(SOUND)
        if sound is not None and self.get_by_name(QUEUE) is None:
            self._loop_from(sound.get_static_pad("sink"))

    def _source_setup(self, _decoder: Gst.Element, source: Gst.Element) -> None:
        if source.get_factory().get_name() == "rtspsrc":
            options = self.options
            note_sender_times(hash(source))
            source.set_property("latency", options.latency)
            source.set_property("drop-on-latency", options.drop_on_latency)
            source.set_property("udp-buffer-size", options.udp_buffer_size)
            source.set_property("protocols", options.select_rtp_protocol)
            source.set_property("buffer-mode", options.buffer_mode)

    def _part_added(self, _source: Gst.Bin, _bin: Gst.Bin, part: Gst.Element) -> None:
        """Set up a decoder that is plugged in, and listen to what goes into it."""
        kind = part.get_metadata("klass") or ""
        if part.get_factory().get_name() == "nvv4l2decoder":
            part.set_property("skip-frames", self.options.dec_skip_frames)
            part.set_property("low-latency-mode", self.options.low_latency_mode)
            part.set_property("gpu-id", self.options.gpu_id)
            part.set_property("threads", self.options.decoder_threads)
        elif "Decoder/Audio" not in kind:
            return
        if self.options.smart_record:
            self.recorder.tap(part.get_static_pad("sink"), "audio" if "Audio" in kind else "video")

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
        convert = make("videoconvert", CONVERT)
        self.add(convert)
        pad.link(convert.get_static_pad("sink"))
        convert.sync_state_with_parent()
        return convert.get_static_pad("src")

    def _sound(self, pad: Gst.Pad) -> None:
        """Show the first sound as ``asrc_0``."""
        queue = self.get_by_name(SOUND)
        if queue is None:
            queue = make("queue", SOUND)
            self.add(queue)
            self._show("asrc_0", queue)
        sink = queue.get_static_pad("sink")
        if not sink.is_linked():
            pad.link(sink)

    def _make_chain(self) -> Gst.Element:
        """Queue and converter, shown to the outside as ``vsrc_0``; returns the queue."""
        options = self.options
        unlimited = {"max-size-bytes": 0, "max-size-time": 0}
        queue = make("queue", QUEUE, {
            "leaky": options.leaky, "max-size-buffers": options.max_size_buffers, **unlimited,
        })  # fmt: skip
        out = make("nvvideoconvert", "nvurisrc_bin_nvvidconv_elem")
        chain(self, queue, out)
        sink = queue.get_static_pad("sink")
        if self.reconnector is not None:
            self.reconnector.watch(sink)
        self.end = EndWatch(self, sink, redacted(options.uri))
        self._loop_from(sink)
        if options.drop_frame_interval > 1:
            self.skipper = EveryNth(self, sink, options.drop_frame_interval)
        self._show("vsrc_0", out)
        queue.sync_state_with_parent()
        return queue

    def _loop_from(self, sink: Gst.Pad) -> None:
        options = self.options
        if self.loop is None and options.file_loop and to_uri(options.uri).startswith("file://"):
            self.loop = FileLoop(self, sink)

    def _show(self, name: str, part: Gst.Element) -> None:
        pad_template = self.template(name.replace("0", "%u"))
        ghost = Gst.GhostPad.new_from_template(name, part.get_static_pad("src"), pad_template)
        ghost.set_active(True)
        self.add_pad(ghost)
        part.sync_state_with_parent()

    def start_recording(self, start: int, duration: int) -> int:
        """Begin a recording, from any thread.

        Args:
            start: Seconds before now that it begins; at most ``smart-rec-cache`` of them are there.
            duration: Seconds from now that it goes on; 0 for ``smart-rec-default-duration``.

        Returns:
            Number of the session for `stop_recording` and ``sr-done``; 0 if it was refused, which a warning tells.
        """
        try:
            session = self.recorder.start(start, duration)
        except HeadraceError as error:
            self.post_warning(str(error))
            return 0
        if not session:
            self.post_warning(f"source {redacted(self.options.uri)}: {self.recorder.refusal(self.options)}")
        return session

    def stop_recording(self, session: int) -> bool:
        """End a recording before its time; False if it is not going on."""
        return self.recorder.stop(session)

    def do_start_sr(self, session: Any, start: int, duration: int, user: Any) -> None:
        """Action signal ``start-sr``: writes the session's number to where the first argument points."""
        self._sr_user = address_of(user)
        number = self.start_recording(start, duration)
        if address_of(session):
            ctypes.c_uint32.from_address(address_of(session)).value = number

    def do_stop_sr(self, session: int) -> None:
        """Action signal ``stop-sr``."""
        self.stop_recording(session)

    def recorded(self, info: RecordingInfoStruct) -> None:
        """Tell that a recording is complete; on a thread of its own."""
        user = pointer_at(self._sr_user) if self._sr_user else None
        self.emit("sr-done", pointer_to(info), user)

    def do_send_event(self, event: Gst.Event) -> bool:
        """GStreamer vmethod: end of stream from outside is a wish, not an early end."""
        if event.type == Gst.EventType.EOS and self.end is not None:
            self.end.asked = True
        return bool(Gst.Bin.do_send_event(self, event))

    def do_handle_message(self, message: Gst.Message) -> None:
        """GStreamer vmethod: what the parts say names the source, without passwords."""
        if self._ending and message.type == Gst.MessageType.ERROR and message.src != self:
            # Of rtspsrc, when it was still saying goodbye while it was closed; nobody waits for a frame any more.
            _log.debug("%s: at the end: %s", self.get_name(), redacted(message.parse_error()[0].message))
            return
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
        if failed and self._comes_again(message.src, text):
            failed = False
        make_message = Gst.Message.new_error if failed else Gst.Message.new_warning
        return make_message(self, said, f"{message.src.get_name()}: {redacted(debug or '')}")

    def _comes_again(self, part: Gst.Object, text: str) -> bool:
        """Whether an error of a part is no error of the source, because that will be opened again."""
        source = self.get_by_name(SOURCE)
        inside = source is None or part == source or part.has_as_ancestor(source)
        return inside and self.reconnector is not None and self.reconnector.lost(text)
