"""What can go wrong in every engine, in the same words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ConfigError, ModelError
from headrace.infer.engines.base import Array, EngineOptions, ModelGraph, TensorSpec

_OPERATOR = re.compile(
    r"not a registered function/op|No Op registered|No conversion rule found|Unknown builtin op|No operator|"
    r"unsupported operator|has no implementation|NOT_IMPLEMENTED",
    re.IGNORECASE,
)


def describe(name: str, array: Array) -> str:
    """An array as `TensorSpec` writes one.

    Example:
        >>> import numpy as np
        >>> describe("images", np.zeros((1, 3)))
        'images float64[1, 3]'
    """
    return str(TensorSpec(name, tuple(array.shape), _dtype(array)))


def check_inputs(graph: ModelGraph, inputs: Mapping[str, Array]) -> None:
    """See that arrays are what a graph takes.

    Raises:
        ModelError: A missing or unknown name, another number type, or a shape that does not fit.
    """
    wanted = {spec.name: spec for spec in graph.inputs}
    if inputs.keys() == wanted.keys() and all(_fits(wanted[name], array) for name, array in inputs.items()):
        return
    given = ", ".join(describe(name, array) for name, array in inputs.items()) or "nothing"
    raise ModelError(f"{graph.path} was given {given}; it takes {', '.join(map(str, graph.inputs))}")


def arrays_of(graph: ModelGraph, inputs: Mapping[str, Array]) -> list[NDArray[Any]]:
    """Inputs as NumPy arrays in the graph's order, for engines that take nothing else; not copied.

    Raises:
        ModelError: As for `check_inputs`, or a tensor lies in a device's memory.
    """
    check_inputs(graph, inputs)
    try:
        return [np.asarray(inputs[spec.name]) for spec in graph.inputs]
    except (TypeError, RuntimeError) as error:
        raise ModelError(
            f"{graph.path} was given tensors that are not in the main memory; move them there, or use an engine that "
            f"runs where they are: {error}"
        ) from error


def _fits(spec: TensorSpec, array: Array) -> bool:
    return (
        len(spec.shape) == len(array.shape)
        and all(want in (None, have) for want, have in zip(spec.shape, array.shape, strict=True))
        and _dtype(array) == spec.dtype
    )


def _dtype(array: Array) -> str:
    return str(array.dtype).removeprefix("torch.")


def cannot_load(model: str, library: str, reason: object) -> ModelError:
    """The error for a file that a library refuses; an operator that is missing has a remedy of its own."""
    text = str(reason).strip()
    remedy = "copy the file again, or export it again for this version"
    if "external data" in text.lower():
        remedy = "its weights lie in a second file that belongs beside it, under the name that it was exported with"
    elif _OPERATOR.search(text):
        remedy = "an operator is missing there: name another engine, or export without it"
    return ModelError(f"model file {model} cannot be loaded by {library}: {text.rstrip('.')}; {remedy}")


def run_failed(graph: ModelGraph, library: str, inputs: Mapping[str, Array], reason: object) -> ModelError:
    """The error for a run that a library gave up."""
    given = ", ".join(describe(name, array) for name, array in inputs.items())
    return ModelError(f"{graph.path} failed on {given} in {library}: {str(reason).strip()}")


def closed(graph: ModelGraph) -> ModelError:
    """The error for a run after the end."""
    return ModelError(f"model {graph.path} is closed; load it again")


def refuse_device(engine: str, options: EngineOptions, known: Sequence[str]) -> ConfigError:
    """The error for a device that an engine does not run on."""
    return ConfigError(
        f"device={options.device}: engine {engine} runs on {', '.join(known)} here; name one of them or another engine"
    )


def refuse_precision(engine: str, options: EngineOptions, device: str, known: Sequence[str]) -> ConfigError:
    """The error for a number type that an engine cannot compute in on a device."""
    return ConfigError(
        f"precision={options.precision}: engine {engine} computes in {', '.join(known)} on {device}; "
        "use one of them, or auto"
    )
