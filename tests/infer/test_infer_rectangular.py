"""Wide and tall frames run without most of the padding of a square, and give the same detections."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import open_models
import pytest
from waiting import wait_until

from headrace.elements.inference.model_slot import ModelSlot
from headrace.frames import Frame
from headrace.infer import FrameBatch, InferOptions, InferStage, describe, load_model
from headrace.infer.decoders.registry import known_decoders
from headrace.infer.engines import EngineOptions, ModelGraph, TensorSpec, open_engine, resize
from headrace.infer.nvinfer import NvInferNetwork, checked, read_config
from headrace.infer.preprocess import PreprocessOptions, least_size, place
from headrace.infer.shadow import Shadow

CENTRED = {"padding": "centre"}
WIDE, TALL, OLD, SQUARE = (640, 360), (360, 640), (640, 480), (500, 500)
ENGINES = {
    "onnxruntime": ("onnxruntime", lambda folder: open_models.onnx(folder, metadata={"imgsz": "[320, 320]"})),
    "openvino": ("openvino", lambda folder: open_models.onnx(folder, metadata={"imgsz": "[320, 320]"})),
    "openvino-fixed": ("openvino", lambda folder: open_models.onnx(folder, (320, 320))),
    "torchscript": ("torch", open_models.torchscript),
    "torch-export": ("torch", open_models.pt2),
}


def picture(size, seed=0):
    """Blocks of all brightnesses, smooth and sharp, so that every cell's score is another."""
    random = np.random.default_rng(seed)
    rows = random.integers(0, 256, (size[1] // 20 + 1, size[0] // 20 + 1, 1), np.uint8)
    blocks = np.kron(rows, np.ones((20, 20, 3), np.uint8))[: size[1], : size[0]]
    return Frame.from_array(np.ascontiguousarray(blocks), "RGB")


@pytest.fixture(params=sorted(ENGINES))
def opened(request, tmp_path):
    """Opens the model, on the engine, as a stage; all boxes come out."""
    engine, write = ENGINES[request.param]
    pytest.importorskip(engine)
    pytest.importorskip("onnx")
    path, stages = write(tmp_path), []

    def make(**options):
        given = {"preprocess": CENTRED, "engine": engine, "confidence": 0.5, "nms_mode": "none", **options}
        settings = InferOptions(threads=1, precision="f32", decoder="yolox", max_detections=10_000, **given)
        stages.append(InferStage(load_model(path, settings), settings))
        return stages[-1]

    yield make
    for stage in stages:
        stage.close()
        stage.model.close()


def ordered(result):
    found = result.detections
    rows = np.hstack([found.xyxy, found.confidence[:, None], found.class_id[:, None]])
    return rows[np.lexsort(rows.round(2).T)]


def alike(first, second):
    for one, other in zip(first, second, strict=True):
        assert len(one.detections) > 20
        np.testing.assert_allclose(ordered(one), ordered(other), atol=2e-3)


@pytest.mark.parametrize(
    ("frame", "size"),
    [
        (WIDE, (320, 192)), (TALL, (192, 320)), (OLD, (320, 256)), (SQUARE, (320, 320)), ((333, 187), (320, 192)),
        ((1283, 719), (320, 192)), ((640, 420), (320, 256)), ((900, 101), (320, 64)), ((97, 640), (64, 320)),
    ],
    ids=str,
)  # fmt: skip
def test_the_same_detections_as_in_the_square(opened, frame, size):
    stage, square = opened(), opened(rectangular=False)
    frames = [picture(frame, 1), picture(frame, 2)]
    found = stage.run(frames)
    assert stage.model.network.size == size
    alike(found, square.run(frames))
    assert square.model.network.size == (320, 320)


def test_frames_of_several_shapes_in_one_batch(opened):
    stage, square = opened(), opened(rectangular=False)
    frames = [picture(WIDE, 1), picture(OLD, 2), picture((1920, 1080), 3)]
    found = stage.run(frames)
    assert stage.model.network.size == (320, 256)
    alike(found, square.run(frames))


def test_wide_and_tall_frames_together_need_the_square(opened):
    stage, square = opened(), opened(rectangular=False)
    frames = [picture(WIDE, 1), picture(TALL, 2)]
    found = stage.run(frames)
    assert stage.model.network.size == (320, 320)
    alike(found, square.run(frames))


def test_a_change_of_size_in_the_stream_lets_the_input_grow_and_never_shrink(opened):
    stage, square, sizes = opened(), opened(rectangular=False), []
    for frame in (WIDE, (768, 432), OLD, WIDE, TALL, WIDE):
        frames = [picture(frame)]
        alike(stage.run(frames), square.run(frames))
        sizes.append(stage.model.network.size)
    assert sizes == [(320, 192), (320, 192), (320, 256), (320, 256), (320, 320), (320, 320)]


def test_regions_are_looked_at_in_the_whole_input(opened):
    stage, square = opened(), opened(rectangular=False)
    frames, regions = [picture(WIDE)] * 2, [(0, 0, 640, 200), (100, 0, 200, 300)]
    alike(stage.run(frames, regions), square.run(frames, regions))
    assert stage.model.network.size == (320, 320)
    alike(stage.run(frames), square.run(frames))  # those that share the model go on as they began
    assert stage.model.network.size == (320, 320)


def test_the_raw_outputs_tell_the_size_that_the_network_had(opened):
    (result,) = opened(output_tensors=True).run([picture((640, 340))])
    tensors = result.tensors
    assert tensors.network_size == (320, 192, 3)
    assert (
        tensors.layers["output" if "output" in tensors.layers else "output0"].shape[0]
        == 40 * 24 + 20 * 12 + 60
    )
    assert (tensors.scale, tensors.offset) == ((0.5, 0.5), (0, 11))


@pytest.mark.parametrize(
    "options",
    [{"input_size": (320, 320)}, {"rectangular": False}, {"preprocess": {"resize": "stretch"}}],
    ids=str,
)
def test_the_square_stays_where_it_is_asked_for(opened, options):
    stage = opened(**options)
    stage.run([picture(WIDE)])
    assert stage.model.network.size == (320, 320)


def test_frames_at_the_top_left_lose_the_padding_below(opened):
    stage, square = opened(preprocess=None), opened(preprocess=None, rectangular=False)
    frames = [picture(WIDE), picture((700, 400))]
    alike(stage.run(frames), square.run(frames))
    assert stage.model.network.size == (320, 192)


def test_many_threads_after_the_size_is_set(opened):
    stage, square = opened(), opened(rectangular=False)
    frames = [picture(WIDE, seed) for seed in range(6)]
    stage.run(frames)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda frame: stage.model.results(FrameBatch([frame]))[0], frames))
    alike(found, square.run(frames))
    assert stage.model.fits(FrameBatch(frames))
    assert not stage.model.fits(FrameBatch([picture(OLD)]))


def run_at(path, engine, frame=WIDE, **options):
    """What is found, the size that it was found at, and messages."""
    settings = InferOptions(
        threads=1, confidence=0.5, nms_mode="none", decoder="yolox", engine=engine, **options
    )
    model = load_model(path, settings)
    stage = InferStage(model, settings)
    found = stage.run([picture(frame)])
    stage.close()
    model.close()
    return found, model.network.size


def test_onnxruntime_keeps_the_size_of_a_fixed_graph(tmp_path, caplog):
    pytest.importorskip("onnx")
    path = open_models.onnx(tmp_path, (320, 320))
    caplog.set_level(logging.DEBUG, "headrace.infer")
    _, size = run_at(path, "onnxruntime")
    assert size == (320, 320)
    assert [one.levelname for one in caplog.records if "keeps its size" in one.message] == ["DEBUG"]


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino", "torch"])
@pytest.mark.parametrize("size", [None, (320, 320)], ids=["open axes", "fixed"])
def test_baked_numbers_of_cells_keep_the_square(tmp_path, caplog, engine, size):
    pytest.importorskip("onnx")
    pytest.importorskip(engine)
    caplog.set_level(logging.DEBUG, "headrace.infer")
    metadata = {"imgsz": "[320, 320]"}
    write = open_models.onnx
    if engine == "torch":
        path = open_models.torchscript(tmp_path, baked=True)
    else:
        path = write(tmp_path, size, cells=[1600, 400, 100], metadata=metadata)
    found, used = run_at(path, engine)
    assert used == (320, 320)
    alike(found, run_at(path, engine, rectangular=False)[0])
    assert not [one for one in caplog.records if one.levelno > logging.INFO]
    assert any("keeps its size" in one.message for one in caplog.records)


def test_outputs_that_do_not_follow_the_size_keep_the_square(make_onnx, yolov8_outputs):
    pytest.importorskip("openvino")
    constant = np.zeros((1, 6, 8400), np.float32)
    model = load_model(
        make_onnx({"output0": (constant, constant)}, size=640), InferOptions(engine="openvino")
    )
    stage = InferStage(model, InferOptions())
    stage.run([picture(WIDE)])
    assert model.network.size == (640, 640)
    stage.close()


def test_the_file_beside_the_model_has_the_last_word(tmp_path):
    pytest.importorskip("onnx")
    path = open_models.onnx(tmp_path)
    path.with_name("open.onnx.headrace.yaml").write_text("input_size: [256, 256]\n")
    assert run_at(path, "onnxruntime")[1] == (256, 256)
    path.with_name("open.onnx.headrace.yaml").write_text("decoder: yolox\n")
    assert run_at(path, "onnxruntime")[1] == (640, 384)


def test_one_line_tells_the_size(tmp_path, caplog):
    pytest.importorskip("onnx")
    caplog.set_level(logging.INFO, "headrace.infer.files")
    run_at(open_models.onnx(tmp_path), "onnxruntime")
    (said,) = (one.message for one in caplog.records if one.name.endswith("file_model"))
    assert said.endswith("frames of 640x360 run at 640x384 instead of 640x640")


def test_inspecting_tells_the_size_of_wide_frames(tmp_path):
    pytest.importorskip("onnx")
    options = InferOptions(decoder="yolox", engine="onnxruntime")
    assert describe(open_models.onnx(tmp_path), options).wide_size == (640, 384)
    fixed = describe(open_models.onnx(tmp_path, (320, 320), name="fixed.onnx"), options)
    assert fixed.wide_size == fixed.input_size == (320, 320)


def test_what_is_saved_beside_the_model_does_not_name_a_size_that_frames_decide(tmp_path):
    pytest.importorskip("onnx")
    options = InferOptions(decoder="yolox", engine="onnxruntime")
    path = open_models.onnx(tmp_path)
    assert "input_size" not in describe(path, options).as_sidecar()
    assert describe(path, replace(options, input_size=(320, 320))).as_sidecar()["input_size"] == [320, 320]
    fixed = open_models.onnx(tmp_path, (320, 320), name="fixed.onnx")
    assert describe(fixed, options).as_sidecar()["input_size"] == [320, 320]


def test_engines_say_whether_they_can_have_a_size(tmp_path):
    pytest.importorskip("onnx")
    fixed, free = open_models.onnx(tmp_path, (320, 320), name="fixed.onnx"), open_models.onnx(tmp_path)
    for path, may in ((fixed, False), (free, True)):
        engine = open_engine(path, "onnxruntime", EngineOptions(threads=1))
        assert resize(engine, 320, 192) is may
        assert resize(engine, 320, 320)
        engine.close()


@pytest.mark.parametrize("path", ["onnx", "torchscript"])
def test_a_graph_tells_the_size_that_it_was_given(tmp_path, path):
    engine = {"onnx": "openvino", "torchscript": "torch"}[path]
    pytest.importorskip(engine)
    write = getattr(open_models, path)
    opened = open_engine(write(tmp_path, (320, 320)), engine, EngineOptions(threads=1))
    assert resize(opened, 320, 192)
    assert opened.graph.input_size() == (320, 192)
    (output,) = opened.graph.outputs
    assert output.shape[1] == open_models.cells_of((320, 192))
    tensor = np.zeros((1, 3, 192, 320), np.float32)
    (rows,) = opened.run({opened.graph.inputs[0].name: tensor}).values()
    assert rows.shape == (1, output.shape[1], 7)
    opened.close()
    assert not resize(opened, 320, 256) or engine == "torch"


@pytest.mark.parametrize("padding", ["centre", "topleft"])
@pytest.mark.parametrize("step", [16, 32, 64])
def test_frames_keep_scale_and_place_on_the_cells(padding, step):
    options, random = PreprocessOptions(padding=padding), np.random.default_rng(0)
    for width, height, columns, rows in random.integers(1, 2500, (400, 4)).tolist():
        whole = step * (columns // 200 + 1), step * (rows // 200 + 1)
        size = least_size((width, height), whole, step, options)
        before, after = place((width, height), whole, options), place((width, height), size, options)
        assert after.size == before.size
        assert (before.left - after.left) % step == (before.top - after.top) % step == 0
        assert all(0 < now <= was and now % step == 0 for now, was in zip(size, whole, strict=True))
        assert after.left + after.size[0] <= size[0]
        assert after.top + after.size[1] <= size[1]


class Noting:
    """Loads the model, and notes at which size it was when a batch came."""

    def __init__(self, path, engine):
        self.options = InferOptions(threads=1, decoder="yolox", engine=engine, model=str(path))
        self.model = load_model(path, self.options)
        self.at_work, results = [], self.model.results

        def noted(frames):
            self.at_work.append(self.model.network.size)
            return results(frames)

        self.model.results = noted


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino", "torch"])
def test_a_model_that_takes_anothers_place_has_its_size_before(tmp_path, engine):
    pytest.importorskip("onnx")
    pytest.importorskip(engine)
    path = (
        open_models.torchscript(tmp_path)
        if engine == "torch"
        else open_models.onnx(tmp_path, metadata={"imgsz": "[320, 320]"})
    )
    first, second = Noting(path, engine), Noting(path, engine)
    slot = ModelSlot(first.model, first.options)
    slot.submit([picture(WIDE)] * 2).result(60)
    slot.swap(lambda: second.model).result(60)
    assert slot.model is second.model
    tried = list(second.at_work)
    assert tried[-1] == (320, 192)
    assert second.model.fits(FrameBatch([picture(WIDE)]))
    slot.submit([picture(WIDE)] * 2).result(60)
    assert second.at_work == [*tried, (320, 192)]
    slot.close()


def test_a_candidate_in_the_shadow_has_the_size_that_it_would_have_at_work(tmp_path):
    pytest.importorskip("onnx")
    path, told = open_models.onnx(tmp_path, metadata={"imgsz": "[320, 320]"}), []
    first, second = Noting(path, "onnxruntime"), Noting(path, "onnxruntime")
    slot = ModelSlot(first.model, first.options)
    slot.shadow = shadow = Shadow("second", lambda: second.model, second.options, 10.0, told.append)
    wait_until(lambda: slot.submit([picture(WIDE)]).result(60) and shadow.report()["batches"])
    assert shadow.report()["f1"] == 1.0
    assert second.at_work[-1] == first.at_work[-1] == (320, 192)
    assert shadow.close(60)
    slot.close()
    assert told == []


def test_configurations_of_nvinfer_keep_the_size_that_they_name(tmp_path):
    pytest.importorskip("onnx")
    path = open_models.onnx(tmp_path)
    (tmp_path / "pgie.txt").write_text(
        f"[property]\nonnx-file={path}\nnetwork-type=100\nmaintain-aspect-ratio=1\ninfer-dims=3;320;320\n"
    )
    network = NvInferNetwork(checked(read_config(tmp_path / "pgie.txt")))
    stage = InferStage(network, InferOptions())
    (result,) = stage.run([picture(WIDE)])
    assert result.tensors.network_size == (320, 320, 3)
    assert result.tensors.layers["output"].shape == (2100, 7)
    stage.close()
    network.close()


PIXELS = TensorSpec("images", (1, 3, 640, 640), "float32")


@pytest.mark.parametrize(
    ("decoder", "outputs", "metadata", "step"),
    [
        ("yolov8", [(1, 84, 8400)], {}, 32),
        ("yolov8", [(1, 84, 8500)], {}, 64),
        ("yolov8", [(1, 84, None)], {}, 32),
        ("yolov8", [(1, 84, None)], {"stride": "64"}, 64),
        ("yolov8seg", [(1, 116, 8400), (1, 32, 160, 160)], {}, 32),
        ("yolov5", [(1, 25500, 85)], {}, 64),
        ("yolov10", [(1, 300, 6)], {}, 32),
        ("yolo26pose", [(1, 300, 57)], {}, 32),
        ("yolov7raw", [(1, 255, 80, 80), (1, 255, 40, 40), (1, 255, 20, 20), (1, 255, 10, 10)], {}, 64),
        ("yolov3", [(1, 255, 40, 40), (1, 255, 20, 20)], {}, 32),
        ("nanodet", [], {}, 32),
        ("picodet", [], {}, 64),
        ("gfl", [], {}, 128),
        ("retinanet", [], {}, 128),
        ("scrfd", [(12800, 1), (3200, 1), (800, 1), (12800, 4), (3200, 4), (800, 4)], {}, 32),
        # Boxes in fractions of what was trained, resizing in the graph, position embeddings, anchors for one size.
        ("fastestdet", [], {}, None), ("torchvision", [], {}, None), ("maskrcnn", [], {}, None),
        ("detr", [], {}, None), ("rtdetr", [], {}, None), ("rfdetr", [], {}, None), ("dino", [], {}, None),
        ("ssd", [], {}, None), ("ssdraw", [], {}, None), ("ultraface", [], {}, None), ("blazeface", [], {}, None),
        ("movenetmulti", [], {}, None), ("paddle", [], {}, None),
    ],
)  # fmt: skip
def test_families_know_whether_other_sizes_are_the_same(decoder, outputs, metadata, step):
    specs = tuple(TensorSpec(f"o{i}", shape, "float32") for i, shape in enumerate(outputs))
    graph = ModelGraph("net.onnx", (PIXELS,), specs, metadata)
    assert known_decoders()[decoder].size_step(graph) == step
