"""Feeding a batch of any size to a model, whatever batch size its graph was exported with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from array_api_compat import array_namespace

from headrace.errors import ModelError
from headrace.infer.engines.base import Array, Engine


def run_batch(engine: Engine, tensor: Array) -> dict[str, Array]:
    """Run a model with one input on ``n`` rows and return ``n`` rows of every output.

    Args and errors are those of `run_slices`, whose parts are joined.
    """
    parts = run_slices(engine, tensor)
    if len(parts) == 1:
        return parts[0]
    xp = array_namespace(tensor)
    return {name: xp.concat([part[name] for part in parts]) for name in parts[0]}


def run_slices(engine: Engine, tensor: Array) -> list[dict[str, Array]]:
    """Run a model with one input on ``n`` rows, in as many runs as its batch size asks for.

    A graph with an open batch axis runs once, or on slices of ``engine.rows``; one with a fixed batch ``b`` runs on
    slices of ``b`` rows. Several run at a time where the engine gains by that. Where the last slice is short it is
    filled up with its own first row, and what comes of that is cut off.

    Args:
        engine: A model with one input.
        tensor: ``n`` rows, as NumPy array or as a tensor that the engine takes.

    Returns:
        What each run gave, together ``n`` rows of every output, as arrays of the tensor's library on its device.
        Their other axes may differ from run to run where the graph leaves them open.

    Raises:
        ModelError: An output does not have one row for each input row, or the run failed.
    """
    (spec,) = engine.graph.inputs
    rows = tensor.shape[0]
    size = spec.shape[0] or min(engine.rows or rows, rows)
    if size == rows:
        return [_checked(engine, engine.run({spec.name: tensor}), size)]
    xp = array_namespace(tensor)

    def run(part: Array) -> dict[str, Array]:
        have = part.shape[0]
        full = part if have == size else xp.concat([part, *[part[:1]] * (size - have)])
        outputs = _checked(engine, engine.run({spec.name: full}), size)
        return {name: array[:have] for name, array in outputs.items()}

    at_once = engine.concurrency > 1 and rows > size
    return list((_threads().map if at_once else map)(run, _slices(tensor, size)))


def run_each(engine: Engine, tensor: Array) -> Iterator[dict[str, Array]]:
    """Run a model whose outputs have no batch axis on one picture after the other.

    Args:
        engine: Takes a picture without a batch axis, or batches; where those have a fixed size it gets the picture
            that many times.
        tensor: ``n`` pictures.

    Returns:
        The outputs of each, with a first axis of one entry.

    Raises:
        ModelError: The run failed.
    """
    (spec,) = engine.graph.inputs
    for row in range(tensor.shape[0]):
        if len(spec.shape) < tensor.ndim:
            picture = tensor[row]
        else:
            same = [tensor[row : row + 1]] * (spec.shape[0] or 1)
            picture = array_namespace(tensor).concat(same) if len(same) > 1 else same[0]
        yield {name: array[None] for name, array in engine.run({spec.name: picture}).items()}


def _slices(tensor: Array, size: int) -> Iterator[Array]:
    return (tensor[start : start + size] for start in range(0, tensor.shape[0], size))


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    """Threads that wait for engines; shared by all of them."""
    return ThreadPoolExecutor(len(os.sched_getaffinity(0)), "hr-slices")


def _checked(engine: Engine, outputs: dict[str, Array], rows: int) -> dict[str, Array]:
    for name, array in outputs.items():
        if array.ndim == 0 or array.shape[0] != rows:
            raise ModelError(
                f"{engine.graph.path}: output {name} has shape {tuple(array.shape)} for a batch of {rows}; its "
                "first axis must be the batch: export the model so, or with batch size 1"
            )
    return outputs
