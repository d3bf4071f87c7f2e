"""nvinfer in pipelines: what a configuration file makes of frames, and how it fails."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_onnx import build

from headrace.infer.nvinfer import NvInferNetwork
from headrace.meta import MetaType

DEMO = Path(__file__).resolve().parents[2] / "headrace/models/demo.onnx"
WHITE = (
    "videotestsrc num-buffers={n} pattern=white ! video/x-raw,format=RGB,width=64,height=48,framerate=25/1"
    " ! m.sink_0 nvstreammux name=m batch-size=1"
)
OUT = "fakesink name=sink sync=false"
DETECTOR = ["num-detected-classes=2", "net-scale-factor=0.00392156862745098", "cluster-mode=2"]


def white(n: int) -> str:
    return WHITE.format(n=n)


@pytest.fixture
def config(tmp_path: Any) -> Callable[..., Path]:
    """A configuration file of ``[property]`` lines and ``[class-attrs-all]`` lines."""

    def write(*lines: str, attrs: str = "", name: str = "pgie.txt") -> Path:
        path = tmp_path / name
        path.write_text("[property]\n" + "\n".join(lines) + f"\n[class-attrs-all]\n{attrs}\n")
        return path

    return write


@pytest.fixture
def yolo(tmp_path: Any) -> Path:
    """Input 32x32, two classes: a box of class 1 at 12..20, 10..14 whose score is the brightness."""
    constant = np.zeros((1, 6, 21), np.float32)
    constant[0, :4, 3] = 16, 12, 8, 4
    mask = np.zeros_like(constant)
    mask[0, 5, 3] = 1
    return build(tmp_path / "yolo.onnx", {"output0": (constant, mask)})


@pytest.fixture
def grid(tmp_path: Any) -> Path:
    """DetectNet's grid of 2x2 cells: class 1 at the cell in column 1, row 0; coverage is the brightness."""
    coverage, mask = np.zeros((1, 2, 2, 2), np.float32), np.zeros((1, 2, 2, 2), np.float32)
    mask[0, 1, 0, 1] = 1
    boxes = np.zeros((1, 8, 2, 2), np.float32)
    boxes[0, 4:, 0, 1] = np.array([4, 0.5, 8, 12]) / 35
    zeros = np.zeros_like(boxes)
    return build(
        tmp_path / "grid.onnx",
        {"output_cov/Sigmoid": (coverage, mask), "output_bbox/BiasAdd": (boxes, zeros)},
    )


def boxes_of(frame: Any) -> list[Any]:
    return [
        [round(float(v), 2) for v in (r.left, r.top, r.width, r.height)]
        for r in (one.rect_params for one in frame.object_items)
    ]


def test_a_detector_writes_what_deepstream_writes(run: Any, config: Any, yolo: Path, tmp_path: Any) -> None:
    (tmp_path / "labels.txt").write_text("car\nperson\n")
    path = config(
        f"onnx-file={yolo.name}", "labelfile-path=labels.txt", "gie-unique-id=5", *DETECTOR,
        attrs="border-color=0;1;0;1\nbg-color=0;0;1;0.5",
    )  # fmt: skip
    one = run(f"{white(3)} ! nvinfer config-file-path={path} ! {OUT}").to_end()
    assert [frame.n_objects for frame in one.out.frames] == [1, 1, 1]
    (found,) = one.out.frames[0].object_items
    assert boxes_of(one.out.frames[0]) == [[24, 15, 16, 6]]
    assert (found.class_id, found.label, found.unique_component_id) == (1, "person", 5)
    assert found.object_id == 2**64 - 1
    assert found.confidence == pytest.approx(1, abs=0.01)
    rect, text = found.rect_params, found.text_params
    assert (rect.border_width, rect.border_color.rgba, rect.has_bg_color) == (3, (0, 1, 0, 1), True)
    assert rect.bg_color.rgba == (0, 0, 1, 0.5)
    assert (text.display_text, text.x_offset, text.y_offset) == ("person", 24, 5)
    assert (text.font_params.size, text.font_params.color.rgba) == (11, (1, 1, 1, 1))
    assert (text.set_bg_clr, text.text_bg_clr.rgba) == (True, (0, 0, 0, 1))
    assert one.out.metas[0].objects.column("detector_box")[0].tolist() == [24, 15, 16, 6]
    assert all(frame.infer_done for frame in one.out.frames)


def test_the_demo_detector_finds_what_hrinfer_finds(run: Any, config: Any) -> None:
    path = config(
        f"onnx-file={DEMO}", "num-detected-classes=4", "net-scale-factor=0.00392156862745098", "cluster-mode=2",
        attrs="pre-cluster-threshold=0.4\nnms-iou-threshold=0.45",
    )  # fmt: skip
    scene = '"sim://crossroad?seed=3&width=640&height=384"'
    source = f"hrsimsrc num-buffers=2 scene={scene} ! m.sink_0 nvstreammux name=m batch-size=1"
    ours = (
        run(f"{source} ! hrinfer model={DEMO} confidence=0.4 rectangular=false ! {OUT}").to_end().out.frames
    )
    theirs = run(f"{source} ! nvinfer config-file-path={path} ! {OUT}").to_end().out.frames
    for a, b in zip(ours, theirs, strict=True):
        assert a.n_objects > 3
        assert sorted(one.label for one in a.object_items) == sorted(one.label for one in b.object_items)
        np.testing.assert_allclose(sorted(boxes_of(a)), sorted(boxes_of(b)), atol=0.1)


def test_detectnets_grid_is_read_without_a_parser(run: Any, config: Any, grid: Path) -> None:
    path = config(f"onnx-file={grid.name}", *DETECTOR)
    one = run(f"{white(1)} ! nvinfer config-file-path={path} ! {OUT}").to_end()
    # Centre (16.5, 0.5) of the network's 32x32 pixels, frames of 64x48.
    assert boxes_of(one.out.frames[0]) == [[25, 0, 24, 18.75]]
    assert [one.class_id for one in one.out.frames[0].object_items] == [1]


@pytest.mark.parametrize(
    ("lines", "box"),
    [
        ([], [24, 15, 16, 6]),
        (["maintain-aspect-ratio=1"], [24, 20, 16, 8]),
        (["maintain-aspect-ratio=1", "symmetric-padding=1"], [24, 12, 16, 8]),
    ],
    ids=["stretched", "padded below", "padded on both sides"],
)
def test_boxes_come_back_from_the_networks_picture(
    run: Any, config: Any, yolo: Path, lines: Any, box: Any
) -> None:
    path = config(f"onnx-file={yolo.name}", *DETECTOR, *lines)
    one = run(f"{white(1)} ! nvinfer config-file-path={path} ! {OUT}").to_end()
    assert boxes_of(one.out.frames[0]) == [box]


def probe_tensor(tmp_path: Path, **options: Any) -> Path:
    """A model whose only output is its input."""
    import onnx
    from onnx import TensorProto, helper

    shape = options.get("shape", [None, 3, 4, 4])
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("in", "out")]
    graph = helper.make_graph([helper.make_node("Identity", ["in"], ["out"])], "same", value[:1], value[1:])
    path = tmp_path / "same.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))
    return path


@pytest.mark.parametrize(
    ("lines", "shape", "expected"),
    [
        (["net-scale-factor=0.5", "offsets=1;2;3"], [None, 3, 4, 4], [127, 126.5, 126]),
        (["model-color-format=1", "offsets=0;10;20"], [None, 3, 4, 4], [255, 245, 235]),
        (["infer-dims=3;4;4"], [None, 3, None, None], [255, 255, 255]),
        (
            ["infer-dims=3;4;4", "network-input-order=1", "offsets=1;2;3"],
            [None, None, None, None],
            [254, 253, 252],
        ),
        (["offsets=1;2;3"], [None, 4, 4, 3], [254, 253, 252]),
        (["model-color-format=2", "offsets=55"], [None, 1, 4, 4], [200]),
        (["mean-file=mean.ppm"], [None, 3, 4, 4], [155, 156, 157]),
    ],
)
def test_frames_become_input_as_the_file_says(
    run: Any, config: Any, tmp_path: Any, lines: Any, shape: Any, expected: Any
) -> None:
    import cv2

    cv2.imwrite(str(tmp_path / "mean.ppm"), np.full((4, 4, 3), (98, 99, 100), np.uint8))
    probe_tensor(tmp_path, shape=shape)
    path = config("onnx-file=same.onnx", "network-type=100", *lines)
    one = run(f"{white(1)} ! nvinfer config-file-path={path} ! {OUT}").to_end()
    (output,) = (item.data for item in one.out.frames[0].tensor_items)
    array = output.layers["out"]
    array = array.transpose(2, 0, 1) if array.shape[0] == 4 else array
    assert one.out.frames[0].n_objects == 0
    np.testing.assert_allclose(array.mean(axis=(1, 2)), expected, atol=0.6)
    assert np.ptp(array[0]) < 0.01


def test_padding_is_black(run: Any, config: Any, tmp_path: Any) -> None:
    probe_tensor(tmp_path)
    path = config("onnx-file=same.onnx", "network-type=100", "maintain-aspect-ratio=1", "offsets=5;5;5")
    one = run(f"{white(1)} ! nvinfer config-file-path={path} ! {OUT}").to_end()
    array = next(one.out.frames[0].tensor_items).data.layers["out"]
    assert array[0, :3].min() > 240
    assert array[0, 3].tolist() == [-5] * 4


def test_raw_outputs_hang_on_frames_in_the_order_asked_for(run: Any, config: Any, grid: Path) -> None:
    path = config(
        f"onnx-file={grid.name}", *DETECTOR, "gie-unique-id=9", "output-tensor-meta=1",
        "output-blob-names=output_bbox/BiasAdd:0;output_cov/Sigmoid",
    )  # fmt: skip
    one = run(f'{white(1)} ! nvinfer config-file-path={path} filter-out-class-ids="0;1" ! {OUT}').to_end()
    (frame,) = one.out.frames
    assert frame.n_objects == 0
    (output,) = (item.data for item in frame.tensor_items)
    assert output.unique_id == 9
    assert [(name, array.shape) for name, array in output.layers.items()] == [
        ("output_bbox/BiasAdd", (8, 2, 2)),
        ("output_cov/Sigmoid", (2, 2, 2)),
    ]
    assert [meta.meta_type for meta in frame.user] == [MetaType.TENSOR_OUTPUT]


def test_outputs_that_the_model_does_not_have_are_warned_about(
    run: Any, config: Any, grid: Path, caplog: Any
) -> None:
    path = config(
        f"onnx-file={grid.name}", *DETECTOR, "output-tensor-meta=1", "output-blob-names=conv2d_bbox;x"
    )
    with caplog.at_level(logging.WARNING):
        one = run(f"{white(1)} ! nvinfer config-file-path={path} ! {OUT}").to_end()
    assert len(next(one.out.frames[0].tensor_items).data.layers) == 2
    assert "are not all outputs of" in caplog.text


def test_properties_win_over_the_file_and_tell_what_it_says(run: Any, config: Any, yolo: Path) -> None:
    path = config(f"onnx-file={yolo.name}", *DETECTOR, "gie-unique-id=5", "batch-size=7", "interval=1")
    line = f"{white(4)} ! nvinfer name=a unique-id=8 config-file-path={path} interval=0 ! {OUT}"
    one = run(line)
    element = one["a"]
    assert [element.get_property(name) for name in ("batch-size", "unique-id", "interval")] == [7, 8, 0]
    one.to_end()
    assert [frame.n_objects for frame in one.out.frames] == [1, 1, 1, 1]
    assert next(one.out.frames[0].object_items).unique_component_id == 8
    skipping = run(f"{white(4)} ! nvinfer config-file-path={path} ! {OUT}").to_end()
    assert [frame.n_objects for frame in skipping.out.frames] == [1, 0, 1, 0]
    assert [frame.infer_skipped for frame in skipping.out.frames] == [False, True, False, True]


def test_properties_take_effect_while_playing(run: Any, config: Any, yolo: Path) -> None:
    path = config(f"onnx-file={yolo.name}", *DETECTOR, "filter-out-class-ids=1")
    assert run(f"{white(1)} ! nvinfer config-file-path={path} ! {OUT}").to_end().out.frames[0].n_objects == 0
    one = run(
        f"{white(-1)} ! identity sleep-time=5000 ! nvinfer name=p config-file-path={path} ! {OUT}"
    ).play()
    one.wait(lambda: len(one.out.pts) > 2)
    one["p"].set_property("filter-out-class-ids", "0")
    one.wait(lambda: one.out.frames[-1].n_objects == 1)
    one["p"].set_property("interval", 3)
    one.wait(lambda: sum(frame.infer_skipped for frame in one.out.frames[-4:]) == 3)


SIZES = [
    ("detected-min-w=17", 0), ("detected-min-w=16", 1), ("detected-max-h=5", 0), ("roi-top-offset=16", 0),
    ("roi-bottom-offset=28", 0), ("pre-cluster-threshold=1", 0), ("post-cluster-threshold=1", 0), ("topk=0", 0),
]  # fmt: skip


@pytest.mark.parametrize(("attrs", "count"), SIZES)
def test_objects_are_filtered_by_class_attributes(
    run: Any, config: Any, yolo: Path, attrs: str, count: int
) -> None:
    path = config(f"onnx-file={yolo.name}", *DETECTOR, "net-scale-factor=0.0039", attrs=attrs)
    one = run(f"{white(1)} ! nvinfer config-file-path={path} ! {OUT}").to_end()
    assert one.out.frames[0].n_objects == count


def test_objects_are_cut_at_the_margins_instead(run: Any, config: Any, yolo: Path) -> None:
    path = config(
        f"onnx-file={yolo.name}", *DETECTOR, "crop-objects-to-roi-boundary=1", attrs="roi-top-offset=18"
    )
    one = run(f"{white(1)} ! nvinfer config-file-path={path} ! {OUT}").to_end()
    assert boxes_of(one.out.frames[0]) == [[24, 18, 16, 3]]


PARSER = """
def boxes(outputs, network, params):
    assert network.width == 32 and params.num_classes == 2 and params.thresholds == (0.5, 0.5)
    (layer,) = outputs.values()
    return [[0, float(layer[5, 3]), 0, 0, 16, 16], [1, 0.4, 0, 0, 9, 9]]

def broken(outputs, network, params):
    raise KeyError("mine")
"""


@pytest.mark.parametrize(
    "lines",
    [
        ["parse-bbox-func-name=mine.py:boxes"],
        ["custom-lib-path=mine.py", "parse-bbox-func-name=boxes"],
    ],
)
def test_a_parse_function_in_python(run: Any, config: Any, yolo: Path, tmp_path: Any, lines: Any) -> None:
    (tmp_path / "mine.py").write_text(PARSER)
    path = config(f"onnx-file={yolo.name}", *DETECTOR, *lines, attrs="pre-cluster-threshold=0.5")
    one = run(f"{white(1)} ! nvinfer config-file-path={path} ! {OUT}").to_end()
    assert boxes_of(one.out.frames[0]) == [[0, 0, 32, 24]]


def test_an_error_in_a_parse_function_is_told(run: Any, config: Any, yolo: Path, tmp_path: Any) -> None:
    (tmp_path / "mine.py").write_text(PARSER)
    path = config(f"onnx-file={yolo.name}", *DETECTOR, "parse-bbox-func-name=mine.py:broken")
    error = run(f"{white(1)} ! nvinfer config-file-path={path} ! {OUT}").to_error()
    assert "source 0 frame 0" in error.text
    assert "mine.py:broken failed: KeyError: 'mine'" in error.text


def test_a_compiled_parser_of_a_known_family_is_stood_in_for(
    run: Any, config: Any, yolo: Path, caplog: Any
) -> None:
    lines = ["custom-lib-path=libnvdsinfer_custom_impl_Yolo.so", "parse-bbox-func-name=NvDsInferParseYolo"]
    path = config(f"onnx-file={yolo.name}", *DETECTOR, *lines)
    with caplog.at_level(logging.INFO):
        one = run(f"{white(1)} ! nvinfer config-file-path={path} ! {OUT}").to_end()
    assert one.out.frames[0].n_objects == 1
    assert caplog.text.count("NvDsInferParseYolo is compiled code; the built-in decoder yolov8 is used") == 1


def test_a_graphs_own_size_stays(run: Any, config: Any, yolo: Path, caplog: Any) -> None:
    path = config(f"onnx-file={yolo.name}", *DETECTOR, "infer-dims=3;512;512")
    one = run(f"{white(1)} ! nvinfer config-file-path={path} ! {OUT}").to_end()
    assert one.out.frames[0].n_objects == 1
    assert (
        "infer-dims=3;512;512 has no effect: the model's input is images float32[?, 3, 32, 32]" in caplog.text
    )


def test_boxes_that_nobody_suppresses_are_warned_about(
    run: Any, config: Any, yolo: Path, caplog: Any
) -> None:
    path = config(f"onnx-file={yolo.name}", "num-detected-classes=2", "net-scale-factor=0.00392")
    run(f"{white(1)} ! nvinfer config-file-path={path} ! {OUT}").to_end()
    assert "cluster-mode=0 leaves overlapping boxes of a yolov8 model" in caplog.text


ERRORS = [
    ([], "onnx-file is not set; give the ONNX file of the model"),
    (["onnx-file=gone.onnx"], "onnx-file=.*gone.onnx does not exist"),
    (
        ["onnx-file=odd.onnx"],
        r"nothing here reads the outputs of .*odd.onnx: odd float32\[\?, 7\]",
    ),
    (
        ["onnx-file=odd.onnx", "custom-lib-path=libx.so", "parse-bbox-func-name=NvDsInferParseX"],
        "parse-bbox-func-name=NvDsInferParseX in libx.so is compiled code.*file.py:NvDsInferParseX",
    ),
    (["onnx-file=yolo.onnx", "parse-bbox-func-name=no.py:f"], "no.py does not exist"),
    (["onnx-file=yolo.onnx", "labelfile-path=no.txt"], "labelfile-path=.*no.txt does not exist"),
    (["onnx-file=yolo.onnx", "model-color-format=2"], "model-color-format=2 .GRAY. does not fit"),
    (["onnx-file=yolo.onnx", "offsets=1;2"], "offsets=1.0;2.0 has 2 values, but RGB needs 3"),
    (["onnx-file=yolo.onnx", "mean-file=no.ppm"], "pgie.txt: mean-file .*no.ppm is no picture"),
]


@pytest.mark.parametrize(("lines", "expected"), ERRORS, ids=[row[1][:30] for row in ERRORS])
def test_what_cannot_start_says_why(
    run: Any, config: Any, yolo: Path, tmp_path: Any, lines: Any, expected: str
) -> None:
    build(tmp_path / "odd.onnx", {"odd": (np.zeros((1, 7), np.float32), np.zeros((1, 7), np.float32))})
    path = config(*DETECTOR, *lines)
    error = run(f"{white(1)} ! nvinfer name=p config-file-path={path} ! {OUT}").to_error()
    assert error.element == "p"
    assert error.text.startswith("Failed to create NvDsInferContext instance: ")
    assert re.search(expected, error.text), error.text


def test_the_texts_of_configuration_errors(run: Any, config: Any, tmp_path: Any) -> None:
    assert run(f"{white(1)} ! nvinfer ! {OUT}").to_error().text.startswith("Configuration file not provided")
    failed = "Configuration file parsing failed: "
    gone = run(f"{white(1)} ! nvinfer config-file-path={tmp_path}/gone.txt ! {OUT}").to_error().text
    assert gone.startswith(f"{failed}nvinfer configuration {tmp_path}/gone.txt cannot be read")
    wrong = run(f"{white(1)} ! nvinfer config-file-path={config('batch-size=x')} ! {OUT}").to_error().text
    assert wrong.startswith(f"{failed}{tmp_path}/pgie.txt: [property] batch-size='x' cannot be used")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "num-detected-classes=3",
            "num-detected-classes=3, but {grid} has 2 classes; objects of others are dropped",
        ),
        (
            "labelfile-path=one.txt",
            "one.txt names 1 classes, but num-detected-classes=2; objects of the others have",
        ),
        (
            "parse-bbox-func-name=Parse",
            "=Parse is compiled code; the built-in decoder detectnet is used",
        ),
    ],
)
def test_what_does_not_go_together_is_warned_about(
    run: Any, config: Any, grid: Path, tmp_path: Any, caplog: Any, line: str, expected: str
) -> None:
    (tmp_path / "one.txt").write_text("car\n")
    path = config(f"onnx-file={grid.name}", *DETECTOR, line)
    run(f"{white(1)} ! nvinfer config-file-path={path} ! {OUT}").to_end()
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [text for text in warnings if expected.format(grid=grid) in text], warnings


def test_a_buffer_without_batch_is_refused(run: Any, config: Any, yolo: Path, feed: Any) -> None:
    path = config(f"onnx-file={yolo.name}", *DETECTOR)
    one = run(f"appsrc name=a ! nvinfer config-file-path={path} ! {OUT}")
    feeder = feed(one["a"], "video/x-raw(memory:NVMM),format=RGBA,width=4,height=4")
    one.play()
    feeder.push(bytes(64))
    one.wait().stop()
    assert one.errors[0].text.startswith("NvDsBatchMeta not found for input buffer.")


def test_raw_outputs_are_written_into_files(
    run: Any, config: Any, grid: Path, tmp_path: Any, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    path = config(f"onnx-file={grid.name}", *DETECTOR, "gie-unique-id=3")
    run(f"{white(2)} ! nvinfer config-file-path={path} raw-output-file-write=true ! {OUT}").to_end()
    files = sorted(tmp_path.glob("gstnvdsinfer_uid-03_layer-output_cov_Sigmoid_*.bin"))
    assert [file.name[-33:] for file in files] == [f"batch-{n:010d}_batchsize-01.bin" for n in (0, 1)]
    assert np.fromfile(files[0], np.float32).reshape(2, 2, 2)[1, 0, 1] == pytest.approx(1, abs=0.01)


def test_large_batches_are_split(run: Any, config: Any, yolo: Path, monkeypatch: Any) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(NvInferNetwork, "rows", None)  # as on a GPU; on CPUs calls of one picture overlap
    original = NvInferNetwork.results
    monkeypatch.setattr(
        NvInferNetwork, "results", lambda self, frames: sizes.append(len(frames)) or original(self, frames)
    )
    path = config(f"onnx-file={yolo.name}", *DETECTOR, "batch-size=2")
    sources = white(1).split(" ! m.sink_0")[0]
    inputs = " ".join(f"{sources} ! m.sink_{index}" for index in range(3))
    line = f"{inputs} nvstreammux name=m batch-size=3 batched-push-timeout=-1"
    one = run(f"{line} ! nvinfer config-file-path={path} ! {OUT}").to_end()
    assert sizes == [2, 1]
    assert [frame.n_objects for frame in one.out.frames] == [1, 1, 1]
