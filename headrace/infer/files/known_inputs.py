"""Models with inputs besides the image: those whose values are known by their names are filled in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ModelError
from headrace.infer.engines import Engine, ModelGraph
from headrace.infer.engines.base import TensorSpec, numpy_dtype

_AXES = 4
#: Value of one row, by width and height of the network's input: frames have that size already, boxes come out in it.
_KNOWN: Mapping[str, Callable[[int, int], Any]] = {
    "orig_target_sizes": lambda width, height: (width, height),  # RT-DETR, D-FINE, DEIM
    "im_shape": lambda width, height: (height, width),  # PaddleDetection
    "scale_factor": lambda width, height: (1, 1),  # PaddleDetection: y, x
    "pixel_mask": lambda width, height: np.ones(
        (height, width)
    ),  # DETR of Hugging Face: everything is picture
}


def image_graph(graph: ModelGraph) -> ModelGraph:
    """The graph with its image before its other inputs; one picture alone looks as if it were a batch of one.

    Raises:
        ModelError: It takes no images, or something else that is not known.
    """
    images = tuple(spec for spec in graph.inputs if spec.name not in _KNOWN)
    if len(images) == 1 and len(images[0].shape) == _AXES - 1:
        images = (replace(images[0], shape=(1, *images[0].shape)),)
    if len(images) != 1 or len(images[0].shape) != _AXES:
        raise ModelError(
            f"{graph.path} takes {', '.join(map(str, graph.inputs)) or 'no input'}; only models with one input, a "
            f"batch of images (four axes) or an image (three), can be fed from frames, besides {', '.join(_KNOWN)}: "
            "write a Python model for it"
        )
    return replace(graph, inputs=(*images, *(spec for spec in graph.inputs if spec.name in _KNOWN)))


def with_known_inputs(engine: Engine, size: tuple[int, int]) -> Engine:
    """The engine itself if the image is its only input, else one that fills in the others.

    Args:
        engine: Its graph passes `image_graph`.
        size: Width and height of the network's input.
    """
    return engine if len(engine.graph.inputs) == 1 else _Filled(engine, size)


class _Filled:
    """An engine that seems to take the image alone; everything else is as it was."""

    def __init__(self, engine: Engine, size: tuple[int, int]) -> None:
        self._engine = engine
        self.graph = replace(engine.graph, inputs=image_graph(engine.graph).inputs[:1])
        self._rows = {spec.name: _row(spec, size) for spec in engine.graph.inputs if spec.name in _KNOWN}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """See `Engine.run`."""
        (image,) = inputs.values()
        known = {name: np.repeat(row, len(image), axis=0) for name, row in self._rows.items()}
        return self._engine.run({**inputs, **known})


def _row(spec: TensorSpec, size: tuple[int, int]) -> NDArray[Any]:
    row = np.array(_KNOWN[spec.name](*size), numpy_dtype(spec.dtype))
    shape = tuple(wanted or have for wanted, have in zip(spec.shape[1:], row.shape, strict=False))
    return np.resize(row, shape)[None]
