import numpy as np
import onnx
import onnxruntime
import pytest

from headrace.bench.yolo import yolo_module, yolo_onnx
from headrace.bench.yolo.architecture import detector
from headrace.bench.yolo.graph import OnnxSteps
from headrace.errors import ConfigError
from headrace.frames import Frame
from headrace.infer import FrameBatch, InferOptions, load_model
from headrace.source.sim import Scene, SceneOptions


def pictures(width, height, count=2):
    """Frames of a scene, scaled: what a random network finds in noise says little."""
    import cv2

    scene = Scene(SceneOptions("crossroad", 21, 20, 1280, 720, 30, frames=90))
    frames = [cv2.resize(scene.render(30 * number)[0], (width, height)) for number in range(count)]
    return np.stack(frames)[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32) / 255


@pytest.fixture(scope="module")
def fixed(tmp_path_factory):
    return yolo_onnx(tmp_path_factory.mktemp("yolo") / "fixed.onnx", (320, 192))


@pytest.fixture(scope="module")
def opened(tmp_path_factory):
    return yolo_onnx(tmp_path_factory.mktemp("yolo") / "open.onnx", open_size=True)


def onnx_output(path, tensor):
    return onnxruntime.InferenceSession(str(path)).run(None, {"images": tensor})[0]


def same(one, other):
    np.testing.assert_allclose(one[:, 4:], other[:, 4:], atol=1e-3)
    np.testing.assert_allclose(one[:, :4], other[:, :4], rtol=1e-3, atol=1e-2)


def test_fixed_and_open_graphs_say_the_same(fixed, opened):
    tensor = pictures(320, 192)
    expected = onnx_output(fixed, tensor)
    assert expected.shape == (2, 84, 1260)
    same(onnx_output(opened, tensor), expected)
    assert onnx_output(opened, pictures(128, 256, 1)).shape == (1, 84, 672)


def test_openvino_says_the_same(opened):
    openvino = pytest.importorskip("openvino")
    core, tensor = openvino.Core(), pictures(320, 192)
    network = core.compile_model(str(opened), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    same(network(tensor)[0], onnx_output(opened, tensor))


def test_the_torch_module_says_the_same(opened):
    torch = pytest.importorskip("torch")
    tensor = pictures(320, 192)
    module = yolo_module()
    same(module(torch.from_numpy(tensor)).numpy(), onnx_output(opened, tensor))
    assert sum(one.numel() for one in module.parameters()) == pytest.approx(2_616_248, rel=0.001)


def test_parameters_and_operations_are_those_of_yolo11n(fixed):
    steps = OnnxSteps(None)
    detector(steps, "images")
    assert steps.weights.count == 2_616_248
    # 6.5 thousand million operations at 640x640, two for each product that is added.
    work = convolutions(onnx.shape_inference.infer_shapes(onnx.load(fixed)))
    assert 2 * work * (640 * 640) / (320 * 192) == pytest.approx(6.5e9, rel=0.03)


def convolutions(model):
    weights = {one.name: one.dims for one in model.graph.initializer}
    shapes = {one.name: one.type.tensor_type.shape.dim for one in model.graph.value_info}
    total = 0
    for node in model.graph.node:
        if node.op_type == "Conv":
            sides = shapes[node.output[0]][2:]
            total += np.prod(weights[node.input[1]]) * sides[0].dim_value * sides[1].dim_value
    return total


def test_the_decoder_is_guessed_and_a_frame_gives_a_handful_of_boxes(opened):
    model = load_model(opened, InferOptions(input_size=(640, 384)))
    try:
        assert model.decoder.name == "yolov8"
        for scene, seed in (("crossroad", 21), ("highway", 33), ("plaza", 12)):
            picture = Scene(SceneOptions(scene, seed, 20, 1920, 1080, 30, frames=90)).render(60)[0]
            frame = Frame.from_array(np.ascontiguousarray(picture), "BGR")
            (result,) = model.results(FrameBatch([frame]))
            assert 5 <= len(result.detections) <= 40
    finally:
        model.close()


def test_files_are_the_same_each_time(fixed, tmp_path):
    assert yolo_onnx(tmp_path / "again.onnx", (320, 192)).read_bytes() == fixed.read_bytes()


def test_sides_are_multiples_of_32(tmp_path):
    with pytest.raises(ConfigError, match="320x200; use multiples of 32"):
        yolo_onnx(tmp_path / "bad.onnx", (320, 200))
