"""What a pipeline reaches on an NVIDIA GPU, of what decoder and network reach alone, side by side in one process.

Each round measures in turn: the decoders alone; preprocessing and network alone, on frames that lie in the GPU's
memory; the pipeline from files to tracked objects. Only the steady state counts: nothing of the first seconds.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gi.repository import Gst

from headrace.bench.memory import resident
from headrace.bench.statistics import Spread
from headrace.errors import HeadraceError, PipelineError
from headrace.gst import payload

#: The network, as ``hrinfer`` takes it.
NETWORK = "headrace.bench.gpu_network:Yolo"
_SIZE = (640, 640)
_WARM = 2.0  # seconds that do not count
_LOOK = 0.25  # seconds between looks at counters and memory
_START = 120.0  # seconds to load, compile and record
_MIB = 2**20
_DEMUX = "filesrc location={clip} ! qtdemux ! h264parse"
_DECODE = "nvh264dec ! video/x-raw(memory:CUDAMemory)"


@dataclass(frozen=True, slots=True)
class MemorySlope:
    """Memory of a steady state, in MiB: its highest, and what it grows by in a minute."""

    highest: float
    per_minute: float

    @classmethod
    def of(cls, samples: Sequence[tuple[float, float]]) -> MemorySlope:
        """Of pairs of seconds and MiB."""
        times, sizes = np.array(samples).T
        slope = float(np.polyfit(times, sizes, 1)[0]) * 60 if len(samples) > 2 else 0.0
        return cls(float(sizes.max()), slope)

    def __str__(self) -> str:
        return f"{self.highest:.0f} ({self.per_minute:+.1f} a minute)"


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
    runs = []
    for count in streams:
        need = (seconds + _WARM + 3) * 8000 / count / 30
        with _long_clip(clip, need) as long:
            rounds = []
            for number in range(1, repeats + 1):
                progress(f"gpu: {count} streams, round {number} of {repeats}")
                decode = _Play(_decoders(long, count)).measure(seconds)
                network = _network_alone(batch, seconds)
                whole = _Play(_pipeline(long, count, batch)).measure(seconds)
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
    with _long_clip(clip, seconds + _WARM + 10) as long:
        play = _Play(_pipeline(long, streams, batch, fps))
        play.pace(streams)
        done = play.measure(seconds)
    p50, p95, p99 = (float(age) * 1e3 for age in np.percentile(play.ages or [0.0], (50, 95, 99)))
    return PacedRun(streams, fps, done.frames, dict(done.dropped), (p50, p95, p99), done.gpu, done.host)


@dataclass(frozen=True, slots=True)
class _Done:
    fps: float
    frames: int
    objects: int
    dropped: Counter[str]
    gpu: MemorySlope
    host: MemorySlope


class _Play:
    """A pipeline that is played for a while; counts frames, without Python where there is no batch.

    Args:
        line: With ``fakesink``s named ``sink…``, the batches of a pipeline going to ``sink``.
    """

    def __init__(self, line: str) -> None:
        self._pipeline = Gst.parse_launch(line)
        self._frames = self._objects = 0
        self.ages: list[float] = []
        self._begun: dict[tuple[int, int], float] = {}
        self._steady = False
        whole = self._pipeline.get_by_name("sink")
        if whole is not None:
            whole.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, self._batch)
        names = [element.get_name() for element in self._pipeline.iterate_elements()]
        self._sinks = [self._pipeline.get_by_name(name) for name in names if name.startswith("sink_")]

    def pace(self, streams: int) -> None:
        """Let the streams be live, and note when each frame comes out of its decoder."""
        for index in range(streams):
            paced = self._pipeline.get_by_name(f"pace{index}").get_static_pad("src")
            paced.add_probe(Gst.PadProbeType.QUERY_UPSTREAM, _say_live)
            out = self._pipeline.get_by_name(f"decoded{index}").get_static_pad("src")
            out.add_probe(Gst.PadProbeType.BUFFER, self._decoded, index)

    def _decoded(self, _pad: Gst.Pad, info: Gst.PadProbeInfo, index: int) -> Gst.PadProbeReturn:
        self._begun[index, info.get_buffer().pts] = time.perf_counter()
        return Gst.PadProbeReturn.OK

    def _batch(self, _pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        meta = payload.find(hash(info.get_buffer())).meta
        now = time.perf_counter()
        for frame in meta.frames:
            self._frames += 1
            self._objects += frame.n_objects
            begun = self._begun.pop((frame.pad_index, frame.buffer_pts), None) if self._begun else None
            if begun is not None and self._steady:
                self.ages.append(now - begun)
        return Gst.PadProbeReturn.OK

    def _count(self) -> int:
        if not self._sinks:
            return self._frames
        return sum(sink.get_property("stats").get_uint64("rendered").value for sink in self._sinks)

    def measure(self, seconds: float) -> _Done:
        """Play, and measure the steady state.

        Raises:
            PipelineError: The pipeline failed, did not start, or ended.
        """
        try:
            self._pipeline.set_state(Gst.State.PLAYING)
            started = time.perf_counter()
            while not self._count():
                self._look(time.perf_counter() - started < _START)
            self._wait(_WARM, [], [])
            self._steady = True
            gpu: list[tuple[float, float]] = []
            host: list[tuple[float, float]] = []
            began, frames, objects = time.perf_counter(), self._count(), self._objects
            self._wait(seconds, gpu, host)
            passed, frames = time.perf_counter() - began, self._count() - frames
            mux = self._pipeline.get_by_name("mux")
            dropped: Counter[str] = Counter()
            for (_, reason), number in mux.batcher.drops.items() if mux is not None else ():
                dropped[reason] += number
            objects = self._objects - objects
            return _Done(frames / passed, frames, objects, dropped, MemorySlope.of(gpu), MemorySlope.of(host))
        finally:
            self._pipeline.set_state(Gst.State.NULL)

    def _wait(
        self, seconds: float, gpu: list[tuple[float, float]], host: list[tuple[float, float]]
    ) -> None:
        end = time.perf_counter() + seconds
        while (now := time.perf_counter()) < end:
            self._look()
            gpu.append((now, _gpu_used()))
            host.append((now, resident()))

    def _look(self, more: bool = True) -> None:
        kinds = Gst.MessageType.EOS | Gst.MessageType.ERROR
        message = self._pipeline.get_bus().timed_pop_filtered(int(_LOOK * Gst.SECOND), kinds)
        if message is not None and message.type == Gst.MessageType.ERROR:
            error, debug = message.parse_error()
            raise PipelineError(error.message, message.src.get_name(), debug)
        if message is not None or not more:
            raise PipelineError("the clip ended before the measurement", "bench gpu", "")


def _say_live(_pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
    query = info.get_query()
    if query is None or query.type != Gst.QueryType.LATENCY:
        return Gst.PadProbeReturn.OK
    query.set_latency(True, 0, Gst.CLOCK_TIME_NONE)
    return Gst.PadProbeReturn.HANDLED


def _decoders(clip: Path, streams: int) -> str:
    source = f"{_DEMUX.format(clip=clip)} ! {_DECODE}"
    return " ".join(f"{source} ! fakesink name=sink_{index} sync=false" for index in range(streams))


def _pipeline(clip: Path, streams: int, batch: int, fps: int = 0) -> str:
    """Files to tracked objects; with ``fps`` at that pace, each stream a bit later than the one before."""
    parts = []
    for index in range(streams):
        pace, name = "", ""
        if fps:
            pace = f"clocksync name=pace{index} ts-offset={index * Gst.SECOND // (fps * streams)} ! "
            name = f" ! identity name=decoded{index}"
        parts.append(f"{_DEMUX.format(clip=clip)} ! {pace}{_DECODE}{name} ! mux.sink_{index}")
    wait = round(1e6 / fps) if fps else 40_000
    width, height = _SIZE
    return (
        f"{' '.join(parts)} nvstreammux name=mux batch-size={batch} batched-push-timeout={wait} ! "
        f"hrinfer model={NETWORK} device=cuda input-size={width}x{height} ! nvtracker ! fakesink name=sink sync=false"
    )


def _network_alone(batch: int, seconds: float) -> float:
    """Frames a second of preprocessing and network, on frames in the GPU's memory, two batches at a time."""
    from headrace.bench.gpu_network import Yolo
    from headrace.infer.engines import EngineOptions
    from headrace.infer.engines.slots import slot_engine
    from headrace.infer.engines.torch_engine import open_module
    from headrace.infer.preprocess import PreprocessOptions
    from headrace.infer.preprocess.cuda import preprocess_cuda

    engine = open_module(Yolo(), NETWORK, EngineOptions(device="cuda", input_size=_SIZE))
    slots = slot_engine(engine)
    if slots is None:
        raise HeadraceError("the network does not run on a GPU here; see headrace doctor")
    frames = _resident_frames(batch)
    done: Counter[int] = Counter()
    end = threading.Event()

    def work(number: int) -> None:
        while not end.is_set():
            with slots.slot(batch, _SIZE) as slot:
                preprocess_cuda(frames, slot.input, PreprocessOptions())
                slot.run()
            done[number] += batch

    threads = [threading.Thread(target=work, args=(number,)) for number in range(engine.concurrency)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(2 * _WARM)
        before, began = done.total(), time.perf_counter()
        time.sleep(seconds)
        return (done.total() - before) / (time.perf_counter() - began)
    finally:
        end.set()
        for thread in threads:
            thread.join()
        engine.close()


def _resident_frames(count: int) -> list[Any]:
    """Frames of 1920x1080 with noise, in the GPU's memory."""
    import torch

    from headrace.frames import Frame
    from headrace.frames.cuda import CudaPlane

    frames = []
    for _ in range(count):
        planes = []
        for shape in ((1080, 1920), (540, 960, 2)):
            tensor = torch.randint(0, 255, shape, dtype=torch.uint8, device="cuda")
            planes.append(
                CudaPlane(tensor.data_ptr(), shape, tensor.stride(), 0, tensor, lambda t=tensor: t.cpu().numpy())
            )
        frames.append(Frame("NV12", 1920, 1080, tuple(planes)))  # type: ignore[arg-type]
    return frames


@contextmanager
def _long_clip(clip: Path, seconds: float) -> Iterator[Path]:
    """The clip again and again in one file, until it lasts so long; not encoded again."""
    import tempfile

    length = _seconds(clip)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "long.mp4"
        copies = range(int(seconds / length) + 1)
        inputs = " ".join(f"{_DEMUX.format(clip=clip)} ! queue ! all." for _ in copies)
        pipeline = Gst.parse_launch(f"{inputs} concat name=all ! h264parse ! mp4mux ! filesink location={target}")
        pipeline.set_state(Gst.State.PLAYING)
        kinds = Gst.MessageType.EOS | Gst.MessageType.ERROR
        message = pipeline.get_bus().timed_pop_filtered(int(_START * Gst.SECOND), kinds)
        pipeline.set_state(Gst.State.NULL)
        if message is None or message.type == Gst.MessageType.ERROR:
            why = "it took too long" if message is None else message.parse_error()[0].message
            raise PipelineError(f"the clip cannot be repeated: {why}", str(clip), "")
        yield target


def _seconds(clip: Path) -> float:
    pipeline = Gst.parse_launch(f"{_DEMUX.format(clip=clip)} ! fakesink")
    pipeline.set_state(Gst.State.PAUSED)
    pipeline.get_state(int(_START * Gst.SECOND))
    known, length = pipeline.query_duration(Gst.Format.TIME)
    pipeline.set_state(Gst.State.NULL)
    if not known or length <= 0:
        raise PipelineError("the clip's length is not known; give an H.264 clip in MP4", str(clip), "")
    return float(length / Gst.SECOND)


def _gpu_used() -> float:
    """MiB of the GPU's memory that are in use, by whomever."""
    import torch

    free, total = torch.cuda.mem_get_info()
    return float(total - free) / _MIB
