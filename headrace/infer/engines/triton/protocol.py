"""The KServe v2 protocol (Open Inference Protocol), as far as HTTP and gRPC have it in common.

Source: https://github.com/kserve/open-inference-protocol, and Triton's extensions for binary tensors, model
configuration, model repository and classification.
"""

from __future__ import annotations

import enum
import textwrap
from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

from headrace.infer.engines.base import ModelGraph, TensorSpec
from headrace.infer.engines.triton.tensors import DTYPES, Tensor

_LONGEST = 500


class Trouble(enum.Enum):
    """What went wrong between us and a server."""

    AWAY = "it cannot be reached"
    DROPPED = "it went away in the middle of a request, or says that it is not available; one more try is worth while"
    LATE = "it did not answer in time"
    DENIED = "it wants other credentials"
    UNKNOWN = "it does not know the model"
    REFUSED = "it answered with an error"


class ServerError(Exception):
    """A request failed; the engine makes a `headrace.errors.ModelError` of it.

    Attributes:
        trouble: Of which kind.
        text: The server's or the system's words, without credentials.
    """

    def __init__(self, trouble: Trouble, text: str) -> None:
        super().__init__(text)
        self.trouble = trouble
        self.text = one_line(text)


def one_line(text: str) -> str:
    """A server's words, which may be a whole traceback, as one line that is not too long."""
    return textwrap.shorten(text, _LONGEST, placeholder=" …")


class Transport(Protocol):
    """A way to a model on a server; every method may be called from any thread and raises `ServerError`.

    Answers are those of the protocol's JSON form; over gRPC its whole numbers may be texts.
    """

    def metadata(self) -> dict[str, Any]:
        """Tensors of the model."""
        ...

    def ready(self) -> bool:
        """Whether the model can be run now."""
        ...

    def config(self) -> dict[str, Any]:
        """Triton's configuration of the model; other servers refuse."""
        ...

    def models(self) -> list[dict[str, Any]]:
        """Name, version, state and reason of the models there are; not all servers tell."""
        ...

    def infer(self, inputs: Mapping[str, Tensor], outputs: Mapping[str, int]) -> dict[str, NDArray[Any]]:
        """Run the model.

        Args:
            inputs: Tensors by name.
            outputs: Outputs to ask for, with a number of classes: instead of numbers the server then gives that
                many texts ``value:index:label`` for each row; 0 for numbers. Empty asks for all, as numbers.

        Returns:
            Arrays of their own memory; BYTES are arrays of `bytes` objects.
        """
        ...

    def close(self) -> None:
        """Let connections go; requests under way fail."""
        ...


def graph_of(place: str, metadata: Mapping[str, Any], config: Mapping[str, Any]) -> ModelGraph:
    """The graph of a model; its metadata are the ``parameters`` of Triton's configuration.

    Args:
        place: URL, without credentials.
        metadata: As `Transport.metadata` gives it.
        config: As `Transport.config` gives it; may be empty.

    Raises:
        ServerError: The metadata are not those of the protocol.

    Example:
        >>> tensor = {"name": "images", "datatype": "FP32", "shape": ["-1", "3", "640", "640"]}
        >>> print(graph_of("grpc://h:8001/m", {"inputs": [tensor], "outputs": []}, {}).inputs[0])
        images float32[?, 3, 640, 640]
    """
    stored = {**_texts(metadata.get("properties")), **_texts(config.get("parameters"))}
    try:
        inputs, outputs = (tuple(map(_spec, metadata.get(side) or ())) for side in ("inputs", "outputs"))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ServerError(
            Trouble.REFUSED,
            f"the server's metadata are not those of KServe v2 ({type(error).__name__}: {error})",
        ) from error
    return ModelGraph(place, inputs, outputs, stored)


def _spec(tensor: Mapping[str, Any]) -> TensorSpec:
    sizes = [int(size) for size in tensor.get("shape") or ()]
    datatype = str(tensor["datatype"])
    return TensorSpec(
        str(tensor["name"]),
        tuple(size if size >= 0 else None for size in sizes),
        DTYPES.get(datatype, datatype.lower()),
    )


def _texts(parameters: Any) -> dict[str, str]:
    """Parameters by name; a value is a text, or the message that gRPC has for one."""
    if not isinstance(parameters, Mapping):
        return {}
    plain = {
        name: value.get("string_value") if isinstance(value, Mapping) else value
        for name, value in parameters.items()
    }
    return {str(name): value for name, value in plain.items() if isinstance(value, str)}
