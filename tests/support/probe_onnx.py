"""ONNX models that give known outputs, some of which also tell the mean of the input's first channel."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_KINDS = {"f": TensorProto.FLOAT, "i": TensorProto.INT64}


def build(
    path, outputs, masks, size, batch="batch", batched=True, channels_last=False, dtype=TensorProto.FLOAT
):
    """Write a model: each output is its constant (without batch axis) plus the mean times its mask, where it has one.

    Args:
        path: The file.
        outputs: Name to constant.
        masks: Name to mask, of the constant's shape.
        size: Width and height of the input; strings leave it open.
        batch: First axis of input and outputs.
        batched: Whether outputs have that axis; the input may lack it with ``None``.
        channels_last: Order of the input's axes.
        dtype: Type of the input.
    """
    lead = [] if batch is None else [batch]
    shape = [*lead, size[1], size[0], 3] if channels_last else [*lead, 3, size[1], size[0]]
    axis = len(shape) - 1 if channels_last else len(lead)
    nodes = [
        helper.make_node("Cast", ["images"], ["as_float"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["as_float", "first"], ["channel"], axis=axis),
        helper.make_node("ReduceMean", ["channel"], ["mean"], axes=[len(lead), len(lead) + 1], keepdims=0),
    ]
    constants, infos = [numpy_helper.from_array(np.array(0), "first")], []
    for name, constant in outputs.items():
        mask = masks.get(name, np.zeros_like(constant, dtype=float))
        column = np.array([-1] + [1] * constant.ndim) if batched else np.ones(max(constant.ndim, 1), int)
        constants += [
            numpy_helper.from_array(column, f"{name}_shape"),
            numpy_helper.from_array(
                (constant[None] if batched else constant).astype(np.float32), f"{name}_constant"
            ),
            numpy_helper.from_array((mask[None] if batched else mask).astype(np.float32), f"{name}_mask"),
        ]
        kind = _KINDS[constant.dtype.kind]
        nodes += [
            helper.make_node("Reshape", ["mean", f"{name}_shape"], [f"{name}_bright"]),
            helper.make_node("Mul", [f"{name}_bright", f"{name}_mask"], [f"{name}_part"]),
            helper.make_node("Add", [f"{name}_part", f"{name}_constant"], [f"{name}_sum"]),
            helper.make_node("Cast", [f"{name}_sum"], [name], to=kind),
        ]
        dims = [*(lead if batched else []), *constant.shape]
        if not batched:
            dims[0] = f"{name}_rows"
        infos.append(helper.make_tensor_value_info(name, kind, dims))
    inputs = [helper.make_tensor_value_info("images", dtype, shape)]
    graph = helper.make_graph(nodes, "probe", inputs, infos, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return Path(path)
