"""Networks of a chosen size, class count and cost, written as ONNX files."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from headrace.errors import ModelError


def write_detector(
    path: Path, size: int, names: tuple[str, ...], channels: int = 16, layers: int = 4
) -> Path:
    """Write a detector with YOLOv8's layout that finds its last class in the middle of every picture.

    Args:
        path: The file.
        size: Width and height of the input in pixels, a multiple of 32.
        names: Class names, stored in the file.
        channels: Channels of the convolutions: what a run costs.
        layers: Number of 3×3 convolutions, the first two at half and a quarter of the size, the others at that, too.

    Raises:
        ModelError: The package ``onnx`` is not installed.
    """
    try:
        onnx: Any = importlib.import_module("onnx")
    except ImportError as error:
        raise ModelError("writing networks needs onnx: pip install onnx") from error
    make, rng = onnx.helper, np.random.default_rng(size)
    weights: dict[str, Any] = {}
    nodes, last = [], "images"
    for layer in range(layers):
        inputs = 3 if layer == 0 else channels
        weights[f"w{layer}"] = rng.normal(0, 0.1, (channels, inputs, 3, 3)).astype(np.float32)
        stride = 2 if layer < 2 else 1
        nodes += [
            make.make_node("Conv", [last, f"w{layer}"], [f"c{layer}"], pads=[1] * 4, strides=[stride] * 2),
            make.make_node("Relu", [f"c{layer}"], [f"r{layer}"]),
        ]
        last = f"r{layer}"
    found = np.zeros((1, 4 + len(names), 21 * (size // 32) ** 2), np.float32)
    found[0, :4, 0] = size / 2, size / 2, size / 4, size / 4
    found[0, -1, 0] = 0.9
    weights |= {"found": found, "nothing": np.float32(0), "shape": np.array([-1, 1, 1])}
    # What the convolutions find changes nothing, but it must be there for the result: times nothing, plus the result.
    nodes += [
        make.make_node("ReduceMean", [last], ["mean"], axes=[1, 2, 3], keepdims=1),
        make.make_node("Mul", ["mean", "nothing"], ["none"]),
        make.make_node("Reshape", ["none", "shape"], ["column"]),
        make.make_node("Add", ["column", "found"], ["output0"]),
    ]
    _save(onnx, path, nodes, weights, size, found.shape, names)
    return path


def _save(
    onnx: Any, path: Path, nodes: list[Any], weights: dict[str, Any], size: int, shape: Any, names: Any
) -> None:
    make, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = make.make_graph(
        nodes, "detector",
        [make.make_tensor_value_info("images", kind, ["batch", 3, size, size])],
        [make.make_tensor_value_info("output0", kind, ["batch", *shape[1:]])],
        [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )  # fmt: skip
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 13)], ir_version=8)
    model.metadata_props.add(key="names", value=str(dict(enumerate(names))))
    onnx.save(model, str(path))
