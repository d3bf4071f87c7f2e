"""Tensors of the KServe v2 protocol: NumPy's arrays, and what goes over the wire.

Source: https://github.com/kserve/open-inference-protocol, and Triton's extension for binary tensors.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: The protocol's number types and NumPy's. Bfloat16, which NumPy does not have, is float32 on this side.
DTYPES = {
    "BOOL": "bool", "UINT8": "uint8", "UINT16": "uint16", "UINT32": "uint32", "UINT64": "uint64", "INT8": "int8",
    "INT16": "int16", "INT32": "int32", "INT64": "int64", "FP16": "float16", "FP32": "float32", "FP64": "float64",
    "BF16": "float32", "BYTES": "object",
}  # fmt: skip
DATATYPES = {dtype: name for name, dtype in DTYPES.items() if name != "BF16"}


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

    def values(self) -> list[Any]:
        """The elements as JSON has them: numbers or texts."""
        flat = self.array.ravel().tolist()
        return [one.decode() if isinstance(one, bytes) else one for one in flat]


def _datatype(array: NDArray[Any]) -> str:
    if array.dtype.kind in "OSU":
        return "BYTES"
    return DATATYPES.get(array.dtype.name, array.dtype.name)


def _to_bfloat16(array: NDArray[Any]) -> NDArray[np.uint16]:
    """The upper halves of float32 numbers, rounded to even."""
    bits = np.ascontiguousarray(array, np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def wire_dtype(datatype: str) -> np.dtype[Any]:
    """The type of a tensor's elements on the wire; not for BYTES.

    Raises:
        ValueError: The protocol has no such type.
    """
    if datatype not in DTYPES or datatype == "BYTES":
        raise ValueError(f"tensors of type {datatype!r} are not known")
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
        ValueError: Lengths and number of elements do not go together.
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
        ValueError: They do not fill the shape.
    """
    if datatype == "BYTES":
        flat = np.empty(len(values), object)
        flat[:] = [one if isinstance(one, bytes) else str(one).encode() for one in values]
    else:
        wire_dtype(datatype)
        flat = np.array(values, DTYPES[datatype]).reshape(-1)
    if flat.size != math.prod(shape):
        raise ValueError(f"{flat.size} elements for the shape {list(shape)}")
    return flat.reshape(tuple(shape))
