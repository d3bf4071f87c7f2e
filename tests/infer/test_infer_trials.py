"""Trials of preprocessing find the one that a network was made for."""

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from headrace.frames import Frame
from headrace.infer import InferOptions
from headrace.infer.files.preprocess_trials import try_preprocessing


def red_finder(path, threshold):
    """A network that finds the cell of 8 pixels where the first channel exceeds a value, as YOLOv8 would say it."""
    size, cells = 32, 16
    centres = np.array([(8 * x + 4, 8 * y + 4, 8, 8) for y in range(4) for x in range(4)], np.float32).T[None]
    padding = np.zeros((1, 5, 5), np.float32)
    weights = np.zeros((1, 3, 8, 8), np.float32)
    weights[0, 0] = 1 / 64
    tensors = {
        "w": weights,
        "b": np.float32([-threshold]),
        "boxes": centres,
        "pad": padding,
        "gain": np.float32([50.0]),
    }
    nodes = [
        helper.make_node("Conv", ["in", "w", "b"], ["mean"], strides=[8, 8], kernel_shape=[8, 8]),
        helper.make_node("Reshape", ["mean", "shape"], ["row"]),
        helper.make_node("Mul", ["row", "gain"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["score"]),
        helper.make_node("Concat", ["boxes", "score"], ["found"], axis=1),
        helper.make_node("Concat", ["found", "pad"], ["output0"], axis=2),
    ]
    initial = [numpy_helper.from_array(value, name) for name, value in tensors.items()]
    initial.append(numpy_helper.from_array(np.int64([1, 1, cells]), "shape"))
    graph = helper.make_graph(
        nodes, "red", [helper.make_tensor_value_info("in", TensorProto.FLOAT, [1, 3, size, size])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, 5, 21])], initial,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, str(path))
    return path


@pytest.mark.parametrize(("color", "threshold", "values"), [("RGB", 0.8, "0-1"), ("RGB", 200, "0-255")])
def test_the_right_colours_and_values_come_first(tmp_path, color, threshold, values):
    picture = np.full((32, 32, 3), 40, np.uint8)
    cv2.rectangle(picture, (8, 8), (15, 15), (0, 0, 255), -1)  # a red square, in BGR
    cv2.rectangle(picture, (16, 24), (17, 25), (255, 0, 0), -1)
    model = red_finder(tmp_path / "red.onnx", threshold)
    trials = try_preprocessing(
        [Frame.from_array(picture, "BGR")], InferOptions(model=str(model), engine="onnxruntime")
    )
    # The network takes anything above its threshold for red, whatever mean was taken off: not compared here.
    best, *others = [trial for trial in trials if trial.values in ("0-1", "0-255")]
    assert (best.color, best.values, best.objects) == (color, values, 1)
    assert best.score == pytest.approx(1, abs=0.05)
    assert all(trial.score < 0.1 for trial in others if (trial.color, trial.values) != (color, values))
    assert sum(trial.chosen for trial in trials) == 1
