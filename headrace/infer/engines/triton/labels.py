"""Class names that a server knows.

Triton tells names of classes only with results (its classification extension): one request that asks for all classes of
an output gives them all. Source: https://docs.nvidia.com/deeplearning/triton-inference-server, "Classification
Extension".
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ModelError
from headrace.infer.engines.base import ModelGraph, TensorSpec, numpy_dtype
from headrace.infer.engines.triton.protocol import ServerError
from headrace.infer.engines.triton.tensors import Tensor

_log = logging.getLogger(__name__)
_NAMES = "names"
_MOST = 100_000
_Infer = Callable[[Mapping[str, Tensor], Mapping[str, int]], dict[str, NDArray[Any]]]


def with_labels(graph: ModelGraph, config: Mapping[str, Any], infer: _Infer) -> ModelGraph:
    """The graph with the class names in its metadata, where the server's configuration has a label file.

    Names in the configuration's ``parameters`` are taken first. An output of one value for each class is run once on
    zeros; where that fails, the log says so, and the graph has no names.

    Args:
        graph: The model.
        config: Triton's configuration; may be empty.
        infer: Runs the model; see `headrace.infer.engines.triton.protocol.Transport.infer`.
    """
    if _NAMES in graph.metadata:
        return graph
    labelled = {str(one.get("name")) for one in config.get("output") or () if one.get("label_filename")}
    output = next((spec for spec in graph.outputs if spec.name in labelled and _classes(spec)), None)
    if output is None:
        return graph
    try:
        zeros = {spec.name: Tensor(_zeros(spec)) for spec in graph.inputs}
        texts = infer(zeros, {output.name: _classes(output)})[output.name]
        names = _names(texts.ravel()[: _classes(output)])
    except (ServerError, ModelError, ValueError, LookupError) as error:
        _log.warning("%s: the names of the classes cannot be had from the server: %s", graph.path, error)
        return graph
    return replace(graph, metadata={**graph.metadata, _NAMES: repr(names)})


def _classes(spec: TensorSpec) -> int:
    """Number of classes of an output of class scores; 0 for other outputs."""
    rows, *rest = spec.shape or (None,)
    sizes = [size for size in rest if size != 1] or [rows if not rest else 0]
    count = sizes[0] or 0 if len(sizes) == 1 else 0
    return count if count <= _MOST else 0


def _zeros(spec: TensorSpec) -> NDArray[Any]:
    """An input of zeros, with one row.

    Raises:
        ModelError: The size of a row is open, or it is no input of numbers.
    """
    if None in spec.shape[1:]:
        raise ModelError(f"input {spec} has an open size")
    return np.zeros([size or 1 for size in spec.shape], numpy_dtype(spec.dtype))


def _names(texts: NDArray[Any]) -> list[str]:
    """Names in order of their classes, from texts ``value:index:name``.

    Raises:
        ValueError: A text is of another form, or a class is missing.
        LookupError: As above.
    """
    fields = [bytes(text).decode(errors="replace").split(":", 2) for text in texts]
    by_number = {int(field[1]): field[2] if len(field) > 2 else f"class {field[1]}" for field in fields}
    return [by_number[number] for number in range(len(by_number))]
