"""Exports of known families that differ from the usual ones, as public repositories hold them."""

import numpy as np
import onnx
import pytest
from decoding import decoded
from onnx import TensorProto, helper, numpy_helper

from headrace.errors import ConfigError
from headrace.frames import Frame
from headrace.infer import FrameBatch, InferOptions, load_model
from headrace.infer.decoders import DecodeOptions
from headrace.infer.decoders.registry import choose_decoder, guess_decoders, known_decoders
from headrace.infer.engines import ModelGraph, TensorSpec
from headrace.infer.files.model_file import ModelFile
from headrace.infer.files.preprocess_trials import try_preprocessing


def graph_of(inputs, **outputs):
    specs = tuple(TensorSpec(name, shape, "float32") for name, shape in outputs.items())
    return ModelGraph("net.onnx", (TensorSpec("images", inputs, "float32"),), specs)


def ultraface_defaults(width, height):
    """As generate_priors of Ultra-Light-Fast writes them, box by box."""
    rows = []
    for stride, sides in ((8, (10, 16, 24)), (16, (32, 48)), (32, (64, 96)), (64, (128, 192, 256))):
        down, across = -(-height // stride), -(-width // stride)
        for y in range(down):
            for x in range(across):
                rows += [
                    ((x + 0.5) / across, (y + 0.5) / down, side / width, side / height) for side in sides
                ]
    return np.clip(np.array(rows), 0, 1)


def test_ultraface_without_postprocessing():
    ultraface, options = known_decoders()["ultraface"], DecodeOptions(0.5, 320, 240, ("face",))
    defaults = ultraface_defaults(320, 240)
    scores, deltas = np.zeros((1, 4420, 2), np.float32), np.zeros((1, 4420, 4), np.float32)
    box, row = np.array([100.0, 60.0, 130.0, 100.0]) / [320, 240, 320, 240], 4000
    x, y, width, height = defaults[row]
    deltas[0, row, :2] = ((box[:2] + box[2:]) / 2 - [x, y]) / [width, height] / 0.1
    deltas[0, row, 2:] = np.log((box[2:] - box[:2]) / [width, height]) / 0.2
    scores[0, row, 1] = 0.9
    deltas[0, 0] = 1, 0, -1, 0  # the right side left of the left one: no box
    [found] = decoded(ultraface, {"scores": scores, "boxes": deltas}, options)
    np.testing.assert_allclose(found.xyxy, [[100, 60, 130, 100]], atol=1e-3)
    with pytest.raises(ValueError, match="default boxes"):
        ultraface.decode({"scores": scores[:, :9], "boxes": deltas[:, :9]}, options)


@pytest.mark.parametrize(
    ("inputs", "rows", "scores", "classes"),
    [((1, 3, 480, 640), 17640, 3, 2), ((None, 240, 320, 3), None, 2, 1), ((1, 3, 240, 320), 4420, 2, 1)],
    ids=["with and without mask", "open rows", "usual"],
)
def test_ultraface_is_recognised(inputs, rows, scores, classes):
    guess = choose_decoder(graph_of(inputs, a=(1, rows, 4), b=(1, rows, scores)))
    assert guess.decoder.name == "ultraface"
    assert guess.decoder.class_count(graph_of(inputs, a=(1, rows, 4), b=(1, rows, scores))) == classes


def write_counting(path):
    """A network for one picture, whose output has as many rows as the picture is bright: up to four."""
    rows = np.array([[[x, 4, x + 4, 8, 0.9] for x in (4, 8, 12, 16)]], np.float32)
    numbers = {"rows": rows, "classes": np.array([[3, 2, 1, 0]]), "least": np.float32([0.1, 0.3, 0.5, 0.7])}
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["bright"], keepdims=0),
        helper.make_node("Less", ["least", "bright"], ["some"]),
        helper.make_node("Compress", ["rows", "some"], ["dets"], axis=1),
        helper.make_node("Compress", ["classes", "some"], ["labels"], axis=1),
    ]
    graph = helper.make_graph(
        nodes, "counting", [helper.make_tensor_value_info("images", TensorProto.FLOAT, (1, 3, 32, 32))],
        [helper.make_tensor_value_info("dets", TensorProto.FLOAT, (1, "n", 5)),
         helper.make_tensor_value_info("labels", TensorProto.INT64, (1, "n"))],
        [numpy_helper.from_array(value, name) for name, value in numbers.items()],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def test_a_network_for_one_picture_with_as_many_rows_as_it_finds(tmp_path):
    plain = {"scale": 1 / 255, "mean": (0.0,) * 3, "std": (1.0,) * 3}
    options = InferOptions(engine="onnxruntime", decoder="mmdet", labels=tuple("abcd"), preprocess=plain)
    model = load_model(write_counting(tmp_path / "counting.onnx"), options)
    pictures = [np.full((32, 32, 3), level, np.uint8) for level in (255, 0, 100, 140, 60)]
    found = model.results(FrameBatch([Frame.from_array(picture, "RGB") for picture in pictures]))
    assert [one.detections.class_id.tolist() for one in found] == [[3, 2, 1, 0], [], [3, 2], [3, 2, 1], [3]]


def test_names_that_a_family_has_are_not_for_other_numbers_of_classes():
    file = ModelFile(None, graph_of((1, 3, 8, 8), a=(1, 2)), InferOptions(), None, None)
    assert file.labels(1, ("face",)) == ("face",)
    assert file.labels(2, ("face",)) == ("class 0", "class 1")


ROWS = np.array([[0, 5, 0.5, 10, 20, 30, 40], [0, 7, 0.75, 1, 2, 3, 4.5]], np.float32)


@pytest.mark.parametrize(
    ("order", "columns"),
    [("class,score,box", [0, 1, 2, 3, 4, 5, 6]), ("class,score", [0, 3, 4, 5, 6, 1, 2]),
     ("score,class", [0, 3, 4, 5, 6, 2, 1])],
)  # fmt: skip
@pytest.mark.parametrize("said", [True, False], ids=["said", "seen"])
def test_orders_of_rows_after_nms(order, columns, said):
    settings = {"order": order} if said else {}
    found = known_decoders()["yolonms"].decode(
        {"rows": ROWS[None][:, :, columns]}, DecodeOptions(0.3, 64, 64, settings=settings)
    )
    assert found.class_id.tolist() == [5, 7]
    assert found.confidence.tolist() == [0.5, 0.75]
    np.testing.assert_allclose(found.xyxy, ROWS[:, 3:])


def test_an_order_that_there_is_not():
    with pytest.raises(ConfigError, match="order is 'box'; use class,score or"):
        known_decoders()["yolonms"].check(DecodeOptions(0.3, 64, 64, settings={"order": "box"}))


def test_classes_of_pixels_with_the_channels_last():
    graph = graph_of((1, 6, 8, 3), map=(1, 6, 8, 21))
    guess = choose_decoder(graph)
    assert (guess.decoder.name, guess.decoder.class_count(graph)) == ("semantic", 21)
    scores = np.zeros((1, 6, 8, 21), np.float32)
    scores[0, 2, 5, 15] = 1
    options = DecodeOptions(0.5, 8, 6, tuple(map(str, range(21))))
    [result] = guess.decoder.results({"map": scores}, options)
    classes = result.segmentation.class_map
    assert classes.shape == (6, 8)
    assert (classes[2, 5], np.count_nonzero(classes)) == (15, 1)


@pytest.mark.parametrize("inputs", [(1, 6, 8, 3), (1, 3, 6, 8)], ids=["NHWC", "NCHW"])
def test_a_picture_is_not_taken_for_classes(inputs):
    assert guess_decoders(graph_of(inputs, enhanced=inputs)) == []


def test_trials_hold_what_is_in_use_even_if_it_is_not_usual(make_onnx, yolov8_outputs):
    own = {"scale": 1.0, "mean": (127.0,) * 3, "std": (128.0,) * 3}
    constant, mask = yolov8_outputs["output0"]
    blind = make_onnx({"output0": (constant, 0 * mask)})  # a brightness above one is no score
    options = InferOptions(model=str(blind), engine="onnxruntime", preprocess=own)
    trials = try_preprocessing([Frame.from_array(np.ones((32, 32, 3), np.uint8), "RGB")], options)
    assert [trial.values for trial in trials if trial.chosen] == ["own"]
    assert len(trials) == 17
