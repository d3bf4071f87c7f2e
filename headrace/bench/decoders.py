"""What it costs to read a model's outputs: each family on made-up tensors."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.bench.layouts import LAYOUTS, Layout
from headrace.bench.statistics import Spread
from headrace.infer.decoders import BoxDecoder, DecodeOptions, Decoder, known_decoders
from headrace.infer.decoders.base import Outputs, PictureDecoder
from headrace.infer.engines import ModelGraph, TensorSpec
from headrace.infer.nms import suppress

#: Boxes of a frame that reach the confidence.
CANDIDATES = 300
_NS_PER_US = 1e3
_LEAST = 0.05  # seconds of one measurement
_CLASSES = 15  # whole numbers stay below
_STEPS = 30  # of halving, in the search for the confidence


@dataclass(frozen=True, slots=True)
class DecoderCost:
    """The cost of one family.

    Attributes:
        decoder: Its name.
        batch_size: Frames of a batch.
        candidates: Boxes of a frame that reached the confidence, 0 where the family finds none.
        decode: CPU microseconds of a frame for the candidates, or for the whole result of a family without boxes.
        whole: The same with suppression and masks.
    """

    decoder: str
    batch_size: int
    candidates: int
    decode: Spread
    whole: Spread


def decoder_costs(
    batch_sizes: Sequence[int], repeats: int = 5, progress: Callable[[str], object] = str
) -> list[DecoderCost]:
    """Measure every decoder of the registry on NumPy's arrays.

    Families whose outputs have no batch axis are given one frame at a time, whatever the batch size.

    Args:
        batch_sizes: Frames of a batch.
        repeats: Measurements; one more before them warms up and is not counted.
        progress: Told the name of each decoder.
    """
    costs = []
    for name, decoder in sorted(known_decoders().items()):
        progress(f"decoder {name}")
        costs += [_cost(decoder, LAYOUTS[name], size, repeats) for size in batch_sizes]
    return costs


def outputs_of(layout: Layout, frames: int) -> dict[str, NDArray[Any]]:
    """Tensors of a batch: random numbers of 0–1, whole ones below the number of classes."""
    random = np.random.default_rng(7)
    tensors: dict[str, NDArray[Any]] = {}
    for name, shape in layout.outputs.items():
        if name.endswith("*"):
            tensors[name[:-1]] = random.integers(1, _CLASSES, (frames, *shape))
        else:
            tensors[name] = random.random((frames, *shape), np.float32)
    for name, columns in layout.whole.items():
        for column, bounds in columns.items():
            part = tensors[name][..., column]
            part[...] = random.integers(*bounds, part.shape)
    for name, first in layout.corners.items():
        tensors[name][..., first + 2 : first + 4] += tensors[name][..., first : first + 2]
    return tensors


def _graph(layout: Layout) -> ModelGraph:
    image = TensorSpec("images", (None, 3, layout.size[1], layout.size[0]), "float32")
    outputs = tuple(
        TensorSpec(name.rstrip("*"), (None, *shape), "") for name, shape in layout.outputs.items()
    )
    return ModelGraph("bench.onnx", (image,), outputs, layout.metadata)


def _cost(decoder: Decoder, layout: Layout, batch_size: int, repeats: int) -> DecoderCost:
    frames = batch_size if decoder.batched(_graph(layout)) else 1
    outputs = outputs_of(layout, frames)
    options = DecodeOptions(0.5, *layout.size, metadata=layout.metadata)
    if isinstance(decoder, PictureDecoder):
        picture = decoder
        spent = _spread(lambda: picture.results(outputs, options), frames, repeats)
        return DecoderCost(decoder.name, batch_size, 0, spent, spent)
    if not isinstance(decoder, BoxDecoder):
        raise TypeError(f"decoder {decoder.name} is neither a BoxDecoder nor a PictureDecoder")
    box = decoder
    options = _with_candidates(box, outputs, options, frames)
    count = round(len(box.decode(outputs, options)) / frames)
    decode = _spread(lambda: box.decode(outputs, options).numpy(), frames, repeats)
    whole = _spread(lambda: _whole(box, outputs, options, frames), frames, repeats)
    return DecoderCost(decoder.name, batch_size, count, decode, whole)


def _whole(decoder: BoxDecoder, outputs: Outputs, options: DecodeOptions, frames: int) -> None:
    found = decoder.decode(outputs, options).numpy()
    kept = suppress(found, 0.45, "class" if decoder.overlapping else "none")
    decoder.complete(kept, outputs, options).split(frames)


def _with_candidates(
    decoder: BoxDecoder, outputs: Outputs, options: DecodeOptions, frames: int
) -> DecodeOptions:
    """The options with the confidence that leaves as many candidates as there should be, or all there are."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        options = replace(options, confidence=(low + high) / 2)
        if len(decoder.decode(outputs, options)) > CANDIDATES * frames:
            low = options.confidence
        else:
            high = options.confidence
    return replace(options, confidence=high)


def _spread(work: Callable[[], object], frames: int, repeats: int) -> Spread:
    """CPU microseconds for a frame."""
    work()
    rounds = max(1, int(_LEAST / max(_seconds(work, 1), 1e-6)))
    return Spread.of([_seconds(work, rounds) / frames * 1e9 / _NS_PER_US for _ in range(repeats)])


def _seconds(work: Callable[[], object], rounds: int) -> float:
    """CPU seconds of all threads for one call."""
    started = time.process_time_ns()
    for _ in range(rounds):
        work()
    return (time.process_time_ns() - started) / rounds / 1e9
