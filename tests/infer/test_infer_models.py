"""Models from files and from Python classes, end to end."""

import textwrap
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from headrace.errors import ConfigError, ModelError
from headrace.frames import Frame
from headrace.infer import (
    Detector,
    FileModel,
    FrameBatch,
    InferOptions,
    PreprocessOptions,
    describe,
    load_model,
)

OPTIONS = InferOptions(threads=1)


def detected(model, batch):
    return [result.detections for result in model.results(batch)]


def gray(level, width=64, height=32):
    return Frame.from_array(np.full((height, width, 3), level, np.uint8), "RGB")


def stretched(**values):
    return PreprocessOptions(resize="stretch", **values)


@pytest.mark.parametrize("channels_last", [False, True], ids=["NCHW", "NHWC"])
@pytest.mark.parametrize("batch", ["batch", 1, 3], ids=str)
def test_a_file_detects_in_frame_pixels(make_onnx, yolov8_outputs, batch, channels_last):
    path = make_onnx(yolov8_outputs, batch=batch, channels_last=channels_last)
    model = load_model(path, replace(OPTIONS, preprocess=stretched()))
    frames = [gray(255), gray(0), gray(128), gray(204, 128, 128)]
    found = detected(model, FrameBatch(frames))
    assert [len(one) for one in found] == [1, 0, 1, 1]
    assert found[0].xyxy.tolist() == [[24, 10, 40, 14]]
    assert found[3].xyxy.tolist() == [[48, 40, 80, 56]]
    assert [round(float(one.confidence[0]), 2) for one in found if len(one)] == [1.0, 0.5, 0.8]
    assert found[0].class_id.tolist() == [1]
    assert model.labels == ("class 0", "class 1")


def test_a_network_with_one_channel_is_fed_gray(make_onnx, yolov8_outputs):
    model = load_model(make_onnx(yolov8_outputs, channels=1), OPTIONS)
    (found,) = detected(model, FrameBatch([gray(204, 32, 32)]))
    assert found.confidence.tolist() == [pytest.approx(0.8, abs=1e-3)]


def test_letterboxed_boxes_are_mapped_back_and_clipped(make_onnx, yolov8_outputs):
    constant, mask = yolov8_outputs["output0"]
    constant[0, :4, 3] = 16, 16, 60, 10  # wider than the picture, and partly over the padding
    constant[0, :4, 4] = 16, 3, 30, 4  # on the padding only
    mask[0, 5, 4] = 1
    preprocess = PreprocessOptions(pad_value=255)
    model = load_model(make_onnx({"output0": (constant, mask)}), replace(OPTIONS, preprocess=preprocess))
    (found,) = detected(model, FrameBatch([gray(255)]))
    assert found.xyxy.tolist() == [[0, 6, 64, 26]]


def test_overlaps_of_one_class_are_suppressed_and_classes_chosen(make_onnx, yolov8_outputs):
    constant, mask = yolov8_outputs["output0"]
    constant[0, :4, 4] = 16, 12, 8, 4.2
    constant[0, 5, 4] = 0.1
    constant[0, :4, 5] = 16, 12, 8, 4
    mask[0, [5, 4], [4, 5]] = 0.5
    path = make_onnx({"output0": (constant, mask)})
    preprocess = stretched()
    (found,) = detected(load_model(path, replace(OPTIONS, preprocess=preprocess)), FrameBatch([gray(255)]))
    assert sorted(found.class_id.tolist()) == [0, 1]
    options = replace(OPTIONS, preprocess=preprocess, classes=(0,))
    (found,) = detected(load_model(path, options), FrameBatch([gray(255)]))
    assert found.class_id.tolist() == [0]
    options = replace(OPTIONS, preprocess=preprocess, nms=1.0, max_detections=2)
    (found,) = detected(load_model(path, options), FrameBatch([gray(255)]))
    np.testing.assert_allclose(found.confidence, [1.0, 0.6], rtol=1e-5)


def test_half_precision_and_uint8_inputs_are_fed_as_they_are(make_onnx, yolov8_outputs):
    kinds = ((TensorProto.FLOAT16, stretched(), 255), (TensorProto.UINT8, stretched(scale=1.0), 1))
    for kind, options, level in kinds:
        path = make_onnx(yolov8_outputs, dtype=kind, batch=1)
        (found,) = detected(load_model(path, replace(OPTIONS, preprocess=options)), FrameBatch([gray(level)]))
        assert len(found) == 1


def test_the_file_can_describe_its_own_preprocessing_and_decoder(make_onnx, yolov8_outputs):
    metadata = {"headrace.preprocess": '{"resize": "stretch", "color": "BGR"}', "headrace.decoder": "yolov8"}
    model = load_model(make_onnx(yolov8_outputs, metadata=metadata), OPTIONS)
    assert isinstance(model, FileModel)
    assert model.network.options == PreprocessOptions(resize="stretch", color="BGR")


def test_labels_come_from_the_user_then_the_file(make_onnx, yolov8_outputs, tmp_path):
    names = make_onnx(yolov8_outputs, metadata={"names": "{0: 'cat', 1: 'dog'}"})
    assert load_model(names, OPTIONS).labels == ("cat", "dog")
    listed = make_onnx(yolov8_outputs, name="list.onnx", metadata={"names": '["cat", "dog"]'})
    assert load_model(listed, OPTIONS).labels == ("cat", "dog")
    file = tmp_path / "labels.txt"
    file.write_text("one\r\ntwo\n\n", encoding="utf-8")
    assert load_model(names, replace(OPTIONS, labels=file)).labels == ("one", "two")
    assert load_model(names, replace(OPTIONS, labels=("x", "y"))).labels == ("x", "y")


def test_wrong_label_counts_name_both_counts(make_onnx, yolov8_outputs, tmp_path):
    path = make_onnx(yolov8_outputs)
    with pytest.raises(ConfigError, match=r"are 3, but .* has 2 classes"):
        load_model(path, replace(OPTIONS, labels=("a", "b", "c"), decoder="yolov8"))
    stored = make_onnx(yolov8_outputs, name="s.onnx", metadata={"names": "{0: 'a'}"})
    with pytest.raises(ModelError, match=r"are 1, but .* has 2 classes"):
        load_model(stored, OPTIONS)
    for labels, word in ((tmp_path / "gone.txt", "cannot be read"), ((), "no label")):
        with pytest.raises(ConfigError, match=word):
            load_model(path, replace(OPTIONS, labels=labels))


def test_broken_metadata_is_named(make_onnx, yolov8_outputs):
    for names in ("{0: 'a'", "{0: 'a', 2: 'b'}", "5"):
        with pytest.raises(ModelError, match="names"):
            load_model(make_onnx(yolov8_outputs, metadata={"names": names}), OPTIONS)


def test_open_sizes_need_a_size(make_onnx, yolov8_outputs):
    path = make_onnx(yolov8_outputs, size="any")
    options = replace(OPTIONS, labels=("a", "b"), decoder="yolov8", preprocess=stretched())
    with pytest.raises(ModelError, match="input_size"):
        load_model(path, replace(options, decoder="nanodet"))  # which has no usual size
    assert describe(path, options).input_size == (640, 640)
    model = load_model(path, replace(options, input_size=(32, 32)))
    assert len(detected(model, FrameBatch([gray(255)]))[0]) == 1
    stored = make_onnx(yolov8_outputs, size="any", metadata={"imgsz": "[32, 64]"})
    assert describe(stored, options).input_size == (64, 32)


def test_a_decoder_that_cannot_read_the_outputs_is_named(make_onnx, yolov8_outputs):
    options = replace(OPTIONS, decoder="yolox", preprocess=stretched())
    model = load_model(make_onnx(yolov8_outputs), replace(options, confidence=0.0))
    with pytest.raises(ModelError, match=r"decoder yolox cannot read.*output0"):
        detected(model, FrameBatch([gray(255)]))


def test_a_file_may_be_run_by_several_threads_at_once(make_onnx, yolov8_outputs):
    model = load_model(make_onnx(yolov8_outputs), replace(OPTIONS, confidence=0, preprocess=stretched()))

    def brightest(level):
        found = detected(model, FrameBatch([gray(level), gray(255 - level)]))
        return [float(one.confidence.max()) for one in found]

    levels = list(range(0, 256, 5)) * 4
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(brightest, levels))
    expected = [(level / 255, 1 - level / 255) for level in levels]
    np.testing.assert_allclose(results, expected, atol=1e-5)


def test_a_classifier_is_recognised_and_gives_probabilities(make_onnx):
    constant, mask = np.array([[0.2, 0.0, 0.1]]), np.array([[0.0, 3.0, 0.0]])
    path = make_onnx({"logits": (constant, mask)}, metadata={"names": "['a', 'b', 'c']"})
    model = load_model(path, replace(OPTIONS, preprocess=stretched()))
    assert model.decoder.task == "classify"
    bright, dark = (result.labels[0] for result in model.results(FrameBatch([gray(255), gray(0)])))
    weights = np.exp([0.2, 3.0, 0.1])
    assert (bright.class_id, bright.label) == (1, "b")
    assert bright.prob == pytest.approx(weights[1] / weights.sum(), rel=1e-4)
    assert (dark.class_id, dark.label) == (0, "a")


def test_a_detector_is_no_classifier(make_onnx, yolov8_outputs):
    model = load_model(make_onnx(yolov8_outputs), replace(OPTIONS, decoder="classifier"))
    with pytest.raises(ModelError, match=r"decoder classifier cannot read.*output0"):
        model.results(FrameBatch([gray(255)]))


def test_describe_tells_tensors_decoder_and_problems(make_onnx, yolov8_outputs):
    info = describe(make_onnx(yolov8_outputs), replace(OPTIONS, engine="onnxruntime"))
    assert (info.decoder, info.engine, info.labels) == ("yolov8", "onnxruntime", ("class 0", "class 1"))
    assert info.input_size == (32, 32)
    odd = {"x": (np.zeros((1, 2, 3, 4, 5)), np.zeros((1, 2, 3, 4, 5)))}
    info = describe(make_onnx(odd, name="odd.onnx"))
    assert info.decoder == ""
    assert "known decoders" in info.problem
    assert [str(spec) for spec in info.outputs] == ["x float32[?, 2, 3, 4, 5]"]


@pytest.mark.parametrize("shapes", [[], [[1, 3, 8, 8], [1, 2]], [["n", 5]]], ids=str)
def test_models_that_frames_cannot_feed_are_refused_when_loaded(tmp_path, shapes):
    names = [f"in{number}" for number in range(len(shapes))]
    values = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in zip(names, shapes, strict=True)
    ]
    node = helper.make_node("Constant", [], ["out"], value_floats=[1.0])
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, [1])
    graph = helper.make_graph([node], "odd", values, [out])
    path = tmp_path / "odd.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))
    with pytest.raises(ModelError, match="one input") as caught:
        load_model(path, OPTIONS)
    assert all(name in str(caught.value) for name in names)
    assert "one input" in describe(path).problem


def write(folder, code, name="mine.py"):
    path = folder / name
    path.write_text("from headrace.infer import Detector, Classifier\n" + textwrap.dedent(code))
    return path


def test_a_class_in_a_python_file(tmp_path):
    write(tmp_path, "SIZE = 7\n", "neighbour_of_mine.py")
    path = write(
        tmp_path,
        """
        from headrace.meta import Detections
        from neighbour_of_mine import SIZE

        class Mine(Detector):
            labels = ("thing",)

            def load(self, options):
                self.confidence = options.confidence

            def infer(self, frames):
                tensor = frames.letterbox(64)
                assert tensor.shape == (len(frames), 3, 64, 64)
                return [
                    Detections(frames.to_frame_pixels(i, [[0, 0, 64, 64]]), [self.confidence], [0])
                    for i in range(len(frames))
                ]
        """,
    )
    model = load_model(f"{path}:Mine", InferOptions(confidence=0.6))
    found = detected(model, FrameBatch([gray(1), gray(2, 20, 80)]))
    assert [one.xyxy.tolist() for one in found] == [[[0, 0, 64, 32]], [[0, 0, 20, 80]]]
    assert found[0].confidence.tolist() == [pytest.approx(0.6)]
    assert type(load_model(f"{path}:Mine")) is not type(model)
    assert load_model(f"{path}:Mine", InferOptions(labels=("cat",))).labels == ("cat",)
    with pytest.raises(ModelError, match=r"are 2, but .* has 1 classes"):
        load_model(f"{path}:Mine", InferOptions(labels=("cat", "dog")))


def test_a_class_in_a_module(tmp_path, monkeypatch):
    write(
        tmp_path, "class Deep(Detector):\n    def infer(self, frames):\n        return []\n", "deep_module.py"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert isinstance(load_model("deep_module:Deep"), Detector)


BROKEN = [
    ("1 / 0", "X", "ZeroDivisionError", ZeroDivisionError),
    ("def (:", "X", "SyntaxError", SyntaxError),
    ("import no_such_library_here", "X", "ModuleNotFoundError", ImportError),
    ("class X(Detector): pass", "X", "abstract", TypeError),
    (
        "class X(Detector):\n    infer = None\n    def load(self, o): raise KeyError('weights')",
        "X",
        "weights",
        KeyError,
    ),
    ("class X: pass", "X", "derived from headrace.Detector", None),
    ("X = 5", "X", "derived from headrace.Detector", None),
    ("", "Y", "there is no 'Y'", None),
]


@pytest.mark.parametrize(
    ("code", "name", "word", "cause"), BROKEN, ids=[row[2] + str(i) for i, row in enumerate(BROKEN)]
)
def test_errors_in_user_code_keep_their_cause(tmp_path, code, name, word, cause):
    path = write(tmp_path, code)
    with pytest.raises(ModelError, match=word) as caught:
        load_model(f"{path}:{name}")
    assert str(path) in str(caught.value)
    if cause is not None:
        assert isinstance(caught.value.__cause__, cause)
        assert caught.value.__cause__.__traceback__ is not None


@pytest.mark.parametrize("spec", ["gone.py:X", "gone.onnx", "no_such_package_1:X", "mine.py", "net.xyz", ""])
def test_missing_models_are_named(spec, tmp_path):
    with pytest.raises(ModelError, match=spec.split(":")[0] or "model"):
        load_model(spec)


def test_frame_batches_give_rgb_views_and_dlpack():
    rgb = Frame.from_array(np.arange(2 * 4 * 3, dtype=np.uint8).reshape(2, 4, 3), "RGB")
    bgr = Frame.from_array(rgb.planes[0][..., ::-1].copy(), "BGR")
    batch = FrameBatch([rgb, bgr])
    assert [frame.format for frame in batch] == ["RGB", "BGR"]
    np.testing.assert_array_equal(*batch.numpy())
    assert np.shares_memory(batch.numpy()[0], rgb.planes[0])
    rgb.planes[0].flags.writeable = False
    np.testing.assert_array_equal(np.from_dlpack(batch.dlpack()[0]), rgb.planes[0])
    with pytest.raises(ModelError, match="letterbox"):
        batch.to_frame_pixels(0, [[0, 0, 1, 1]])


def test_torch_frames_or_a_typed_error():
    batch = FrameBatch([gray(9)])
    try:
        import torch
    except ImportError:
        with pytest.raises(ModelError, match="headrace\\[torch\\]"):
            batch.torch()
    else:
        assert batch.torch()[0].shape == torch.Size([32, 64, 3])


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"confidence": 1.5}, "confidence"),
        ({"nms": -1}, "nms"),
        ({"max_detections": 0}, "max_detections"),
        ({"batch_size": -1}, "batch_size"),
        ({"input_size": (0, 5)}, "input_size"),
    ],
)
def test_options_out_of_bounds_are_refused(values, word):
    with pytest.raises(ConfigError, match=word):
        InferOptions(**values)
