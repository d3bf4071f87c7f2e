"""Tiny ONNX models whose outputs are a constant plus the brightness of each picture times a mask."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def build(
    path,
    outputs,
    batch="batch",
    size=32,
    channels_last=False,
    channels=3,
    metadata=None,
    dtype=TensorProto.FLOAT,
):
    """Write a model with an image input and outputs ``{name: (constant, mask)}``, each ``(1, …)``."""
    shape = [batch, size, size, channels] if channels_last else [batch, channels, size, size]
    nodes = [helper.make_node("Cast", ["images"], ["as_float"], to=TensorProto.FLOAT)]
    initializers, infos = [], []
    for name, (constant, mask) in outputs.items():
        column = np.array([-1] + [1] * (constant.ndim - 1))
        initializers += [
            numpy_helper.from_array(column, f"{name}_shape"),
            numpy_helper.from_array(constant.astype(np.float32), f"{name}_constant"),
            numpy_helper.from_array(mask.astype(np.float32), f"{name}_mask"),
        ]
        kind = TensorProto.INT64 if constant.dtype == np.int64 else TensorProto.FLOAT
        nodes += [
            helper.make_node("ReduceMean", ["as_float"], [f"{name}_mean"], axes=[1, 2, 3], keepdims=1),
            helper.make_node("Reshape", [f"{name}_mean", f"{name}_shape"], [f"{name}_bright"]),
            helper.make_node("Mul", [f"{name}_bright", f"{name}_mask"], [f"{name}_part"]),
            helper.make_node("Add", [f"{name}_part", f"{name}_constant"], [f"{name}_sum"]),
            helper.make_node("Cast", [f"{name}_sum"], [name], to=kind),
        ]
        infos.append(helper.make_tensor_value_info(name, kind, [batch, *constant.shape[1:]]))
    inputs = [helper.make_tensor_value_info("images", dtype, shape)]
    graph = helper.make_graph(nodes, "tiny", inputs, infos, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    for key, value in (metadata or {}).items():
        model.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return Path(path)


def detector(path, names, size=32, score=1.0):
    """Write a detector that finds the last of its classes in every white picture, with ``score``; returns the path."""
    constant = np.zeros((1, 4 + len(names), 21 * (size // 32) ** 2), np.float32)
    constant[0, :4, 3] = size / 2, size / 2, size / 4, size / 4
    mask = np.zeros_like(constant)
    mask[0, -1, 3] = score
    metadata = {"names": str(dict(enumerate(names)))}
    return str(build(path, {"output0": (constant, mask)}, size=size, metadata=metadata))
