"""A clip that lasts as long as a measurement needs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gi.repository import Gst

from headrace.errors import PipelineError

#: From a file to H.264.
DEMUX = "filesrc location={clip} ! qtdemux ! h264parse"
_LIMIT = 120 * Gst.SECOND


@contextmanager
def long_clip(clip: Path, seconds: float) -> Iterator[Path]:
    """The clip again and again in one file, until it lasts so long; not encoded again."""
    length = _seconds(clip)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "long.mp4"
        copies = range(int(seconds / length) + 1)
        inputs = " ".join(f"{DEMUX.format(clip=clip)} ! queue ! all." for _ in copies)
        pipeline = Gst.parse_launch(
            f"{inputs} concat name=all ! h264parse ! mp4mux ! filesink location={target}"
        )
        pipeline.set_state(Gst.State.PLAYING)
        kinds = Gst.MessageType.EOS | Gst.MessageType.ERROR
        message = pipeline.get_bus().timed_pop_filtered(_LIMIT, kinds)
        pipeline.set_state(Gst.State.NULL)
        if message is None or message.type == Gst.MessageType.ERROR:
            why = "it took too long" if message is None else message.parse_error()[0].message
            raise PipelineError(f"the clip cannot be repeated: {why}", str(clip), "")
        yield target


def _seconds(clip: Path) -> float:
    pipeline = Gst.parse_launch(f"{DEMUX.format(clip=clip)} ! fakesink")
    pipeline.set_state(Gst.State.PAUSED)
    pipeline.get_state(_LIMIT)
    known, length = pipeline.query_duration(Gst.Format.TIME)
    pipeline.set_state(Gst.State.NULL)
    if not known or length <= 0:
        raise PipelineError("the clip's length is not known; give an H.264 clip in MP4", str(clip), "")
    return float(length / Gst.SECOND)
