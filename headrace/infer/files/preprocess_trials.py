"""One model, one picture, every usual preprocessing: which of them does the model like best?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np

from headrace.errors import ModelError
from headrace.frames import Frame, to_bgr
from headrace.infer.batch import FrameBatch
from headrace.infer.files.file_model import FileModel
from headrace.infer.files.model_file import ModelFile
from headrace.infer.options import InferOptions
from headrace.infer.preprocess import IMAGENET_RGB, PreprocessOptions
from headrace.infer.result import Result
from headrace.meta.boxes import pairwise_iou

#: Overlap of a box and its mirror image above which they show the same object.
_SAME = 0.5
_GREY = 128
_PLAIN = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}
_SCALES: dict[str, dict[str, Any]] = {
    "0-1": {"scale": 1 / 255, **_PLAIN},
    "0-255": {"scale": 1.0, **_PLAIN},
    "-1-1": {"scale": 1.0, "mean": (127.5,) * 3, "std": (127.5,) * 3},
    "imagenet": {"scale": 1.0, "mean": IMAGENET_RGB.mean, "std": IMAGENET_RGB.std},
}


@dataclass(frozen=True, slots=True)
class Trial:
    """How a model did with one preprocessing.

    Attributes:
        color: ``RGB`` or ``BGR``.
        values: ``0-1``, ``0-255``, ``-1-1`` or ``imagenet``; ``own`` where what would be used is none of them.
        resize: ``letterbox`` or ``stretch``.
        options: The preprocessing.
        chosen: Whether it is what would be used.
        objects: Number of objects, or of pictures with a label.
        score: Confidence of what is found again in the mirrored picture, less that of what is not, and less that of
            what is found in an empty one. A model that sees what it was trained on is sure of what it finds, and finds
            it in the mirror, too; one that sees something else finds nothing, or anything anywhere.

    Example:
        >>> Trial("RGB", "0-1", "letterbox", PreprocessOptions(), True, 3, 2.5).change
        'color=RGB scale=0.00392157 mean=0,0,0 std=1,1,1 resize=letterbox'
    """

    color: str
    values: str
    resize: str
    options: PreprocessOptions
    chosen: bool
    objects: int
    score: float

    @property
    def change(self) -> str:
        """What to write to have it: see `parse_preprocess`."""
        o = self.options
        mean, std = (",".join(f"{value:g}" for value in values) for values in (o.mean, o.std))
        return f"color={o.color} scale={o.scale:g} mean={mean} std={std} resize={o.resize}"


def try_preprocessing(frames: Sequence[Frame], options: InferOptions) -> list[Trial]:
    """Run a model on pictures in every usual way, the best first.

    Args:
        frames: Pictures with objects that the model knows; one is often enough.
        options: The model file and how it is read.

    Raises:
        ModelError: The file cannot be used at all.
    """
    file = ModelFile.open(options)
    try:
        usual = FileModel(file).network.options
        trials = [_try(file, frames, usual, *way) for way in _ways(usual)]
        if not any(trial.chosen for trial in trials):
            trials.insert(0, _try(file, frames, usual, usual.color, "own", usual.resize))
    finally:
        file.engine.close()
    return sorted(trials, key=lambda trial: -trial.score)


def _ways(usual: PreprocessOptions) -> Iterator[tuple[str, str, str]]:
    colors = ("GRAY",) if usual.color == "GRAY" else ("RGB", "BGR")
    yield from product(colors, _SCALES, ("letterbox", "stretch"))


def _try(
    file: ModelFile, frames: Sequence[Frame], usual: PreprocessOptions, color: str, values: str, resize: str
) -> Trial:
    options = usual
    if values in _SCALES:
        options = usual.changed({"color": color, "resize": resize, **_SCALES[values]})
        if color == "BGR":
            options = replace(options, mean=options.mean[::-1], std=options.std[::-1])
    model = FileModel(file, replace(file.options, preprocess=options))
    mirrored, empty = ([change(frame) for frame in frames] for change in (_mirrored, _empty))
    chosen = (usual.color, usual.resize) == (color, resize) and np.allclose(
        usual.gain_and_bias(), options.gain_and_bias()
    )
    try:
        seen, again, nothing = (model.results(FrameBatch(pictures)) for pictures in (frames, mirrored, empty))
    except ModelError:  # values that the network never saw in training may make outputs that cannot be
        return Trial(color, values, resize, options, chosen, 0, float("-inf"))
    scores = [_agreement(*pair) for pair in zip(seen, again, frames, strict=True)]
    scores += [-sum(one.detections.confidence.tolist()) for one in nothing if one.detections is not None]
    objects = sum(1 if one.detections is None else len(one.detections) for one in seen)
    return Trial(color, values, resize, options, chosen, objects, sum(scores))


def _mirrored(frame: Frame) -> Frame:
    return Frame.from_array(np.ascontiguousarray(to_bgr(frame)[:, ::-1]), "BGR")


def _empty(frame: Frame) -> Frame:
    return Frame.from_array(np.full((frame.height, frame.width, 3), _GREY, np.uint8), "BGR")


def _agreement(seen: Result, mirrored: Result, frame: Frame) -> float:
    """Confidence of what both say, less that of what only one says."""
    if seen.detections is None or mirrored.detections is None:
        ours, theirs = (one.labels[0] if one.labels else None for one in (seen, mirrored))
        if ours is None or theirs is None:
            return 0.0
        return min(ours.prob, theirs.prob) * (1 if ours.class_id == theirs.class_id else -1)
    found, other = seen.detections, mirrored.detections
    boxes = other.xyxy[:, [2, 1, 0, 3]] * (-1, 1, -1, 1) + (frame.width, 0, frame.width, 0)
    overlap = pairwise_iou(found.xyxy, boxes) * (found.class_id[:, None] == other.class_id)
    again = overlap.max(axis=1, initial=0) > _SAME
    return float(np.where(again, found.confidence, -found.confidence).sum())
