"""Playing from another place than the beginning."""

from __future__ import annotations

from collections.abc import Callable

from gi.repository import Gst

_POLL = 100 * Gst.MSECOND


def play_from(pipeline: Gst.Pipeline, seconds: float, quit: Callable[[], bool]) -> None:
    """Pause, go to the key frame before a place, and play.

    Args:
        pipeline: The pipeline, in any state.
        seconds: Place from the beginning.
        quit: Asked while sources get ready; when true, nothing more is done.
    """
    pipeline.set_state(Gst.State.PAUSED)
    while not quit():
        result, _, _ = pipeline.get_state(_POLL)
        if result != Gst.StateChangeReturn.ASYNC:
            break
    flags = Gst.SeekFlags.FLUSH | Gst.SeekFlags.KEY_UNIT | Gst.SeekFlags.SNAP_BEFORE
    pipeline.seek_simple(Gst.Format.TIME, flags, round(seconds * Gst.SECOND))
    pipeline.set_state(Gst.State.PLAYING)
