"""Pictures a second: a classifier on objects and a detector on tiles, against a plain loop that takes one by one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.bench.statistics import Spread
from headrace.frames import Frame
from headrace.infer import FileModel, FrameBatch, InferOptions, InferStage, class_aware_nms, load_model
from headrace.infer.engines import run_batch
from headrace.infer.targets.listing import Targets, objects, tiled, whole_frames
from headrace.infer.targets.merging import MergeOptions, merge
from headrace.infer.targets.tiles import TileOptions
from headrace.meta import Detections

_MODELS = Path(__file__).parents[1] / "models"
#: Frames in a batch, each of another source.
_FRAMES = 4
_OBJECTS = (1, 4, 16)
_LARGE = TileOptions((640, 640), 0.2)
#: Most pictures in a call of the model: small ones gain by large batches, large ones lose by them on a CPU.
_OBJECT_BATCH, _TILE_BATCH = 16, 4

Call = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Throughput:
    """One case.

    Attributes:
        case: What is looked at.
        pictures: Pictures in a batch of four frames.
        packed: Pictures a second by the stage of hrinfer.
        plain: Pictures a second by the plain loop.
        ratio: Of the two, round by round.
    """

    case: str
    pictures: int
    packed: Spread
    plain: Spread
    ratio: Spread


def secondary_throughput(repeats: int = 5, threads: int = 0, seconds: float = 0.5) -> list[Throughput]:
    """Measure a classifier of 224x224 on objects of 1080p frames, and a detector on tiles of 4K frames.

    Both ways have the same engine. The plain loop converts each frame to RGB, crops, scales with OpenCV and runs the
    model on one picture after the other.

    Args:
        repeats: Rounds; in each the two ways take turns, one more before them warms up and is not counted.
        threads: Threads of the engine, 0 for its own choice.
        seconds: What one measurement takes at least.
    """
    classifier = load_model(_MODELS / "vehicle_type.onnx", InferOptions(threads=threads))
    detector = load_model(_MODELS / "demo.onnx", InferOptions(threads=threads, input_size=(640, 640)))
    try:
        cases = [_classified(classifier, number) for number in _OBJECTS] + [_tiled(detector)]
        return [_measured(*case, repeats, seconds) for case in cases]
    finally:
        classifier.close()
        detector.close()


def _classified(model: Any, number: int) -> tuple[str, int, Call, Call]:
    frames, sizes = _pictures(1920, 1080)
    frame = np.repeat(np.arange(_FRAMES), number)
    rng = np.random.default_rng(number)
    sides = rng.uniform(60, 300, (len(frame), 2))
    ltwh = np.hstack([rng.uniform(0, 1, sides.shape) * (sizes[frame] - sides), sides]).astype(np.float32)
    targets = objects(frame, np.arange(len(frame)), ltwh)
    packed = _stage(model, frames, targets, sizes, _OBJECT_BATCH)
    plain = _one_by_one(model, frames, targets)
    return f"objects of 1080p frames, {number} in each", len(targets), packed, plain


def _tiled(model: Any) -> tuple[str, int, Call, Call]:
    frames, sizes = _pictures(3840, 2160)
    targets = tiled(whole_frames(sizes), _LARGE)
    run = _stage(model, frames, targets, sizes, _TILE_BATCH)

    def packed() -> object:
        return merge([result.detections for result in run()], targets.frame, MergeOptions())

    return "tiles of 640x640 of 4K frames", len(targets), packed, _tile_by_tile(model, frames, targets)


def _pictures(width: int, height: int) -> tuple[list[Frame], NDArray[np.float32]]:
    """NV12 frames with something in them, and their sizes."""
    rng = np.random.default_rng(width)
    luma = cv2.resize(rng.integers(0, 255, (height // 60, width // 60), np.uint8), (width, height))
    chroma = np.full((height // 2, width // 2, 2), 128, np.uint8)
    planes = [(np.roll(luma, 40 * number, axis=1), chroma) for number in range(_FRAMES)]
    frames = [Frame("NV12", width, height, (np.asarray(one), other)) for one, other in planes]
    return frames, np.array([(width, height)] * _FRAMES, np.float32)


def _stage(
    model: Any, frames: Sequence[Frame], targets: Targets, sizes: NDArray[np.float32], batch: int
) -> Callable[[], Sequence[Any]]:
    stage = InferStage(model, InferOptions(batch_size=batch))
    return lambda: stage.run([frames[index] for index in targets.frame], targets.regions(sizes))


def _one_by_one(model: FileModel, frames: Sequence[Frame], targets: Targets) -> Call:
    """What is written first: crop, scale, normalise, run, take the best class."""
    options = model.network.options
    mean, std = np.array(options.mean, np.float32), np.array(options.std, np.float32)
    size = model.network.width, model.network.height

    def run() -> object:
        found = []
        for picture in _crops(frames, targets):
            scaled = cv2.resize(picture, size).astype(np.float32)
            tensor = ((scaled * options.scale - mean) / std).transpose(2, 0, 1)[None]
            (scores,) = run_batch(model._engine, np.ascontiguousarray(tensor)).values()
            found.append(int(scores.argmax()))
        return found

    return run


def _tile_by_tile(model: FileModel, frames: Sequence[Frame], targets: Targets) -> Call:
    """Tile after tile, then one suppression for each frame."""

    def run() -> object:
        found: list[list[Any]] = [[] for _ in frames]
        rows = zip(_crops(frames, targets), targets.frame.tolist(), targets.xyxy, strict=True)
        for picture, index, box in rows:
            (result,) = model.results(FrameBatch([Frame.from_array(np.ascontiguousarray(picture), "RGB")]))
            if result.detections is not None:
                result.detections.xyxy += np.tile(box[:2], 2)
                found[index].append(result.detections)
        return [class_aware_nms(Detections.joined(parts), 0.5) for parts in found]

    return run


def _crops(frames: Sequence[Frame], targets: Targets) -> list[NDArray[np.uint8]]:
    """RGB pictures of all targets; each frame is converted once."""
    pictures = [
        np.asarray(cv2.cvtColorTwoPlane(frame.planes[0], frame.planes[1], cv2.COLOR_YUV2RGB_NV12), np.uint8)
        for frame in frames
    ]
    boxes = targets.xyxy.astype(int).tolist()
    pairs = zip(targets.frame.tolist(), boxes, strict=True)
    return [pictures[index][top:bottom, left:right] for index, (left, top, right, bottom) in pairs]


def _measured(
    case: str, pictures: int, packed: Call, plain: Call, repeats: int, seconds: float
) -> Throughput:
    rounds = range(repeats + 1)
    rates = [(_rate(packed, pictures, seconds), _rate(plain, pictures, seconds)) for _ in rounds][1:]
    ours, theirs = zip(*rates, strict=True)
    return Throughput(
        case, pictures, Spread.of(ours), Spread.of(theirs), Spread.of([one / other for one, other in rates])
    )


def _rate(call: Call, pictures: int, seconds: float) -> float:
    runs, passed, started = 0, 0.0, time.perf_counter()
    while not runs or passed < seconds:
        call()
        runs += 1
        passed = time.perf_counter() - started
    return runs * pictures / passed
