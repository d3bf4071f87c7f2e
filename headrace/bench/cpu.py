"""Headrace against a loop written by hand, and against the limits of the machine, on its CPU."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import headrace
from headrace.bench.clips import bench_clip
from headrace.bench.comparison import Aim, Comparison, Plan, compare
from headrace.bench.hollow import hollow_onnx
from headrace.bench.playing import Play
from headrace.bench.rounds import Contender
from headrace.bench.yolo import yolo_onnx
from headrace.infer.engines.cache import cache_folder

PEERS = Path(__file__).parent / "peers"
_SQUARE = (640, 640)
#: An engine without threads of its own, which would count as Headrace's cost.
_QUIET = "engine=onnxruntime threads=1"
#: Least ratios: to the loop with the same settings, of tracking and messages, and of the defaults to the square loop.
_SAME, _EVENTS, _DEFAULTS = 0.97, 0.97, 1.5


@dataclass(frozen=True)
class CpuOptions:
    """What is measured.

    Attributes:
        model: A detector with YOLOv8's outputs and open sides; ``None``: one of YOLO11n's shape is made.
        clip: A video file; ``None``: one is rendered.
        streams: Numbers of streams.
        sizes: Widths and heights of the network's input.
        precisions: ``f32``, ``bf16``.
        repeats: Rounds.
        seconds: How long each run is measured.
        work: Folder for clip and model; ``None``: the user's cache.
        engine: ``openvino`` or ``onnxruntime``; empty: OpenVINO where it is installed.
    """

    model: Path | None = None
    clip: Path | None = None
    streams: Sequence[int] = (1, 4, 8)
    sizes: Sequence[tuple[int, int]] = ((640, 640), (640, 384), (320, 320))
    precisions: Sequence[str] = ("f32", "bf16")
    repeats: int = 3
    seconds: float = 3.0
    work: Path | None = None
    engine: str = ""

    def chosen_engine(self) -> str:
        """The engine that both sides use."""
        found = importlib.util.find_spec("openvino") is not None
        return self.engine or ("openvino" if found else "onnxruntime")

    def files(self) -> tuple[Path, Path]:
        """Model and clip, made where they are not there."""
        folder = cache_folder("bench") if self.work is None else self.work
        folder.mkdir(parents=True, exist_ok=True)
        model = self.model or yolo_onnx(folder / "yolo11n_shaped.onnx", open_size=True)
        return model.absolute(), (self.clip or bench_clip(folder)).absolute()


def cpu_speed(options: CpuOptions, progress: Callable[[str], None] = lambda text: None) -> list[Comparison]:
    """Measure all combinations of streams, sizes and precisions; then the defaults and Headrace's own cost.

    Raises:
        PipelineError: The clip cannot be rendered.
    """
    return [compare(plan, options.repeats, options.seconds, progress) for plan in plans(options)]


def plans(options: CpuOptions) -> Iterator[Plan]:
    """What `cpu_speed` compares."""
    makers = Makers(*options.files(), options.chosen_engine())
    known = ("f32", "bf16") if makers.engine == "openvino" else ("f32",)
    for streams in options.streams:
        for size in options.sizes:
            for precision in (one for one in options.precisions if one in known):
                yield _same(makers, streams, size, precision)
        yield _defaults(makers, streams, known[-1])
        yield _cost(makers, streams)


def _same(makers: Makers, streams: int, size: tuple[int, int], precision: str) -> Plan:
    settings = f"engine={makers.engine} input-size={size[0]}x{size[1]} precision={precision}"
    contenders = [
        makers.play("decoding alone", streams, "decode"),
        makers.expert("preprocessing and model alone", streams, size, precision, "model"),
        makers.expert("loop by hand", streams, size, precision),
        makers.play("Headrace", streams, "infer", settings),
        makers.play("Headrace, tracker, messages", streams, "events", settings),
    ]
    aims = {
        "Headrace": Aim("loop by hand", _SAME),
        "Headrace, tracker, messages": Aim("Headrace", _EVENTS),
        "loop by hand": Aim("preprocessing and model alone"),
    }
    title = f"{_count(streams)}, {size[0]}x{size[1]}, {precision}, {makers.engine}"
    peaks = ("Headrace", "Headrace, tracker, messages") if streams == 4 else ()
    return Plan(title, contenders, aims, peak_aims=peaks)


def _defaults(makers: Makers, streams: int, precision: str) -> Plan:
    loop = f"loop by hand, square, {precision}"
    contenders = [
        makers.expert(loop, streams, _SQUARE, precision),
        makers.play("Headrace, defaults", streams, "infer"),
        makers.play("Headrace, defaults, tracker, messages", streams, "events"),
    ]
    aims = {
        "Headrace, defaults": Aim(loop, _DEFAULTS),
        "Headrace, defaults, tracker, messages": Aim("Headrace, defaults", _EVENTS),
    }
    peaks = [one.name for one in contenders[1:]] if streams == 4 else ()
    return Plan(f"{_count(streams)}, Headrace with its defaults", contenders, aims, peak_aims=peaks)


def _cost(makers: Makers, streams: int) -> Plan:
    """A model that costs nothing: the model's own time would hide what is looked for."""
    hollow = Makers(hollow_onnx(makers.model.parent / "hollow.onnx"), makers.clip, "onnxruntime")
    size = (640, 384)
    contenders = [
        hollow.play("decoding", streams, "decode"),
        hollow.play("preprocessing, empty model, suppression", 1, "model", _QUIET),
        hollow.play("pipeline", streams, "infer", _QUIET),
        hollow.play("pipeline, threads as usual", streams, "infer", "engine=onnxruntime"),
        hollow.expert("the same work of the loop by hand", 1, size, "f32", "model"),
        hollow.expert("loop by hand", streams, size, "f32"),
    ]
    decode, work, pipeline, _, loop_work, loop = (one.name for one in contenders)
    costs = {"Headrace": (pipeline, decode, work), "the loop by hand": (loop, decode, loop_work)}
    return Plan(f"{_count(streams)}, a model that costs nothing", contenders, costs=costs)


@dataclass(frozen=True)
class Makers:
    """Makes contenders for one model and clip."""

    model: Path
    clip: Path
    engine: str

    def expert(
        self, name: str, streams: int, size: tuple[int, int], precision: str, work: str = "all"
    ) -> Contender:
        """The loop by hand."""
        job = {
            "clip": str(self.clip), "streams": streams, "model": str(self.model), "size": size,
            "precision": precision, "engine": self.engine, "work": work,
        }  # fmt: skip
        return Contender(name, [sys.executable, str(PEERS / "expert.py"), json.dumps(job)])

    def play(self, name: str, streams: int, work: str, settings: str = "") -> Contender:
        """Headrace."""
        play = json.dumps(asdict(Play(str(self.clip), streams, str(self.model), work, settings)))
        command = [sys.executable, "-m", "headrace.bench.playing", play]
        # Where this very package is, wherever the program is started.
        roots = [str(Path(headrace.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
        return Contender(name, command, {"PYTHONPATH": os.pathsep.join(filter(None, roots))})


def _count(streams: int) -> str:
    return f"{streams} stream{'s' if streams != 1 else ''}"
