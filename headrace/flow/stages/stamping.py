"""Times for frames that come without."""

from __future__ import annotations

from fractions import Fraction

from gi.repository import Gst

from headrace.gst.native import CLOCK_TIME_NONE, buffer_struct
from headrace.gst.threads import keep_thread_state


def stamp_frames(source: Gst.Element, rate: Fraction) -> None:
    """Give the frames that leave a source their times, where they have none.

    A frame is due one interval after the one before, or when it comes if that is later: what is made faster than it is
    shown keeps its rate, and what is made more slowly is not late.

    Not left to the source (``do-timestamp``): before the pipeline plays there is no time yet, and a sink would wait
    for the one that is set instead.

    Args:
        source: An appsrc.
        rate: Frames per second.
    """
    source.get_static_pad("src").add_probe(
        Gst.PadProbeType.BUFFER | Gst.PadProbeType.EVENT_DOWNSTREAM, _Stamp(rate)
    )


class _Stamp:
    def __init__(self, rate: Fraction) -> None:
        self._interval = int(Gst.SECOND / rate) if rate else 0
        self._next = 0

    def __call__(self, pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        keep_thread_state()
        if info.type & Gst.PadProbeType.EVENT_DOWNSTREAM:
            if info.get_event().type == Gst.EventType.STREAM_START:
                self._next = 0  # it is played again
            return Gst.PadProbeReturn.OK
        fields = buffer_struct(hash(info.get_buffer()))
        if fields.pts == CLOCK_TIME_NONE:
            fields.pts = max(self._next, _now(pad.get_parent_element()))
            fields.duration = self._interval
        self._next = fields.pts + self._interval
        return Gst.PadProbeReturn.OK


def _now(source: Gst.Element) -> int:
    """Running time; 0 before the pipeline plays."""
    if source.get_state(0).state != Gst.State.PLAYING:
        return 0
    time = source.get_current_running_time()
    return 0 if time == CLOCK_TIME_NONE else int(time)
