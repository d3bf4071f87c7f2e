"""Model files as they come: broken, lying, with odd tensors. All give a clear error, or work."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from headrace.errors import ConfigError, HeadraceError, ModelError
from headrace.frames import Frame
from headrace.infer import FrameBatch, InferOptions, describe, load_model
from headrace.infer.decoders.registry import guess_decoders, known_decoders
from headrace.infer.engines import ModelGraph, TensorSpec

OPTIONS = InferOptions(engine="onnxruntime", threads=1)
PICTURES = (1, 3, 32, 32)


def write(path, nodes, inputs, outputs, initializers=(), domain=""):
    """A graph as it is, not looked at by ONNX's checker."""
    graph = helper.make_graph(nodes, "odd", inputs, outputs, initializers)
    opsets = [helper.make_opsetid("", 17), *([helper.make_opsetid(domain, 1)] if domain else [])]
    path.write_bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())
    return path


def tensor(name, shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def gray(level):
    return Frame.from_array(np.full((24, 32, 3), level, np.uint8), "RGB")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 9\n", "Git LFS.*git lfs pull"),
        (b"<!DOCTYPE html>\n<html>404</html>", "is a web page.*download it again"),
        (b"hello", "cannot be loaded by onnxruntime.*copy the file again"),
    ],
    ids=["empty", "lfs", "page", "text"],
)
def test_a_file_that_is_no_model(tmp_path, content, said):
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=rf"net\.onnx.*{said}"):
        describe(path, OPTIONS)


def test_a_folder(tmp_path):
    (tmp_path / "net.onnx").mkdir()
    with pytest.raises(ModelError, match="is a folder"):
        describe(tmp_path / "net.onnx", OPTIONS)


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_half_a_file(make_onnx, yolov8_outputs, keep):
    path = make_onnx(yolov8_outputs)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(ModelError, match=r"tiny\.onnx cannot be loaded.*copy the file again"):
        describe(path, OPTIONS)


def test_weights_in_a_file_that_is_not_there(make_onnx, yolov8_outputs):
    path = make_onnx(yolov8_outputs)
    model = onnx.load(path)
    onnx.save(model, path, save_as_external_data=True, location="tiny.data", size_threshold=200)
    assert describe(path, OPTIONS).decoder == "yolov8"
    path.with_name("tiny.data").unlink()
    with pytest.raises(ModelError, match=r"tiny\.data.*second file that belongs beside it"):
        describe(path, OPTIONS)


def test_an_operator_of_somebody_s_own(tmp_path):
    node = helper.make_node("Magic", ["images"], ["out"], domain="com.acme")
    path = write(
        tmp_path / "net.onnx", [node], [tensor("images", PICTURES)], [tensor("out", (1, 2))], (), "com.acme"
    )
    with pytest.raises(ModelError, match=r"com\.acme:Magic.*an operator is missing.*another engine"):
        describe(path, OPTIONS)


def odd_graphs(folder):
    """Graphs whose tensors have no rank, no numbers or no rows."""
    images, same = [tensor("images", PICTURES)], [helper.make_node("Identity", ["images"], ["out"])]
    sequence = helper.make_tensor_sequence_value_info("out", TensorProto.FLOAT, None)
    return {
        "scalar": write(
            folder / "scalar.onnx",
            [helper.make_node("ReduceMean", ["images"], ["out"], keepdims=0)], images, [tensor("out", ())],
        ),
        "sequence": write(
            folder / "sequence.onnx", [helper.make_node("SequenceConstruct", ["images"], ["out"])], images, [sequence]
        ),
        "text": write(
            folder / "text.onnx", [helper.make_node("Cast", ["images"], ["out"], to=TensorProto.STRING)],
            images, [tensor("out", PICTURES, TensorProto.STRING)],
        ),
        "unknown rank": write(folder / "rank.onnx", same, [tensor("images", None)], [tensor("out", None)]),
        "two images": write(
            folder / "two.onnx", [helper.make_node("Add", ["images", "more"], ["out"])],
            [*images, tensor("more", PICTURES)], [tensor("out", PICTURES)],
        ),
    }  # fmt: skip


def test_odd_graphs_are_described_with_their_tensors(tmp_path):
    for name, path in odd_graphs(tmp_path).items():
        info = describe(path, OPTIONS)
        assert not info.decoder, name
        assert path.name in info.problem, name
        assert str(info.outputs[0]) in info.problem or str(info.inputs[0]) in info.problem, name


def complaint(path, options, frames):
    """What a model says of itself when it cannot be used; empty if it can."""
    try:
        load_model(path, options).results(frames)
    except HeadraceError as error:
        return str(error)
    return ""


def test_a_decoder_that_does_not_fit_says_so_whatever_it_is(tmp_path, make_onnx, yolov8_outputs):
    paths = [
        *odd_graphs(tmp_path).values(),
        make_onnx(yolov8_outputs),
        make_onnx(yolov8_outputs, "flat.onnx", channels=1),
    ]
    frames = FrameBatch([gray(10), gray(200)])
    for path in paths:
        for decoder in known_decoders():
            said = complaint(path, replace(OPTIONS, decoder=decoder, input_size=(32, 32)), frames)
            assert said == "" or path.name in said, decoder


@pytest.mark.parametrize(
    "shape", [(), (0,), (None,), (1, 0), (None, None), (1, 0, 0), (0, 0, 0, 0), (1, 2, 3, 4, 5)], ids=str
)
def test_guessing_bears_any_shape(shape):
    images = TensorSpec("images", PICTURES, "float32")
    for count in (1, 2, 3, 4, 9):
        outputs = tuple(TensorSpec(f"out{n}", shape, "float32") for n in range(count))
        guess_decoders(ModelGraph("odd.onnx", (images,), outputs))


@pytest.mark.parametrize("kind", ["BOOL", "STRING"])
def test_an_input_that_takes_no_numbers(tmp_path, kind):
    path = write(
        tmp_path / "net.onnx", [helper.make_node("Cast", ["images"], ["prob"], to=TensorProto.FLOAT)],
        [tensor("images", (1, 2, 1, 1), getattr(TensorProto, kind))], [tensor("prob", (1, 2, 1, 1))],
    )  # fmt: skip
    said = describe(path, replace(OPTIONS, decoder="classifier")).problem
    assert f"net.onnx: input images {kind.lower()}[1, 2, 1, 1] cannot be filled" in said


@pytest.mark.parametrize("kind", ["DOUBLE", "FLOAT16", "UINT8", "INT32"])
def test_number_types_of_the_input(make_onnx, yolov8_outputs, kind):
    constant, mask = yolov8_outputs["output0"]
    scale = 1 / 255 if kind in ("UINT8", "INT32") else 1
    path = make_onnx({"output0": (constant, mask * scale)}, dtype=getattr(TensorProto, kind))
    (result,) = load_model(path, OPTIONS).results(FrameBatch([gray(255)]))
    assert [round(float(score), 1) for score in result.detections.confidence] == [
        0.9
    ]  # 8 of 32 rows are padding


def test_signed_bytes_have_their_zero_in_the_middle(make_onnx, yolov8_outputs):
    info = describe(make_onnx(yolov8_outputs, dtype=TensorProto.INT8), OPTIONS)
    assert (info.preprocess.scale, info.preprocess.mean) == (1.0, (128.0,) * 3)


def test_a_size_that_no_memory_has(tmp_path):
    path = write(
        tmp_path / "net.onnx", [helper.make_node("GlobalAveragePool", ["images"], ["prob"])],
        [tensor("images", ("n", 3, "h", "w"))], [tensor("prob", ("n", 3, 1, 1))],
    )  # fmt: skip
    model = load_model(path, replace(OPTIONS, decoder="classifier", input_size=(2_000_000, 2_000_000)))
    with pytest.raises(
        ModelError, match=r"2000000x2000000 pixels does not fit in memory.* smaller input_size"
    ):
        model.results(FrameBatch([gray(1)]))


@pytest.mark.parametrize("channels", [2, 4, 9])
def test_channels_that_frames_do_not_have(make_onnx, yolov8_outputs, channels):
    problem = describe(make_onnx(yolov8_outputs, channels=channels), OPTIONS).problem
    assert f"[?, {channels}, 32, 32] takes {channels} channels" in problem
    assert "write a Python model" in problem


@pytest.mark.parametrize(
    "names", ["{0: 'a', 1:", "7", "'ab'", "a,b", "{0: 'a', 5: 'b'}", "[" * 9000, "-" * 90000 + "1"]
)
def test_names_that_cannot_be_read(make_onnx, yolov8_outputs, names):
    path = make_onnx(yolov8_outputs, metadata={"names": names})
    with pytest.raises(ModelError, match=r"tiny\.onnx: metadata names .* give a labels file"):
        describe(path, OPTIONS)
    assert describe(path, replace(OPTIONS, labels=("cat", "dog"))).labels == ("cat", "dog")


@pytest.mark.parametrize("size", ["large", "[-4, 0]", "[1]", "32", ""])
def test_a_size_that_cannot_be_read_is_none(tmp_path, size):
    path = write(
        tmp_path / "net.onnx", [helper.make_node("GlobalAveragePool", ["images"], ["prob"])],
        [tensor("images", ("n", 3, "h", "w"))], [tensor("prob", ("n", 3, 1, 1))],
    )  # fmt: skip
    model = onnx.load(path)
    model.metadata_props.add(key="imgsz", value=size)
    onnx.save(model, path)
    assert describe(path, replace(OPTIONS, decoder="classifier")).input_size == (224, 224)
    problem = describe(path, replace(OPTIONS, decoder="heatmap")).problem
    assert "input images float32[?, 3, ?, ?] has an open size; set input_size" in problem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{oops", "is no JSON"),
        ("[]", "must be a JSON object"),
        ('{"colour": "BGR"}', "has no 'colour', did you mean color"),
        ('{"scale": "fast"}', "scale is 'fast'"),
        ('{"scale": NaN}', "scale is nan"),
        ('{"std": [0, 1, 1]}', "std is"),
        ('{"scale": true}', "scale is True"),
    ],
)
def test_preprocessing_in_the_file_that_cannot_be_used(make_onnx, yolov8_outputs, text, said):
    path = make_onnx(yolov8_outputs, metadata={"headrace.preprocess": text})
    with pytest.raises(ConfigError, match=rf"tiny\.onnx: metadata headrace\.preprocess.*{said}"):
        describe(path, OPTIONS)


def test_a_decoder_in_the_file_that_nobody_knows(make_onnx, yolov8_outputs):
    path = make_onnx(yolov8_outputs, metadata={"headrace.decoder": "yolov88"})
    problem = describe(path, OPTIONS).problem
    assert (
        "tiny.onnx: decoder 'yolov88', named by the file (headrace.decoder), is unknown, did you mean yolov8"
        in problem
    )


@pytest.mark.parametrize("value", ["1/255", 1 / 255])
def test_fractions_in_a_sidecar(make_onnx, yolov8_outputs, value):
    path = make_onnx(yolov8_outputs)
    path.with_name("tiny.onnx.headrace.yaml").write_text(f"preprocess: {{scale: {value}}}\n")
    assert describe(path, OPTIONS).preprocess.scale == pytest.approx(1 / 255)


@pytest.mark.parametrize(
    "text",
    ["preprocess: {scale: fast}", "preprocess: {mean: [1, 2]}", "preprocess: {1: 2}", "input_size: [0, 5]",
     "preprocess: {scale: .inf}"],
)  # fmt: skip
def test_a_sidecar_s_mistake_names_it(make_onnx, yolov8_outputs, text):
    path = make_onnx(yolov8_outputs)
    path.with_name("tiny.onnx.headrace.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"tiny\.onnx\.headrace\.yaml: "):
        describe(path, OPTIONS)


@pytest.mark.parametrize(
    "name", ["odd é 日本 [b]x %s.onnx", "-dash.onnx", "co:lon.onnx", "quote'\".onnx", "UP.ONNX"]
)
def test_names_of_files(make_onnx, yolov8_outputs, name):
    (result,) = load_model(make_onnx(yolov8_outputs, name), OPTIONS).results(FrameBatch([gray(255)]))
    assert len(result.detections) == 1


@pytest.mark.parametrize(
    ("content", "labels"),
    [(b"\xef\xbb\xbfcat\ndog\n\n\n", 2), (b"cat\r\ndog\r\n", 2), (b"cat\n\ndog\n", 3), (b"cat\n", 1), (b"\n \n", 0),
     (b"\xff\xfe\x00", 0)],
    ids=["bom", "crlf", "blank within", "few", "none", "binary"],
)  # fmt: skip
def test_files_of_labels(tmp_path, make_onnx, yolov8_outputs, content, labels):
    path, file = make_onnx(yolov8_outputs), tmp_path / "names.txt"
    file.write_bytes(content)
    options = replace(OPTIONS, labels=file)
    if labels == 2:
        assert describe(path, options).labels == ("cat", "dog")
        return
    with pytest.raises(
        ConfigError, match="names.txt" if labels == 0 else f"given are {labels}, .* 2 classes"
    ):
        describe(path, options)
