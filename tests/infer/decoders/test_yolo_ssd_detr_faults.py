"""Wrong outputs, wrong options and missing labels: errors that name model, tensor and remedy."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from family_cases import CASES, FIRST, HEIGHT, WIDTH, queries, three, yolov8, yolox, yolox_decoded
from family_graphs import COLOR, build
from onnx import TensorProto, helper, numpy_helper

from headrace.errors import ConfigError, ModelError
from headrace.frames import Frame
from headrace.infer import FrameBatch, InferOptions, load_model
from headrace.infer.decoders import BoxDecoder, DecodeOptions, known_decoders
from headrace.infer.engines import ModelGraph, TensorSpec

FRAME = (200, 160)


def frames(count=1):
    picture = np.empty((FRAME[1], FRAME[0], 3), np.uint8)
    picture[:] = COLOR
    return FrameBatch([Frame.from_array(picture, "RGB")] * count)


def constant(path, outputs, inputs=(), metadata=None):
    """A model that says the same of every picture; outputs as given, whatever the batch."""
    image = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, HEIGHT, WIDTH])
    others = [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs]
    nodes, infos, initializers = [], [], []
    for name, array in outputs.items():
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        initializers.append(numpy_helper.from_array(array, f"{name}_constant"))
        nodes.append(helper.make_node("Identity", [f"{name}_constant"], [name]))
        infos.append(helper.make_tensor_value_info(name, kind, list(array.shape)))
    graph = helper.make_graph(nodes, "constant", [image, *others], infos, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    for key, value in (metadata or {}).items():
        model.metadata_props.add(key=key, value=value)
    onnx.save(model, str(path))
    return path


def load(path, **options):
    return load_model(path, InferOptions(engine="onnxruntime", threads=1, **options))


NAN = [
    name
    for name, case in CASES.items()
    if case.batched and not case.named and not case.settings and case.size == (WIDTH, HEIGHT)
]


@pytest.mark.parametrize("name", NAN)
def test_nan_is_an_error_that_names_the_tensor(name, tmp_path):
    case = CASES[name]
    outputs = {key: array[None] for key, array in case.encode(FIRST).items()}
    changed = case.encode([(*row[:5], row[5] * 0.9) for row in FIRST])
    spoiled = [key for key in outputs if not np.array_equal(outputs[key][0], changed[key])]
    for key in spoiled:
        outputs[key] = np.where(outputs[key][0] != changed[key], np.nan, outputs[key][0])[None].astype(
            np.float32
        )
    labels = None if case.labels is None or "names" in case.metadata else tuple("abc")
    model = load(constant(tmp_path / "m.onnx", outputs, metadata=case.metadata), labels=labels)
    with pytest.raises(ModelError, match="NaN") as caught:
        model.results(frames())
    assert all(word in str(caught.value) for word in ("m.onnx", *spoiled, "export the model again"))


def test_outputs_of_another_shape_name_the_tensor(tmp_path):
    outputs = {
        "pred_logits": np.zeros((1, 300, 91), np.float32),
        "pred_boxes": np.zeros((1, 200, 4), np.float32),
    }
    model = load(constant(tmp_path / "m.onnx", outputs), decoder="dino")
    with pytest.raises(ModelError, match="name another decoder") as caught:
        model.results(frames())
    assert "m.onnx" in str(caught.value)
    assert "pred_boxes float32[1, 200, 4]" in str(caught.value)


@pytest.mark.parametrize(
    "family", sorted(n for n, d in known_decoders().items() if isinstance(d, BoxDecoder))
)
def test_any_decoder_refuses_outputs_that_are_not_its_own(family):
    decoder = known_decoders()[family]
    for outputs in ({"a": np.full((1, 3, 2), 0.9)}, {"a": np.zeros((1, 3, 2)), "b": np.zeros((1, 3, 2))}):
        with pytest.raises((ValueError, IndexError, KeyError)):
            decoder.decode(outputs, DecodeOptions(0.5, 96, 64))


def test_more_classes_than_labels(tmp_path):
    rows = {"output0": np.array([[[10, 20, 30, 40, 0.9, 7]] * 4], np.float32)}
    path = constant(tmp_path / "m.onnx", rows)
    with pytest.raises(ModelError, match="class 7 has no label, there are 3 labels"):
        load(path, labels=tuple("abc")).results(frames())
    found = load(path).results(frames())[0]
    assert found.detections.class_id.tolist() == [7] * 4
    columns = {name: array[None] for name, array in yolov8(FIRST).items()}
    with pytest.raises(ConfigError, match=r"labels given are 4, but .*m\.onnx has 3 classes; give 3 labels"):
        load(constant(tmp_path / "m.onnx", columns), labels=tuple("abcd"))


SETTINGS = [
    ("yolov8", {"anchors": []}, "no option 'anchors'; it has none"),
    ("yolox", {"decoded": "yes"}, "decoded is 'yes'; use true or false"),
    ("yolov10", {"order": "class"}, "order is 'class'; use score,class or class,score"),
    ("yolonms", {"order": 3}, "order is 3; use class,score or score,class"),
    ("yolov5raw", {"anchors": [[1, 2]]}, "for each map, the finest first"),
    ("yolov5raw", {"anchors": [[[1, -2]]]}, "above 0"),
    ("yolov8pose", {"keypoints": 17}, "keypoints is 17; give"),
    ("retinanet", {"anchors": [1, 2]}, r"a list of \[width, height\]"),
    ("ssdraw", {"priors": [3]}, "for each map"),
    ("ssdraw", {"order": "rows"}, "use cells or boxes"),
    ("yolov3", {"anchor": []}, r"no option 'anchor'; it has anchors \(for each map"),
]


@pytest.mark.parametrize(("family", "settings", "message"), SETTINGS, ids=str)
def test_options_are_checked_before_anything_runs(family, settings, message):
    with pytest.raises(ConfigError, match=message):
        known_decoders()[family].check(DecodeOptions(0.5, 96, 64, settings=settings))


def test_rows_in_another_order_are_an_error_and_not_other_objects(tmp_path):
    parts = CASES["rows of six, class first"].encode(FIRST)
    path = constant(tmp_path / "m.onnx", {name: array[None] for name, array in parts.items()})
    with pytest.raises(ModelError, match="set decoder option order"):
        load(path).results(frames())
    [result] = load(path, decoder_options={"order": "class,score"}).results(frames())
    assert sorted(result.detections.class_id.tolist()) == [0, 2]  # the third lies in the padding


def test_yolox_says_itself_whether_its_graph_decodes():
    decoder, options = known_decoders()["yolox"], DecodeOptions(0.4, WIDTH, HEIGHT)
    raw, decoded = ({n: a[None] for n, a in encode(FIRST).items()} for encode in (yolox, yolox_decoded))
    boxes = [np.sort(decoder.decode(one, options).xyxy, axis=0) for one in (raw, decoded)]
    np.testing.assert_allclose(*boxes, atol=1e-3)
    told = DecodeOptions(0.4, WIDTH, HEIGHT, settings={"decoded": True})
    np.testing.assert_allclose(np.sort(decoder.decode(decoded, told).xyxy, axis=0), boxes[1])


def test_yolov6_is_not_read_as_yolox():
    outputs = {name: array[None] for name, array in CASES["YOLOv6"].encode(FIRST).items()}
    with pytest.raises(ValueError, match="YOLOv6"):
        known_decoders()["yolox"].decode(outputs, DecodeOptions(0.4, WIDTH, HEIGHT))
    with pytest.raises(ValueError, match="YOLOX"):
        known_decoders()["yolov6"].decode(
            {"outputs": yolox_decoded(FIRST)["output"][None]}, DecodeOptions(0.4, 96, 64)
        )


def test_a_query_may_be_of_several_classes():
    outputs = {name: array[None] for name, array in queries(FIRST).items()}
    outputs["pred_logits"][0, 0, 1] = 1.0
    found = known_decoders()["rtdetr"].decode(outputs, DecodeOptions(0.4, WIDTH, HEIGHT))
    assert sorted(found.class_id.tolist()) == [0, 1, 2]
    assert (found.xyxy[found.class_id == 1] == found.xyxy[found.class_id == 2]).all()


@pytest.mark.parametrize("count", [1, 3])
def test_the_size_that_d_fine_asks_for_is_filled_in(count, tmp_path):
    """Boxes are fractions times that size; the file's second input comes first."""
    parts = three(FIRST)
    boxes = parts["boxes"][None] / np.array([WIDTH, HEIGHT] * 2, np.float32)
    image = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["N", 3, HEIGHT, WIDTH])
    size = helper.make_tensor_value_info("orig_target_sizes", TensorProto.INT64, ["N", 2])
    values = {
        "fractions": boxes.astype(np.float32),
        "names": parts["labels"][None],
        "sure": parts["scores"][None],
    }
    initializers = [numpy_helper.from_array(array, name) for name, array in values.items()]
    initializers += [
        numpy_helper.from_array(np.array(v), n) for n, v in (("axis", [1]), ("zero", np.float32(0)))
    ]
    nodes = [
        helper.make_node("Cast", ["orig_target_sizes"], ["size"], to=TensorProto.FLOAT),
        helper.make_node("Concat", ["size", "size"], ["twice"], axis=1),
        helper.make_node("Unsqueeze", ["twice", "axis"], ["four"]),
        helper.make_node("Mul", ["fractions", "four"], ["boxes"]),
        helper.make_node("ReduceMean", ["images"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "axis"], ["column"]),
        helper.make_node("Mul", ["column", "zero"], ["none"]),
        helper.make_node("Add", ["none", "sure"], ["scores"]),
        helper.make_node("Cast", ["none"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Add", ["whole", "names"], ["labels"]),
    ]
    kinds = {"labels": TensorProto.INT64, "boxes": TensorProto.FLOAT, "scores": TensorProto.FLOAT}
    shapes = {"labels": ["N", 20], "boxes": ["N", 20, 4], "scores": ["N", 20]}
    infos = [helper.make_tensor_value_info(name, kind, shapes[name]) for name, kind in kinds.items()]
    graph = helper.make_graph(nodes, "dfine", [size, image], infos, initializers)
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8),
        str(tmp_path / "m.onnx"),
    )
    model = load(tmp_path / "m.onnx", confidence=0.4)
    assert model.decoder.name == "rtdetr"
    for result in model.results(frames(count)):
        rows = sorted((*box.tolist(), k) for box, _, k, _ in result.detections)
        scale = FRAME[0] / WIDTH, FRAME[1] / HEIGHT
        wanted = sorted((*(np.array(box) * [*scale, *scale]), k) for *box, k, p in FIRST if p > 0.4)
        np.testing.assert_allclose(rows, wanted, atol=0.01)


def test_a_mask_of_the_picture_is_filled_with_ones(tmp_path):
    """DETR of Hugging Face; the model's logits are those of the object where the mask's mean is one."""
    from headrace.infer.files.known_inputs import image_graph, with_known_inputs

    outputs = {name: array[None] for name, array in queries(FIRST).items()}
    path = constant(tmp_path / "m.onnx", outputs, [("pixel_mask", TensorProto.INT64, [1, 8, 8])])
    model = load(path, decoder="dino")
    assert len(model.results(frames())[0].detections)
    engine = model._engine
    assert engine.graph.inputs == image_graph(engine.graph).inputs
    filled = with_known_inputs(_Echo(), (16, 8)).run({"images": np.zeros((2, 3, 8, 16))})
    assert filled["pixel_mask"].shape == (2, 8, 16)
    assert filled["pixel_mask"].min() == 1


class _Echo:
    graph = ModelGraph(
        "echo.onnx",
        (
            TensorSpec("images", (None, 3, 8, 16), "float32"),
            TensorSpec("pixel_mask", (None, None, None), "int64"),
        ),
        (),
    )

    def run(self, inputs):
        return dict(inputs)


def test_whole_numbers_as_input_get_the_picture_as_it_is(tmp_path):
    case = CASES["YOLO-NAS"]
    path = build(tmp_path / "m.onnx", case, FRAME)
    model = onnx.load(path)
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8
    model.graph.node.insert(0, helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT))
    model.graph.node[1].input[0] = "floats"
    onnx.save(model, str(path))
    options = load(path, labels=tuple("abc")).network.options
    assert (options.scale, options.mean, options.resize) == (1.0, (0.0,) * 3, "letterbox")
