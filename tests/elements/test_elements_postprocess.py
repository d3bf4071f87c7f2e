"""nvdspostprocess: raw outputs that a probe attached become objects, labels and segmentations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gi.repository import Gst

from headrace.gst import payload
from headrace.meta import (
    Detections,
    MetaType,
    PreprocessBatchUserMetadata,
    RoiMetadata,
    TensorOutput,
    UserMetadata,
)

SOURCE = (
    "videotestsrc num-buffers=1 ! video/x-raw,format=RGB,width=128,height=64"
    " ! m.sink_0 nvstreammux name=m batch-size=1 ! identity name=i"
)
OUT = "fakesink name=sink sync=false"
LABELS = "car\nperson\n"


@pytest.fixture
def config(tmp_path: Path) -> Any:
    def write(**keys: object) -> str:
        (tmp_path / "labels.txt").write_text(LABELS)
        lines = [
            f"  {name.replace('_', '-')}: {value}" for name, value in {"gie_unique_id": 4, **keys}.items()
        ]
        path = tmp_path / "post.yml"
        path.write_text(
            "property:\n" + "\n".join(lines) + "\nclass-attrs-all:\n  pre-cluster-threshold: 0.5\n"
        )
        return str(path)

    return write


def tensor(unique_id: int = 4, **fields: Any) -> UserMetadata:
    """DetectNet's grid for an input of 64x64: class 1 in the cell at (32, 16), box of 20x10 around (35, 24)."""
    cov, bbox = np.zeros((2, 4, 4), np.float32), np.zeros((8, 4, 4), np.float32)
    cov[1, 1, 2] = 0.9
    centers = np.array([32.5, 16.5]) / 35
    bbox[4:6, 1, 2] = centers - np.array([25, 19]) / 35
    bbox[6:8, 1, 2] = np.array([45, 29]) / 35 - centers
    return UserMetadata(
        MetaType.TENSOR_OUTPUT, TensorOutput(unique_id, {"cov": cov, "bbox": bbox}, (64, 64, 3), **fields)
    )


def scores(*values: float) -> UserMetadata:
    return UserMetadata(MetaType.TENSOR_OUTPUT, TensorOutput(4, {"prob": np.array(values, np.float32)}))


def prepared(one: Any, attach: Any) -> Any:
    """Call a function with the batch's metadata where it passes the identity."""

    def probe(_pad: Any, info: Any) -> Any:
        attach(payload.find(hash(info.get_buffer())).meta)
        return Gst.PadProbeReturn.OK

    one["i"].get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, probe)
    return one


def run_with(run: Any, path: str, attach: Any, more: str = "") -> Any:
    line = f"{SOURCE} ! nvdspostprocess name=p postprocesslib-config-file={path} {more} ! {OUT}"
    return prepared(run(line), attach).to_end().out.metas[0]


def boxes(meta: Any) -> list[list[float]]:
    return [
        [box.left, box.top, box.width, box.height]
        for item in meta.frames[0].object_items
        for box in [item.rect_params]
    ]


DETECTOR = {"num_detected_classes": 2, "cluster_mode": 2, "labelfile_path": "labels.txt"}


def test_outputs_of_frames_become_objects(run: Any, config: Any) -> None:
    meta = run_with(run, config(**DETECTOR), lambda meta: meta.frames[0].append(tensor()))
    [item] = meta.frames[0].object_items
    assert (item.class_id, item.label, item.unique_component_id) == (1, "person", 4)
    np.testing.assert_allclose(boxes(meta), [[50, 19, 40, 10]], atol=1e-3)
    assert next(meta.frames[0].tensor_items).data.unique_id == 4


def test_padding_is_taken_into_account(run: Any, config: Any) -> None:
    padded = tensor(scale=(0.5, 0.5), offset=(0, 16))
    meta = run_with(run, config(**DETECTOR), lambda meta: meta.frames[0].append(padded))
    np.testing.assert_allclose(boxes(meta), [[50, 6, 40, 20]], atol=1e-3)


def test_outputs_of_other_models_are_left_alone_and_read_ones_may_be_released(run: Any, config: Any) -> None:
    def attach(meta: Any) -> None:
        meta.frames[0].append(tensor())
        meta.frames[0].append(tensor(5))

    meta = run_with(run, config(**DETECTOR, release_tensor_meta=1), attach)
    assert len(boxes(meta)) == 1
    assert [output.data.unique_id for output in meta.frames[0].tensor_items] == [5]


def test_outputs_of_objects_become_their_labels_or_parts(run: Any, config: Any) -> None:
    def attach(meta: Any, data: UserMetadata) -> None:
        meta.frames[0].add_detections(Detections([[10, 20, 74, 52], [0, 0, 9, 9]], class_id=[0, 1]))
        for item in meta.frames[0].object_items:
            item.append(data)

    path = config(
        network_type=1, classifier_threshold=0.5, classifier_type="color", labelfile_path="labels.txt"
    )
    Path(path).with_name("labels.txt").write_text("red;blue")
    meta = run_with(run, path, lambda meta: attach(meta, scores(0.2, 0.8)))
    for item in meta.frames[0].object_items:
        [found] = item.classifier_items
        assert (found.get_n_label(0), found.classifier_type, found.unique_component_id) == (
            "blue",
            "color",
            4,
        )
    meta = run_with(run, config(**DETECTOR, operate_on_class_ids=0), lambda meta: attach(meta, tensor()))
    np.testing.assert_allclose(boxes(meta)[2:], [[10 + 25, 20 + 9.5, 20, 5]], atol=1e-3)
    parts = list(meta.frames[0].object_items)
    assert parts[2].parent == parts[0]


@pytest.mark.parametrize("by_property", [True, False])
def test_outputs_of_regions_stay_with_them(run: Any, config: Any, by_property: bool) -> None:
    def attach(meta: Any, data: UserMetadata) -> None:
        region = RoiMetadata.of_row(meta, 0, (32, 16, 64, 32))
        region.user.append(data)
        meta.append(PreprocessBatchUserMetadata(regions=[region]))

    support = {} if by_property else {"preprocessor_support": 1}
    more = "preprocessor-support=true" if by_property else ""
    meta = run_with(run, config(**DETECTOR, **support), lambda meta: attach(meta, tensor()), more)
    np.testing.assert_allclose(boxes(meta), [[32 + 25, 16 + 9.5, 20, 5]], atol=1e-3)
    path = config(network_type=1, classifier_threshold=0.5, **support)
    meta = run_with(run, path, lambda meta: attach(meta, scores(0.8, 0.1)), more)
    [region] = next(meta.preprocess_batch_items).rois
    assert [found.labels[0].class_id for found in region.classifier_items] == [0]
    assert boxes(meta) == []


def test_regions_are_left_alone_without_being_asked(run: Any, config: Any) -> None:
    def attach(meta: Any) -> None:
        region = RoiMetadata.of_row(meta, 0, (32, 16, 64, 32))
        region.user.append(tensor())
        meta.append(PreprocessBatchUserMetadata(regions=[region]))

    assert boxes(run_with(run, config(**DETECTOR), attach)) == []


def test_segmentations_are_attached(run: Any, config: Any) -> None:
    layers = {"out": np.stack([np.full((4, 6), 0.7), np.full((4, 6), 0.2)]).astype(np.float32)}
    data = UserMetadata(MetaType.TENSOR_OUTPUT, TensorOutput(4, layers))
    meta = run_with(
        run, config(network_type=2, segmentation_threshold=0.5), lambda meta: meta.frames[0].append(data)
    )
    found = next(meta.frames[0].segmentation_items).as_segmentation()
    assert (found.unique_id, found.width, found.class_map.max()) == (4, 6, 0)


def test_a_users_function_reads_them(run: Any, config: Any, tmp_path: Path) -> None:
    code = "def read(outputs, network, params):\n    return [[1, 0.9, 0, 0, network.width, 32]]\n"
    (tmp_path / "own.py").write_text(code)
    path = config(**DETECTOR, parse_bbox_func_name="read")
    meta = run_with(
        run, path, lambda meta: meta.frames[0].append(tensor()), f"postprocesslib-name={tmp_path}/own.py"
    )
    assert boxes(meta) == [[0, 0, 128, 32]]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"gie_unique_id": "0"}, "gie-unique-id"),
        ({"num_detected_classes": 0}, "num-detected-classes"),
        ({**DETECTOR, "parse_bbox_func_name": "Mine", "custom_lib_path": "libmine.so"}, "Mine"),
    ],
)
def test_what_cannot_be_done_is_said(run: Any, config: Any, keys: dict, message: str) -> None:
    other = UserMetadata(MetaType.TENSOR_OUTPUT, TensorOutput(4, {"out": np.zeros((5, 7, 2, 3), np.float32)}))
    line = f"{SOURCE} ! nvdspostprocess name=p postprocesslib-config-file={config(**keys)} ! {OUT}"
    error = prepared(run(line), lambda meta: meta.frames[0].append(other)).to_error()
    assert error.element == "p"
    assert message in error.text + error.debug


def test_a_missing_file_is_said(run: Any) -> None:
    assert "postprocesslib-config-file" in run(f"{SOURCE} ! nvdspostprocess ! {OUT}").to_error().text
