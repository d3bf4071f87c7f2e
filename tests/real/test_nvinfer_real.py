"""Real models under nvinfer's configuration files, beside the same models under hrinfer."""

import numpy as np
import pytest
from chains import Chain
from plain_yolox import CARS, PEOPLE, REAL, agreement

from headrace.flow import BufferOperator, Probe

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not (REAL / "models").is_dir(), reason="HEADRACE_REAL has no models"),
]
CONFIDENCE = 0.4
YOLOX = ["model-color-format=1", "net-scale-factor=1.0", "maintain-aspect-ratio=1"]
YOLOV8 = [
    "net-scale-factor=0.0039215697906911373",
    "maintain-aspect-ratio=1",
    "symmetric-padding=1",
    "custom-lib-path=libnvdsinfer_custom_impl_Yolo.so",
    "parse-bbox-func-name=NvDsInferParseYolo",
    "infer-dims=3;640;640",
]


class EveryNth(BufferOperator):
    """Spares the models most frames."""

    def __init__(self, step):
        self.step, self.count = step, -1

    def handle_buffer(self, buffer):
        self.count += 1
        return self.count % self.step == 0


def played(clip, *element):
    chain = Chain([REAL / "videos" / clip], element)
    chain.pipeline.attach("mux", Probe("every", EveryNth(20)))
    result = chain.play(150)
    assert result.error is None
    return [seen.found for seen in result.frames[0]]


@pytest.mark.parametrize(
    ("name", "lines", "clip"),
    [("yolox_nano", YOLOX, PEOPLE), ("yolox_nano", YOLOX, CARS), ("yolov8n_int8_dynamic", YOLOV8, CARS)],
    ids=["yolox on people", "yolox on cars", "yolov8 on cars"],
)
def test_a_configuration_finds_what_the_models_own_settings_find(tmp_path, name, lines, clip):
    model, path = REAL / "models" / f"{name}.onnx", tmp_path / "pgie.txt"
    text = [f"onnx-file={model}", "num-detected-classes=80", "cluster-mode=2", *lines, "[class-attrs-all]"]
    text += [f"pre-cluster-threshold={CONFIDENCE}", "nms-iou-threshold=0.45"]
    path.write_text("\n".join(["[property]", *text]))
    theirs = played(clip, "nvinfer", {"config-file-path": str(path)})
    options = {"model": str(model), "confidence": CONFIDENCE, "threads": 2, "rectangular": False}
    ours = played(clip, "hrinfer", options)
    truth = [[(float(score), int(number), box) for box, score, number, _ in found] for found in ours]
    f1, hits = agreement(list(zip(theirs, truth, strict=True)))
    assert hits >= 5
    # The models pad with grey; a configuration with black. In eight bits that moves more boxes, engine by engine.
    assert f1 >= (0.85 if "int8" in name else 0.9)


def test_a_classifier_of_a_configuration_names_what_the_runtime_names(tmp_path):
    import onnxruntime

    from headrace.frames import Frame
    from headrace.infer import FrameBatch
    from headrace.infer.nvinfer import NvInferNetwork, checked, read_config

    model = REAL / "models" / "mobilenet_v2_quant.onnx"
    path = tmp_path / "sgie.txt"
    path.write_text(
        f"[property]\nonnx-file={model}\nnetwork-type=1\nnet-scale-factor=0.0078125\noffsets=128;128;128\n"
    )
    network = NvInferNetwork(checked(read_config(path)))
    pictures = np.random.default_rng(1).integers(
        0, 255, (3, network.info.height, network.info.width, 3), np.uint8
    )
    results = network.results(FrameBatch([Frame.from_array(picture, "RGB") for picture in pictures]))
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    for picture, result in zip(pictures, results, strict=True):
        row = ((picture.astype(np.float32) - 128) / 128).transpose(2, 0, 1)[None]
        (scores,) = session.run(None, {session.get_inputs()[0].name: row})
        (label,) = result.labels
        assert label.class_id == scores.reshape(-1).argmax()
        assert label.prob == pytest.approx(float(scores.max()), abs=1e-3)
    network.close()
