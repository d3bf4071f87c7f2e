"""ONNX files in and out without the onnx package: just enough to take a graph apart and put another together.

An ONNX file is a protocol buffer: fields of a number, a wire type and a value, in any order. Only the fields that
are looked into are decoded, everything else is passed on as it is. Field numbers are those of ``onnx.proto3``
(https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ModelError

Dims = Sequence[int | str]
Attribute = int | str | Sequence[int]

_VARINT, _BYTES = 0, 2
_FIXED = {1: 8, 5: 4}
_MODEL_GRAPH, _MODEL_PROPERTIES, _MODEL_PRODUCER = 7, 14, 2
_GRAPH_NODE, _GRAPH_NAME, _GRAPH_TENSOR, _GRAPH_INPUT, _GRAPH_OUTPUT = 1, 2, 5, 11, 12
#: TensorProto.DataType of the arrays that can be written.
_TYPES = {"float32": 1, "int64": 7}


@dataclass(frozen=True, slots=True)
class Node:
    """A step of a graph: names of what it takes and gives, and its encoded form."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    encoded: bytes


@dataclass
class Graph:
    """A graph whose nodes stand in the order of their work.

    Attributes:
        nodes: Steps.
        tensors: Encoded constants by name.

    Example:
        >>> graph = Graph()
        >>> _ = graph.add("Relu", ["x"], "y")
        >>> graph.constant("zero", np.zeros(1, np.float32)), len(graph.nodes)
        ('zero', 1)
    """

    nodes: list[Node] = field(default_factory=list)
    tensors: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Graph:
        """Take the graph out of a file.

        Raises:
            ModelError: The file cannot be read, or is no ONNX file.
        """
        try:
            model = dict(fields(path.read_bytes()))
            parts = list(fields(model[_MODEL_GRAPH]))
        except (OSError, KeyError, IndexError, ValueError) as error:
            raise ModelError(f"{path} cannot be read as ONNX: {error}; install headrace again") from error
        tensors = [value for number, value in parts if number == _GRAPH_TENSOR]
        return cls(
            [_node(value) for number, value in parts if number == _GRAPH_NODE],
            {dict(fields(tensor))[8].decode(): tensor for tensor in tensors},
        )

    def add(self, kind: str, inputs: Sequence[str], *outputs: str, **attributes: Attribute) -> str:
        """Append a step; returns the name of its first output."""
        encoded = b"".join(entry(1, name) for name in inputs)
        encoded += b"".join(entry(2, name) for name in outputs) + entry(4, kind)
        encoded += b"".join(entry(5, _attribute(name, value)) for name, value in attributes.items())
        self.nodes.append(Node(tuple(inputs), outputs, encoded))
        return outputs[0]

    def constant(self, name: str, value: NDArray[np.float32] | NDArray[np.int64]) -> str:
        """Add a constant; returns its name."""
        dims = b"".join(entry(1, size) for size in value.shape)
        kind = entry(2, _TYPES[value.dtype.name])
        little = value.astype(value.dtype.newbyteorder("<"))
        self.tensors[name] = dims + kind + entry(8, name) + entry(9, little.tobytes())
        return name

    def trim(self, outputs: Iterable[str]) -> None:
        """Keep only what is needed for some outputs."""
        needed, kept = set(outputs), []
        for node in reversed(self.nodes):
            if needed.intersection(node.outputs):
                kept.append(node)
                needed.update(node.inputs)
        self.nodes = kept[::-1]
        self.tensors = {name: tensor for name, tensor in self.tensors.items() if name in needed}

    def model(
        self,
        inputs: Mapping[str, Dims],
        outputs: Mapping[str, Dims],
        opset: int,
        description: str,
        metadata: Mapping[str, str] | None = None,
    ) -> bytes:
        """A whole file.

        Args:
            inputs: Name to dimensions, of float tensors; text stands for any size.
            outputs: The same for what comes out.
            opset: Version of ONNX's operators that the nodes keep to.
            description: What the model does; goes into the metadata with licence and author.
            metadata: What else goes there, by name.
        """
        graph = b"".join(entry(_GRAPH_NODE, node.encoded) for node in self.nodes)
        graph += entry(_GRAPH_NAME, "headrace")
        graph += b"".join(entry(_GRAPH_TENSOR, tensor) for tensor in self.tensors.values())
        for number, values in ((_GRAPH_INPUT, inputs), (_GRAPH_OUTPUT, outputs)):
            graph += b"".join(entry(number, _value_info(name, dims)) for name, dims in values.items())
        about = {
            "license": "Apache-2.0",
            "author": "Headrace",
            "description": description,
            **(metadata or {}),
        }
        properties = [entry(1, key) + entry(2, value) for key, value in about.items()]
        return (
            entry(1, 8)  # IR version
            + entry(_MODEL_PRODUCER, "Headrace")
            + entry(_MODEL_GRAPH, graph)
            + entry(8, entry(2, opset))
            + b"".join(entry(_MODEL_PROPERTIES, item) for item in properties)
        )


def entry(number: int, value: int | str | bytes) -> bytes:
    """One field: an integer as a varint, text and bytes with their length in front."""
    if isinstance(value, int):
        return _varint(number << 3 | _VARINT) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | _BYTES) + _varint(len(data)) + data


def fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and value of the fields with bytes in them; numbers are passed over."""
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        kind = key & 7
        if kind == _VARINT:
            _, at = _read_varint(data, at)
        elif kind == _BYTES:
            size, at = _read_varint(data, at)
            yield key >> 3, data[at : at + size]
            at += size
        else:
            at += _FIXED[kind]


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _node(encoded: bytes) -> Node:
    parts = list(fields(encoded))
    names = [tuple(value.decode() for number, value in parts if number == wanted) for wanted in (1, 2)]
    return Node(names[0], names[1], encoded)


def _attribute(name: str, value: Attribute) -> bytes:
    head = entry(1, name)
    if isinstance(value, str):
        return head + entry(4, value) + entry(20, 3)
    if isinstance(value, int):
        return head + entry(3, value) + entry(20, 2)
    return head + b"".join(entry(8, item) for item in value) + entry(20, 7)


def _value_info(name: str, dims: Dims) -> bytes:
    shape = b"".join(entry(1, entry(1 if isinstance(size, int) else 2, size)) for size in dims)
    return entry(1, name) + entry(2, entry(1, entry(1, _TYPES["float32"]) + entry(2, shape)))
