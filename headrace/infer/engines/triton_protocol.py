"""The KServe v2 protocol (Open Inference Protocol), as far as HTTP and gRPC have it in common.

Source: https://github.com/kserve/open-inference-protocol, and Triton's extensions for binary tensors, model
configuration, model repository and classification.
"""

from __future__ import annotations

import enum
import math
import struct
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from headrace.infer.engines.base import ModelGraph, TensorSpec

#: The protocol's number types and NumPy's. Bfloat16, which NumPy does not have, is float32 on this side.
DTYPES = {
    "BOOL": "bool", "UINT8": "uint8", "UINT16": "uint16", "UINT32": "uint32", "UINT64": "uint64", "INT8": "int8",
    "INT16": "int16", "INT32": "int32", "INT64": "int64", "FP16": "float16", "FP32": "float32", "FP64": "float64",
    "BF16": "float32", "BYTES": "object",
}  # fmt: skip
_DATATYPES = {dtype: name for name, dtype in DTYPES.items() if name != "BF16"}
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


class Tensor:
    """A tensor on its way to a server.

    Attributes:
        array: As it was given.
        datatype: The protocol's name of its number type.
        shape: Size of each axis.
        data: Its elements, row by row, little endian.
    """

    __slots__ = ("array", "data", "datatype", "shape")
    data: memoryview

    def __init__(self, array: NDArray[Any], datatype: str | None = None) -> None:
        """Encode an array; shares its memory where that is possible.

        Args:
            array: Numbers, or for BYTES texts or `bytes`.
            datatype: What the model wants, where the array's type does not tell (BF16).
        """
        self.datatype = "BF16" if datatype == "BF16" and array.dtype == np.float32 else _datatype(array)
        self.array, self.shape = array, array.shape
        if self.datatype == "BYTES":
            parts = [one if isinstance(one, bytes) else str(one).encode() for one in array.ravel()]
            self.data = memoryview(b"".join(struct.pack("<I", len(part)) + part for part in parts))
            return
        if self.datatype == "BF16":
            array = _to_bfloat16(array)
        array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        self.data = array.reshape(-1).view(np.uint8).data


def _datatype(array: NDArray[Any]) -> str:
    if array.dtype.kind in "OSU":
        return "BYTES"
    return _DATATYPES.get(array.dtype.name, array.dtype.name)


def _to_bfloat16(array: NDArray[Any]) -> NDArray[np.uint16]:
    """The upper halves of float32 numbers, rounded to even."""
    bits = np.ascontiguousarray(array, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def wire_dtype(datatype: str) -> np.dtype[Any]:
    """The type of a tensor's elements on the wire; not for BYTES.

    Raises:
        ServerError: The protocol has no such type.
    """
    if datatype not in DTYPES or datatype == "BYTES":
        raise ServerError(
            Trouble.REFUSED, f"the server gives tensors of type {datatype!r}, which is not known"
        )
    dtype = np.dtype("uint16" if datatype == "BF16" else DTYPES[datatype])
    return np.dtype(dtype.newbyteorder("<").str)


def from_wire(array: NDArray[Any], datatype: str) -> NDArray[Any]:
    """Elements as they came to what this side works with."""
    if datatype == "BF16":
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def split_bytes(data: bytes | bytearray | memoryview, shape: Sequence[int]) -> NDArray[Any]:
    """The elements of a BYTES tensor: for each four bytes of length, then its content.

    Raises:
        ServerError: Lengths and number of elements do not go together.
    """
    parts, place, data = [], 0, bytes(data)
    while place + 4 <= len(data):
        (length,) = struct.unpack_from("<I", data, place)
        parts.append(data[place + 4 : place + 4 + length])
        place += 4 + length
    return shaped(parts, "BYTES", shape) if place == len(data) else shaped([], "BYTES", shape)


def shaped(values: Any, datatype: str, shape: Sequence[int]) -> NDArray[Any]:
    """An array of numbers or texts that came one by one.

    Raises:
        ServerError: They do not fill the shape.
    """
    if datatype == "BYTES":
        flat = np.empty(len(values), object)
        flat[:] = [one if isinstance(one, bytes) else str(one).encode() for one in values]
    else:
        wire_dtype(datatype)
        flat = np.array(values, DTYPES[datatype]).reshape(-1)
    if flat.size != math.prod(shape):
        raise ServerError(
            Trouble.REFUSED,
            f"the server's answer is damaged: {flat.size} elements for the shape {list(shape)}",
        )
    return flat.reshape(tuple(shape))


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
