"""The chain that is measured: prepared detections through mux, model, tracker, overlay and messages."""

from __future__ import annotations

import time
from dataclasses import dataclass

from gi.repository import Gst

from headrace.bench.nullmodel import SIZE
from headrace.errors import PipelineError

#: What is added one after the other, with the name under which it is reported.
STAGES: tuple[tuple[str, str], ...] = (
    ("nvstreammux", ""),
    ("hrinfer", "hrinfer model=headrace.bench.nullmodel:NullModel"),
    ("nvtracker", "nvtracker"),
    ("nvdsosd, all off", "nvdsosd display-bbox=false display-text=false display-mask=false"),
    ("nvmsgconv", "nvmsgconv payload-type=1 msg2p-newapi=true frame-interval=1"),
)
_LIMIT = 300 * Gst.SECOND


@dataclass(frozen=True, slots=True)
class Use:
    """What a run took: seconds of CPU (all threads, user and system) and of time."""

    cpu: float
    wall: float


def launch_line(stages: int, sources: int, frames: int, live: bool = False) -> str:
    """The pipeline with the first ``stages`` of `STAGES`; without any, sources alone.

    Args:
        stages: How many.
        sources: Sources, and frames in a full batch.
        frames: Frames of each source.
        live: At 30 frames a second instead of as fast as possible.

    Example:
        >>> launch_line(1, 4, 9).rpartition("m.sink_3 ")[2]
        'nvstreammux name=m batch-size=4 ! fakesink'
    """
    source = f"videotestsrc pattern=black num-buffers={frames}{' is-live=true' if live else ''}"
    source += f" ! video/x-raw,format=GRAY8,width={SIZE[0]},height={SIZE[1]},framerate=30/1"
    if not stages:
        return " ".join(f"{source} ! fakesink" for _ in range(sources))
    inputs = " ".join(f"{source} ! m.sink_{index}" for index in range(sources))
    chain = " ! ".join(text for _, text in STAGES[1:stages])
    return f"{inputs} nvstreammux name=m batch-size={sources} ! {chain + ' ! ' if chain else ''}fakesink"


def run(line: str) -> Use:
    """Run a pipeline to its end; the time to start it, with loading of models, does not count.

    Raises:
        PipelineError: An element failed, or the end did not come within five minutes.
    """
    pipeline = Gst.parse_launch(line)
    try:
        pipeline.set_state(Gst.State.PAUSED)
        pipeline.get_state(_LIMIT)
        cpu, wall = time.process_time(), time.perf_counter()
        pipeline.set_state(Gst.State.PLAYING)
        _wait(pipeline)
        return Use(time.process_time() - cpu, time.perf_counter() - wall)
    finally:
        pipeline.set_state(Gst.State.NULL)


def _wait(pipeline: Gst.Pipeline) -> None:
    kinds = Gst.MessageType.EOS | Gst.MessageType.ERROR
    message = pipeline.get_bus().timed_pop_filtered(_LIMIT, kinds)
    if message is None:
        raise PipelineError("the benchmark's pipeline did not end within five minutes", "", "")
    if message.type == Gst.MessageType.ERROR:
        error, debug = message.parse_error()
        raise PipelineError(error.message, message.src.get_name(), debug)
