"""What sits between a source's decoder and its first queue: a file that starts again, frames left out."""

from __future__ import annotations

import threading
import weakref

from gi.repository import Gst

from headrace.errors import SourceError
from headrace.gst.face import Face


class FileLoop:
    """Turns end of stream into a seek to the start, seen downstream as one long stream.

    End of stream and the flush of the seek stop here. The pad's offset moves each round's running time to the
    end of the round before it.

    Args:
        owner: The element that reports errors.
        pad: Sink pad of the queue behind the decoder.
    """

    def __init__(self, owner: Face, pad: Gst.Pad) -> None:
        self._owner, self._pad = weakref.ref(owner), pad
        self.reset()
        mask = Gst.PadProbeType.EVENT_DOWNSTREAM | Gst.PadProbeType.EVENT_FLUSH | Gst.PadProbeType.BUFFER
        pad.add_probe(mask, owner.guarded(self._probe, Gst.PadProbeReturn.OK))

    def reset(self) -> None:
        """Begin a new run."""
        self._segment: Gst.Segment | None = None
        self._end = 0
        self._frames = 0
        self._pad.set_offset(0)

    def _probe(self, pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        if info.type & Gst.PadProbeType.BUFFER:
            self._note(info.get_buffer())
            return Gst.PadProbeReturn.OK
        event = info.get_event()
        if event.type == Gst.EventType.SEGMENT:
            self._segment = event.parse_segment().copy()
        elif event.type in (Gst.EventType.FLUSH_START, Gst.EventType.FLUSH_STOP):
            return Gst.PadProbeReturn.DROP
        elif event.type == Gst.EventType.EOS and self._frames:
            self._frames = 0
            pad.set_offset(self._end)
            # Seeking from the streaming thread would wait for itself.
            threading.Thread(target=self._rewind, name="headrace-loop", daemon=True).start()
            return Gst.PadProbeReturn.DROP
        return Gst.PadProbeReturn.OK

    def _note(self, buffer: Gst.Buffer) -> None:
        """Remember when the frame ends, in running time, which has the offset in it."""
        self._frames += 1
        if self._segment is None or buffer.pts == Gst.CLOCK_TIME_NONE:
            return
        duration = 0 if buffer.duration == Gst.CLOCK_TIME_NONE else buffer.duration
        self._end = max(self._end, self._segment.to_running_time(Gst.Format.TIME, buffer.pts) + duration)

    def _rewind(self) -> None:
        owner, pad = self._owner(), self._pad
        if owner is None or not pad.is_active():
            return
        flags = Gst.SeekFlags.FLUSH | Gst.SeekFlags.KEY_UNIT
        seek = Gst.Event.new_seek(1.0, Gst.Format.TIME, flags, Gst.SeekType.SET, 0, Gst.SeekType.NONE, 0)
        if not pad.push_event(seek) and pad.is_active():
            owner.post_error(SourceError("file-loop: the file cannot be started again, it is not seekable"))


class EveryNth:
    """Passes one frame of ``n`` and drops the others.

    Args:
        owner: The element that reports errors.
        pad: The pad that the frames go through.
        n: 1 passes all.
    """

    def __init__(self, owner: Face, pad: Gst.Pad, n: int) -> None:
        self._n, self._seen = n, 0
        pad.add_probe(Gst.PadProbeType.BUFFER, owner.guarded(self._probe, Gst.PadProbeReturn.OK))

    def _probe(self, _pad: Gst.Pad, _info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        keep = self._seen % self._n == 0
        self._seen += 1
        return Gst.PadProbeReturn.OK if keep else Gst.PadProbeReturn.DROP
