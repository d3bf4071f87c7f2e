"""A file that starts again when it ends, with time going on."""

from __future__ import annotations

import threading
import weakref
from typing import Any

from gi.repository import Gst

from headrace.gst.threads import keep_thread_state


class FileLoop:
    """Turns end of stream into a seek to the start, seen downstream as one long stream.

    Lives on a pad before the first queue: end of stream and the flush of the seek stop there, and segments
    are moved so that running time goes on where the round before it ended.
    """

    def __init__(self, owner: Gst.Bin, pad: Gst.Pad) -> None:
        self._owner = weakref.ref(owner)
        self._base = 0
        self._end = 0
        self._segment: Gst.Segment | None = None
        mask = Gst.PadProbeType.EVENT_DOWNSTREAM | Gst.PadProbeType.EVENT_FLUSH | Gst.PadProbeType.BUFFER
        pad.add_probe(mask, self._probe)

    def _probe(self, _pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        keep_thread_state()
        if info.type & Gst.PadProbeType.BUFFER:
            self._note(info.get_buffer())
            return Gst.PadProbeReturn.OK
        event = info.get_event()
        if event.type == Gst.EventType.SEGMENT:
            return self._moved(_pad, event)
        if event.type in (Gst.EventType.FLUSH_START, Gst.EventType.FLUSH_STOP):
            return Gst.PadProbeReturn.DROP
        if event.type == Gst.EventType.EOS:
            self._base = self._end
            # Seeking from the streaming thread would wait for itself.
            threading.Thread(target=self._rewind, name="headrace-loop", daemon=True).start()
            return Gst.PadProbeReturn.DROP
        return Gst.PadProbeReturn.OK

    def _note(self, buffer: Any) -> None:
        if self._segment is None or buffer.pts == Gst.CLOCK_TIME_NONE:
            return
        duration = 0 if buffer.duration == Gst.CLOCK_TIME_NONE else buffer.duration
        end = self._segment.to_running_time(Gst.Format.TIME, buffer.pts) + duration
        self._end = max(self._end, self._base + end)

    def _moved(self, pad: Gst.Pad, event: Gst.Event) -> Gst.PadProbeReturn:
        self._segment = event.parse_segment().copy()
        pad.set_offset(self._base)
        return Gst.PadProbeReturn.OK

    def _rewind(self) -> None:
        owner = self._owner()
        source = owner.get_by_name("nvurisrc_bin_src_elem") if owner is not None else None
        if source is not None:
            flags = Gst.SeekFlags.FLUSH | Gst.SeekFlags.KEY_UNIT
            source.seek_simple(Gst.Format.TIME, flags, 0)
