"""ONNX graphs that give a family's outputs, if and only if their input was made as the family's own code makes it."""

from pathlib import Path

import numpy as np
import onnx
from family_cases import FIRST
from onnx import TensorProto, helper, numpy_helper

#: Red, green and blue of the frames; what the network sees of them depends on colour order and normalisation.
COLOR = (250, 120, 40)


def canvas(case, frame_size):
    """Mean of the first channel of the network's input for a frame of one colour, and the frame's place in it."""
    made, (width, height) = case.made, case.size
    if made.resize == "stretch":
        left, top, across, down = 0, 0, width, height
    else:
        ratio = min(width / frame_size[0], height / frame_size[1])
        fit = int if made.resize == "topleft" else round
        across, down = (fit(side * ratio) for side in frame_size)
        left, top = (0, 0) if made.resize == "topleft" else ((width - across) // 2, (height - down) // 2)
    picture = np.full((height, width), float(made.pad))
    picture[top : top + down, left : left + across] = COLOR[made.color.index("R")]
    value = made.scale * (picture - made.mean[0]) / made.std[0]
    return float(value.mean()), (left, top, across, down)


def build(path, case, frame_size, batch="batch"):
    """Write the model; scores are a factor times the mean of the input's first channel."""
    mean, _ = canvas(case, frame_size)
    outputs = case.encode(FIRST)
    changed = case.encode([(*row[:5], row[5] * 0.9) for row in FIRST])
    width, height = case.size
    nodes = [
        helper.make_node("Gather", ["images", "channel"], ["first"], axis=1),
        helper.make_node("ReduceMean", ["first"], ["mean"], axes=[1, 2], keepdims=0),
    ]
    initializers, infos = [numpy_helper.from_array(np.array(0), "channel")], []
    for name, array in outputs.items():
        full = array if case.batched else array[None]
        score = full != (changed[name] if case.batched else changed[name][None])
        if case.batched:
            full, score = full[None], score[None]
        initializers += [
            numpy_helper.from_array(np.array([-1] + [1] * (full.ndim - 1)), f"{name}_shape"),
            numpy_helper.from_array(np.where(score, 0, full).astype(np.float32), f"{name}_constant"),
            numpy_helper.from_array(np.where(score, full / mean, 0).astype(np.float32), f"{name}_factor"),
            numpy_helper.from_array(np.array([0]), f"{name}_axis"),
        ]
        kind = TensorProto.INT64 if array.dtype == np.int64 else TensorProto.FLOAT
        last = name if case.batched else f"{name}_batched"
        nodes += [
            helper.make_node("Reshape", ["mean", f"{name}_shape"], [f"{name}_mean"]),
            helper.make_node("Mul", [f"{name}_mean", f"{name}_factor"], [f"{name}_part"]),
            helper.make_node("Add", [f"{name}_part", f"{name}_constant"], [f"{name}_sum"]),
            helper.make_node("Cast", [f"{name}_sum"], [last], to=kind),
        ]
        shape = [batch, *array.shape]
        if not case.batched:
            nodes.append(helper.make_node("Squeeze", [last, f"{name}_axis"], [name]))
            shape = list(array.shape) if array.shape[0] == 1 else ["objects", *array.shape[1:]]
        infos.append(helper.make_tensor_value_info(name, kind, shape))
    image = helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 3, height, width])
    graph = helper.make_graph(nodes, "family", [image], infos, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    for key, value in case.metadata.items():
        model.metadata_props.add(key=key, value=value)
    onnx.save(model, str(path))
    return Path(path)
