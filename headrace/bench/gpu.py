"""What a pipeline reaches on an NVIDIA GPU, of what decoder and network reach alone, side by side in one process.

Each round measures in turn: the decoders alone; preprocessing and network alone, on frames that lie in the GPU's
memory; the pipeline from files to tracked objects. Only the steady state counts: nothing of the first seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gi.repository import Gst

from headrace.bench.gpu_clip import DEMUX, long_clip
from headrace.bench.gpu_limits import NETWORK, SIZE, network_alone
from headrace.bench.gpu_play import WARM, MemorySlope, Play
from headrace.bench.statistics import Spread, in_ms
from headrace.gst.threads import shorten_switch_interval

_DECODE = "nvh264dec ! video/x-raw(memory:CUDAMemory)"
#: Frames a second that the clip has to last for, over all streams.
_FASTEST = 8000
#: Microseconds that a batch of paced streams waits for more frames: short, as ages count there.
_WAIT = 8000


@dataclass(frozen=True, slots=True)
class GpuRun:
    """One number of streams; frames a second.

    Attributes:
        streams: Files that are decoded at once.
        batch: Rows of a batch.
        decode: The decoders alone.
        network: Preprocessing and network alone.
        pipeline: Decoders, muxer, ``hrinfer`` and tracker.
        ratio: The pipeline over the lower of the other two, round by round.
        objects: Objects of a frame, on average.
        gpu: Memory of the GPU during the last pipeline.
        host: Memory of this process then.
    """

    streams: int
    batch: int
    decode: Spread
    network: Spread
    pipeline: Spread
    ratio: Spread
    objects: float
    gpu: MemorySlope
    host: MemorySlope


@dataclass(frozen=True, slots=True)
class PacedRun:
    """Streams at the pace of cameras.

    Attributes:
        streams: How many.
        fps: Frames a second of each.
        frames: Frames whose metadata came out.
        dropped: Frames that were dropped, by reason.
        ages: Milliseconds from the decoder's output to metadata: the 50th, 95th and 99th percentile.
        gpu: Memory of the GPU.
        host: Memory of this process.
    """

    streams: int
    fps: int
    frames: int
    dropped: dict[str, int]
    ages: tuple[float, float, float]
    gpu: MemorySlope
    host: MemorySlope


def gpu_runs(
    clip: Path,
    streams: Sequence[int] = (32, 64),
    batch: int = 32,
    seconds: float = 20.0,
    repeats: int = 3,
    progress: Callable[[str], None] = lambda text: None,
) -> list[GpuRun]:
    """Measure.

    Args:
        clip: H.264 in MP4; it is played again and again, as one long file.
        streams: Numbers of streams.
        batch: Rows of a batch.
        seconds: How long each part is measured.
        repeats: Rounds.
        progress: Told what comes next.

    Raises:
        HeadraceError: There is no GPU, torch or decoder, or a pipeline failed.
    """
    shorten_switch_interval()
    runs = []
    for count in streams:
        need = (seconds + WARM + 3) * _FASTEST / count / 30
        with long_clip(clip, need) as long:
            rounds = []
            for number in range(1, repeats + 1):
                progress(f"gpu: {count} streams, round {number} of {repeats}")
                decode = Play(_decoders(long, count)).measure(seconds)
                network = network_alone(batch, seconds)
                whole = Play(_pipeline(long, count, batch)).measure(seconds)
                rounds.append((decode.fps, network, whole.fps))
                progress("gpu: decode {:.0f}, network {:.0f}, pipeline {:.0f} frames/s".format(*rounds[-1]))
        decoded, computed, piped = (Spread.of(column) for column in zip(*rounds, strict=True))
        ratio = Spread.of([piped / min(decoded, computed) for decoded, computed, piped in rounds])
        objects = whole.objects / max(whole.frames, 1)
        runs.append(GpuRun(count, batch, decoded, computed, piped, ratio, objects, whole.gpu, whole.host))
    return runs


def paced_run(
    clip: Path, streams: int = 64, batch: int = 64, seconds: float = 20.0, fps: int = 30
) -> PacedRun:
    """Streams at the pace of cameras, out of step with each other.

    Args:
        clip: H.264 in MP4 of ``fps`` frames a second.
        streams: How many.
        batch: Rows of a batch.
        seconds: How long is measured.
        fps: Frames a second of each.

    Raises:
        HeadraceError: There is no GPU, torch or decoder, or a pipeline failed.
    """
    shorten_switch_interval()
    with long_clip(clip, seconds + WARM + 10) as long:
        play = Play(_pipeline(long, streams, batch, fps))
        play.pace(streams)
        done = play.measure(seconds)
    ages = in_ms(play.ages or [0.0], (50, 95, 99))
    return PacedRun(streams, fps, done.frames, dict(done.dropped), ages, done.gpu, done.host)


def _decoders(clip: Path, streams: int) -> str:
    source = f"{DEMUX.format(clip=clip)} ! {_DECODE}"
    return " ".join(f"{source} ! fakesink name=sink_{index} sync=false" for index in range(streams))


def _pipeline(clip: Path, streams: int, batch: int, fps: int = 0) -> str:
    """Files to tracked objects; with ``fps`` at that pace, each stream a bit later than the one before."""
    parts = []
    for index in range(streams):
        pace, name = "", ""
        if fps:
            pace = f"clocksync name=pace{index} ts-offset={index * Gst.SECOND // (fps * streams)} ! "
            name = f" ! identity name=decoded{index}"
        parts.append(f"{DEMUX.format(clip=clip)} ! {pace}{_DECODE}{name} ! mux.sink_{index}")
    wait = _WAIT if fps else 40_000
    width, height = SIZE
    return (
        f"{' '.join(parts)} nvstreammux name=mux batch-size={batch} batched-push-timeout={wait} ! "
        f"hrinfer model={NETWORK} device=cuda input-size={width}x{height} ! nvtracker ! fakesink name=sink sync=false"
    )
