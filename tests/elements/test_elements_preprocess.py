"""nvdspreprocess: what it attaches to batches, and how it fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

SOURCE = (
    "videotestsrc num-buffers={n} pattern={pattern} ! video/x-raw,format={format},width=64,height=48"
    " ! m.sink_{pad}"
)
MUX = " nvstreammux name=m batch-size={n}"
OUT = "fakesink name=sink sync=false"
FILE = """
[property]
network-input-shape=2;3;16;32
target-unique-ids=4
tensor-name=images
{more}
[user-configs]
pixel-normalization-factor=0.5
[group-0]
src-ids=0
process-on-roi=1
roi-params-src-0=0;0;32;16;32;16;32;16;8;8;16;8
{group}
"""


def sources(n: int = 2, count: int = 1, format: str = "RGB") -> str:
    parts = [
        SOURCE.format(n=n, pattern="white" if pad else "red", pad=pad, format=format) for pad in range(count)
    ]
    return " ".join(parts) + MUX.format(n=count)


@pytest.fixture
def config(tmp_path: Path) -> Any:
    def write(more: str = "", group: str = "") -> str:
        path = tmp_path / "regions.txt"
        path.write_text(FILE.format(more=more, group=group))
        return str(path)

    return write


def test_tensors_and_regions_hang_on_the_batch(run: Any, config: Any) -> None:
    one = run(f"{sources(2)} ! nvdspreprocess config-file={config()} ! {OUT}").to_end()
    assert len(one.out.metas) == 2
    for meta in one.out.metas:
        tensors = list(meta.preprocess_batch_items)
        assert [item.preprocess_tensor_meta.tensor.shape for item in tensors] == [
            (2, 3, 16, 32),
            (1, 3, 16, 32),
        ]
        assert {item.preprocess_tensor_meta.name for item in tensors} == {"images"}
        assert {item.target_unique_ids for item in tensors} == {(4,)}
        boxes = [(roi.roi.left, roi.roi.top, roi.roi.width) for item in tensors for roi in item.rois]
        assert boxes == [(0, 0, 32), (32, 16, 32), (8, 8, 16)]
        assert all(roi.frame_meta is meta.frames[0] for item in tensors for roi in item.rois)
        row = tensors[0].preprocess_tensor_meta.tensor.numpy()[0]
        np.testing.assert_allclose(row[:, 8, 8], [127.5, 0, 0], atol=1)


def test_sources_outside_every_group_have_no_tensor(run: Any, config: Any) -> None:
    one = run(f"{sources(3, 2, 'NV12')} ! nvdspreprocess config-file={config()} ! {OUT}").to_end()
    frames = [
        roi.frame_meta.source_id
        for meta in one.out.metas
        for item in meta.preprocess_batch_items
        for roi in item.rois
    ]
    assert set(frames) == {0}
    assert {frame.source_id for frame in one.out.frames} == {0, 1}


def test_regions_outlive_the_tiler_and_a_tee(run: Any, config: Any) -> None:
    path = config()
    Path(path).write_text(Path(path).read_text().replace("src-ids=0", "src-ids=1").replace("src-0", "src-1"))
    line = f"nvdspreprocess config-file={path} ! nvmultistreamtiler width=64 height=48 rows=1 columns=2"
    tee = f"tee name=t ! queue ! nvdsosd ! {OUT} t. ! queue ! fakesink name=other sync=false"
    one = run(f"{sources(2, 2)} ! {line} ! {tee}").to_end()
    for output in one.outputs.values():
        metas = [item.as_preprocess_batch() for meta in output.metas for item in meta.preprocess_batch_items]
        assert {roi.frame_meta.batch_id for meta in metas for roi in meta.rois} == {0}


def test_properties_win_over_the_file(run: Any, config: Any) -> None:
    path = config("enable=0")
    one = run(f"{sources()} ! nvdspreprocess config-file={path} ! {OUT}").to_end()
    assert not list(one.out.metas[0].preprocess_batch_items)
    line = f"nvdspreprocess config-file={path} enable=true target-unique-ids=7;8"
    one = run(f"{sources()} ! {line} ! {OUT}").to_end()
    assert next(one.out.metas[0].preprocess_batch_items).target_unique_ids == (7, 8)


def test_objects_become_rows(run: Any, config: Any, model: Any) -> None:
    found = model(
        "def infer(self, frames):\n"
        "    return [Detections([[4, 4, 20, 20], [30, 8, 50, 40]], [0.9, 0.8], [0, 1]) for _ in frames]"
    )
    path = config("process-on-frame=0", "process-on-all-objects=1\noperate-on-class-ids=1")
    one = run(f"{sources()} ! hrinfer model={found} ! nvdspreprocess config-file={path} ! {OUT}").to_end()
    [meta] = one.out.metas[0].preprocess_batch_items
    [roi] = meta.rois
    assert (roi.object_meta.class_id, roi.object_meta.label, roi.roi.left) == (1, "b", 30)


def test_regions_are_drawn(run: Any, config: Any) -> None:
    path = config(group="draw-roi=1\nroi-color=0;1;0;1")
    one = run(f"{sources(1)} ! nvdspreprocess config-file={path} ! nvdsosd ! {OUT}").to_end()
    assert [meta.rects[0].width for meta in one.out.metas[0].displays] == [32, 32, 16]
    pixels = one.out.payloads[0].surfaces[0].frame().planes[0]
    assert pixels[16, 48].tolist() == [0, 255, 0]
    assert pixels[40, 4].tolist() == [255, 0, 0]


def test_a_users_function_that_fails_may_cost_only_its_batches(run: Any, config: Any, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("def make(pictures, regions, config):\n    return 1 / 0\n")
    path = config("custom-lib-path=own.py\ncustom-tensor-preparation-function=make")
    one = run(f"{sources(3)} ! nvdspreprocess config-file={path} on-error=drop ! {OUT}").to_end()
    assert one.out.metas == []
    assert "ZeroDivisionError" in one.of("warning")[0].text


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("custom-lib-path=libmine.so\ncustom-tensor-preparation-function=Mine", "def Mine"),
        ("processing-width=8", "network-input-shape=2;3;16;32"),
        ("tensor-data-type=9", "tensor-data-type"),
    ],
)
def test_a_file_that_cannot_be_used_stops_at_the_start(
    run: Any, config: Any, more: str, message: str
) -> None:
    error = run(f"{sources()} ! nvdspreprocess name=p config-file={config(more)} ! {OUT}").to_error()
    assert error.element == "p"
    assert message in error.text + error.debug


def test_a_missing_file_is_said(run: Any) -> None:
    assert "set config-file" in run(f"{sources()} ! nvdspreprocess ! {OUT}").to_error().text
