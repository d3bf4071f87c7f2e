"""Feeding a batch of any size to a model, whatever batch size its graph was exported with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ModelError
from headrace.infer.engines.base import Engine


def run_batch(engine: Engine, tensor: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Run a model with one input on ``n`` rows and return ``n`` rows of every output.

    A graph with an open batch axis runs once; one with a fixed batch ``b`` runs on slices of ``b`` rows.
    Where the last slice is short it is filled up with its own first row, and what comes of that is cut off.

    Raises:
        ModelError: An output does not have one row for each input row, or the run failed.
    """
    (spec,) = engine.graph.inputs
    size = spec.shape[0] or len(tensor)
    if size == len(tensor):
        return _checked(engine, engine.run({spec.name: tensor}), size)
    parts = []
    for start in range(0, len(tensor), size):
        rows = tensor[start : start + size]
        missing = size - len(rows)
        full = np.concatenate([rows, np.repeat(rows[:1], missing, axis=0)]) if missing else rows
        outputs = _checked(engine, engine.run({spec.name: full}), size)
        parts.append({name: array[: len(rows)] for name, array in outputs.items()})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def run_each(engine: Engine, tensor: NDArray[Any]) -> Iterator[dict[str, NDArray[Any]]]:
    """Run a model whose outputs have no batch axis on one picture after the other.

    Args:
        engine: Takes a batch of one picture, or a picture without a batch axis.
        tensor: ``n`` pictures.

    Returns:
        The outputs of each, with a first axis of one entry.

    Raises:
        ModelError: The run failed.
    """
    (spec,) = engine.graph.inputs
    for row in range(len(tensor)):
        picture = tensor[row] if len(spec.shape) < tensor.ndim else tensor[row : row + 1]
        yield {name: array[None] for name, array in engine.run({spec.name: picture}).items()}


def _checked(engine: Engine, outputs: dict[str, NDArray[Any]], rows: int) -> dict[str, NDArray[Any]]:
    for name, array in outputs.items():
        if array.ndim == 0 or len(array) != rows:
            raise ModelError(
                f"{engine.graph.path}: output {name} has shape {array.shape} for a batch of {rows}; its "
                "first axis must be the batch: export the model so, or with batch size 1"
            )
    return outputs
