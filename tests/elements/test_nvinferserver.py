"""nvinferserver in pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kserve import KServe, Served
from tiny_onnx import build

SOURCE = (
    "videotestsrc num-buffers={n} pattern=white ! video/x-raw,format=RGB,width=64,height=48,framerate=25/1"
    " ! m.sink_0 nvstreammux name=m batch-size=1"
)
OUT = "fakesink name=sink sync=false"
CONFIG = """
infer_config {{
  unique_id: 5
  max_batch_size: 4
  backend {{
    inputs: [ {{ name: "images" }} ]
    outputs: [ {{ name: "output0" }} ]
    trt_is {{ model_name: "yolo" version: -1 model_repo {{ root: "repo" log_level: 2 }} }}
  }}
  preprocess {{ network_format: IMAGE_FORMAT_RGB tensor_order: TENSOR_ORDER_NONE
    normalize {{ scale_factor: 0.00392156862745098 channel_offsets: [0, 0, 0] }} }}
  postprocess {{ labelfile_path: "labels.txt" {post} }}
}}
input_control {{ process_mode: PROCESS_MODE_FULL_FRAME interval: 0 }}
output_control {{ output_tensor_meta: true }}
"""
DETECTION = (
    'detection { num_detected_classes: 2 custom_parse_bbox_func: "NvDsInferParseCustomTfSSD" '
    "nms { confidence_threshold: 0.5 iou_threshold: 0.3 topk: 20 } }"
)


@pytest.fixture
def server(tmp_path: Any) -> Any:
    """A configuration around a repository with a YOLO model of two classes."""
    folder = tmp_path / "repo/yolo/1"
    folder.mkdir(parents=True)
    constant, mask = np.zeros((1, 6, 21), np.float32), np.zeros((1, 6, 21), np.float32)
    constant[0, :4, 3] = 16, 12, 8, 4
    mask[0, 5, 3] = 1
    build(folder / "model.onnx", {"output0": (constant, mask)})
    (tmp_path / "labels.txt").write_text("car\nperson\n")

    def write(post: str) -> Path:
        path: Path = tmp_path / "server.txt"
        path.write_text(CONFIG.format(post=post))
        return path

    return write


def test_a_model_of_a_repository_detects(run: Any, server: Any) -> None:
    one = run(f"{SOURCE.format(n=2)} ! nvinferserver config-file-path={server(DETECTION)} ! {OUT}").to_end()
    for frame in one.out.frames:
        (found,) = frame.object_items
        rect = found.rect_params
        assert (rect.left, rect.top, rect.width, rect.height) == (24, 15, 16, 6)
        assert (found.label, found.unique_component_id) == ("person", 5)
        (tensors,) = (item.data for item in frame.tensor_items)
        assert tensors.layers["output0"].shape == (6, 21)


def test_tensors_only(run: Any, server: Any) -> None:
    one = run(f"{SOURCE.format(n=1)} ! nvinferserver config-file-path={server('other {}')} ! {OUT}").to_end()
    (frame,) = one.out.frames
    assert frame.n_objects == 0
    assert list(next(frame.tensor_items).data.layers) == ["output0"]
    assert next(frame.tensor_items).data.unique_id == 5


def test_properties_win_unless_they_stand_for_the_file(run: Any, server: Any) -> None:
    line = f"{SOURCE.format(n=4)} ! nvinferserver name=p unique-id=0 interval=1 config-file-path={server(DETECTION)}"
    one = run(f"{line} ! {OUT}")
    assert [one["p"].get_property(name) for name in ("unique-id", "batch-size", "interval")] == [5, 4, 1]
    one.to_end()
    assert [frame.n_objects for frame in one.out.frames] == [1, 0, 1, 0]


def test_a_model_on_a_server_detects(run: Any, server: Any, tmp_path: Any) -> None:
    pytest.importorskip("tritonclient.grpc")
    kserve = KServe({"yolo": Served.onnx(tmp_path / "repo/yolo/1/model.onnx")}, grpc=True)
    try:
        one = run(
            f"{SOURCE.format(n=2)} ! nvinferserver config-file-path={remote(server(DETECTION), kserve)} ! {OUT}"
        )
        for frame in one.to_end().out.frames:
            (found,) = frame.object_items
            rect = found.rect_params
            assert (rect.left, rect.top, rect.width, rect.height) == (24, 15, 16, 6)
            assert (found.label, found.unique_component_id) == ("person", 5)
    finally:
        kserve.stop()


def test_tritons_classification_with_the_servers_names(run: Any, server: Any) -> None:
    pytest.importorskip("tritonclient.grpc")
    scores = np.array([[0.1, 0.9]], np.float32)
    model = Served(
        [("images", "FP32", [-1, 3, 8, 8])],
        [("rest", "FP32", [-1, 2]), ("prob", "FP32", [-1, 2])],
        lambda arrays: {"rest": scores[:, ::-1], "prob": scores},
        labels={"prob": ["red", "blue"]},
    )
    kserve = KServe({"yolo": model}, grpc=True)
    try:
        path = remote(server('triton_classification { threshold: 0.5 tensor_name: "prob" }'), kserve)
        path.write_text(path.read_text().replace('labelfile_path: "labels.txt"', ""))
        one = run(f"{SOURCE.format(n=1)} ! nvinferserver config-file-path={path} ! {OUT}").to_end()
        (frame,) = one.out.frames
        (whole,) = frame.object_items
        (classifier,) = whole.classifier_items
        assert [label.label for label in classifier.labels] == ["blue"]
    finally:
        kserve.stop()


def remote(path: Path, kserve: KServe) -> Path:
    """The configuration with the model on a server."""
    text = path.read_text().replace("trt_is", "triton")
    path.write_text(
        text.replace(
            'model_repo { root: "repo" log_level: 2 }', f'grpc {{ url: "127.0.0.1:{kserve.grpc_port}" }}'
        )
    )
    return path


def test_errors_name_the_field(run: Any, server: Any) -> None:
    path = server(DETECTION)
    path.write_text(path.read_text().replace("trt_is", "triton").replace("model_repo {", "grpc { } x {"))
    error = run(f"{SOURCE.format(n=1)} ! nvinferserver config-file-path={path} ! {OUT}").to_error()
    assert error.text.startswith(
        f"Configuration file parsing failed: {path}: infer_config.backend.triton names no model on a server"
    )
    assert (
        run(f"{SOURCE.format(n=1)} ! nvinferserver ! {OUT}")
        .to_error()
        .text.startswith("Configuration file not provided")
    )


def test_a_server_that_is_not_there_is_named(run: Any, server: Any) -> None:
    pytest.importorskip("tritonclient.grpc")
    path = server(DETECTION)
    kserve = KServe({}, grpc=True)
    kserve.stop()
    error = run(
        f"{SOURCE.format(n=1)} ! nvinferserver config-file-path={remote(path, kserve)} ! {OUT}"
    ).to_error()
    url = f"grpc://127.0.0.1:{kserve.grpc_port}/yolo"
    assert error.text.startswith(f"Failed to create NvDsInferContext instance: {url} is not available: ")
