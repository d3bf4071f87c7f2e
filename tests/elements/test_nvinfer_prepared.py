"""nvinfer on the tensors that nvdspreprocess made."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tiny_onnx import build

from headrace.errors import ModelError

SOURCE = (
    "videotestsrc num-buffers=2 pattern=white ! video/x-raw,format=RGB,width=64,height=48,framerate=25/1"
    " ! m.sink_0 nvstreammux name=m batch-size=1"
)
OUT = "fakesink name=sink sync=false"
REGIONS = """
[property]
network-input-shape=3;3;32;32
processing-width=32
processing-height=32
target-unique-ids={target}
tensor-name=images
process-on-frame={frames}
maintain-aspect-ratio={aspect}
[user-configs]
pixel-normalization-factor=0.00392156862745098
[group-0]
src-ids=0
process-on-all-objects=1
process-on-roi={rois}
roi-params-src-0=0;0;32;32;16;8;48;24
"""


@pytest.fixture
def regions(tmp_path: Any) -> Callable[..., str]:
    def write(target: int = 4, frames: int = 1, rois: int = 1, aspect: int = 0) -> str:
        path = tmp_path / "regions.txt"
        path.write_text(REGIONS.format(target=target, frames=frames, rois=rois, aspect=aspect))
        return f"nvdspreprocess config-file={path}"

    return write


@pytest.fixture
def infer(tmp_path: Any) -> Callable[..., str]:
    def write(*lines: str) -> str:
        path = tmp_path / "pgie.txt"
        path.write_text("[property]\ngie-unique-id=4\n" + "\n".join(lines) + "\n")
        return f"nvinfer input-tensor-meta=true config-file-path={path}"

    return write


@pytest.fixture
def detector(tmp_path: Any) -> list[str]:
    """Finds 12..20, 10..14 of 32x32 pixels, and 24..40, 12..20 that reaches out of them."""
    constant = np.zeros((1, 6, 21), np.float32)
    constant[0, :4, 3], constant[0, :4, 5] = (16, 12, 8, 4), (32, 16, 16, 8)
    mask = np.zeros_like(constant)
    mask[0, 5, 3] = mask[0, 4, 5] = 1
    build(tmp_path / "yolo.onnx", {"output0": (constant, mask)})
    return ["onnx-file=yolo.onnx", "num-detected-classes=2", "cluster-mode=2"]


def boxes_of(frame: Any) -> list[Any]:
    found = (one.rect_params for one in frame.object_items)
    return sorted([round(float(v), 2) for v in (r.left, r.top, r.width, r.height)] for r in found)


def test_objects_of_regions_are_placed_in_the_frame(
    run: Any, regions: Any, infer: Any, detector: Any
) -> None:
    one = run(f"{SOURCE} ! {regions()} ! {infer(*detector)} ! {OUT}").to_end()
    for frame in one.out.frames:
        # Regions of 32x32 pixels at 0, 0 and of 48x24 at 16, 8; boxes are cut at the network's edge.
        assert boxes_of(frame) == [[12, 10, 8, 4], [24, 12, 8, 8], [34, 15.5, 12, 3], [52, 17, 12, 6]]
        assert frame.infer_done


PARSER = "def f(outputs, network, params):\n    return [[1, 0.9, 24, 12, 40, 20], [0, 0.9, 33, 0, 40, 9]]"


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        ("", [[24, 12, 8, 8], [52, 17, 12, 6]]),
        (
            "clip-object-outside-roi=false",
            [[24, 12, 16, 8], [33, 0, 7, 9], [52, 17, 24, 6], [65.5, 8, 10.5, 6.75]],
        ),
    ],
)
def test_objects_are_cut_at_their_region(
    run: Any, regions: Any, infer: Any, detector: Any, tmp_path: Any, option: str, expected: Any
) -> None:
    (tmp_path / "mine.py").write_text(PARSER)
    element = infer(*detector, "parse-bbox-func-name=mine.py:f")
    one = run(f"{SOURCE} ! {regions()} ! {element} {option} ! {OUT}").to_end()
    assert boxes_of(one.out.frames[0]) == expected


def test_padding_is_taken_off(run: Any, regions: Any, infer: Any, detector: Any) -> None:
    one = run(f"{SOURCE} ! {regions(aspect=1)} ! {infer(*detector)} ! {OUT}").to_end()
    # The region of 48x24 pixels is 32x16 of 32x32: everything is 1.5 times as large in the frame.
    assert [34, 23, 12, 6] in boxes_of(one.out.frames[0])


def test_tensors_for_others_are_left_alone(run: Any, regions: Any, infer: Any, detector: Any) -> None:
    one = run(f"{SOURCE} ! {regions(target=5)} ! {infer(*detector)} ! {OUT}").to_end()
    assert [frame.n_objects for frame in one.out.frames] == [0, 0]


def test_objects_as_regions_become_parents(
    run: Any, regions: Any, infer: Any, detector: Any, model: Any
) -> None:
    found = model(
        "def infer(self, frames):\n    return [Detections([[16, 8, 48, 40]], [0.9], [1]) for _ in frames]"
    )
    chain = f"hrinfer model={found} ! {regions(frames=0)} ! {infer(*detector)}"
    one = run(f"{SOURCE} ! {chain} ! {OUT}").to_end()
    whole, *parts = one.out.frames[0].object_items
    assert [part.parent for part in parts] == [whole, whole]
    assert [28, 18, 8, 4] in boxes_of(one.out.frames[0])


def test_classes_and_tensors_of_regions_hang_on_them(
    run: Any, regions: Any, infer: Any, tmp_path: Any, model: Any
) -> None:
    build(tmp_path / "kinds.onnx", {"kind": (np.array([[0.1, 0.0]]), np.array([[0, 0.9]]))})
    (tmp_path / "labels.txt").write_text("dark;bright\n")
    element = infer(
        "onnx-file=kinds.onnx", "network-type=1", "labelfile-path=labels.txt", "output-tensor-meta=1"
    )
    one = run(f"{SOURCE} ! {regions()} ! {element} ! {OUT}").to_end()
    (meta,) = one.out.metas[0].preprocess_batch_items
    for roi in meta.as_preprocess_batch().rois:
        assert [one.get_n_label(0) for one in roi.classifier_items] == ["bright"]
        (tensors,) = (item.data for item in roi.user)
        assert (tensors.unique_id, tensors.layers["kind"].shape, tensors.network_size) == (
            4,
            (2,),
            (32, 32, 3),
        )
    assert one.out.frames[0].n_objects == 0
    assert one.out.frames[0].user == []
    found = model(
        "def infer(self, frames):\n    return [Detections([[16, 8, 48, 40]], [0.9], [1]) for _ in frames]"
    )
    one = run(f"{SOURCE} ! hrinfer model={found} ! {regions(frames=0)} ! {element} ! {OUT}").to_end()
    (whole,) = one.out.frames[0].object_items
    assert [meta.get_n_label(0) for meta in whole.classifier_items] == ["bright"]


def test_tensors_without_regions_are_whole_frames(run: Any, infer: Any, detector: Any) -> None:
    from gi.repository import Gst

    from headrace.gst import payload
    from headrace.meta.preprocess import PreprocessBatchUserMetadata

    one = run(f"{SOURCE} ! identity name=i ! {infer(*detector)} ! {OUT}")

    def attach(_pad: Any, info: Any) -> Any:
        item = PreprocessBatchUserMetadata()
        item.set_preprocessed_tensor("images", 0, 4, np.ones((1, 3, 32, 32), np.float32))
        payload.find(hash(info.get_buffer())).meta.append(item)
        return Gst.PadProbeReturn.OK

    one["i"].get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, attach)
    one.to_end()
    assert boxes_of(one.out.frames[0]) == [[24, 15, 16, 6], [48, 18, 16, 12]]


def test_networks_of_other_shapes_take_tensors(run: Any, regions: Any, infer: Any, tmp_path: Any) -> None:
    """Only nvdspreprocess can feed a model whose input is no picture; one of another shape says so."""
    import onnx
    from onnx import TensorProto, helper

    value = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 3, 4, 32, 32]) for name in ("x", "y")
    ]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "same", value[:1], value[1:])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8),
        str(tmp_path / "same.onnx"),
    )
    element = infer("onnx-file=same.onnx", "network-type=100")
    said = run(f"{SOURCE} ! {regions()} ! {element} ! {OUT}").to_error().text
    # One row where calls of single pictures overlap.
    assert re.search(r"it takes x float32\[[?1], 3, 4, 32, 32\]", said)
    plain = element.replace("input-tensor-meta=true", "")
    assert "use nvdspreprocess and input-tensor-meta" in run(f"{SOURCE} ! {plain} ! {OUT}").to_error().text


def test_the_key_of_the_file_does_the_same(run: Any, regions: Any, infer: Any, detector: Any) -> None:
    element = infer(*detector, "input-tensor-from-meta=1").replace("input-tensor-meta=true", "")
    one = run(f"{SOURCE} ! {regions()} ! {element} ! {OUT}").to_end()
    assert one.out.frames[0].n_objects == 4


def test_a_new_model_is_tried_with_tensors_like_those_that_come(
    run: Any, regions: Any, infer: Any, detector: Any, tmp_path: Any
) -> None:
    element = f"{infer(*detector)} name=i"
    endless = SOURCE.replace("num-buffers=2", "").replace(
        "! m.sink_0", "! identity sleep-time=5000 ! m.sink_0"
    )
    one = run(f"{endless} ! {regions()} ! {element} ! {OUT}").play()
    one.wait(lambda: len(one.out.pts) > 2)
    told = one["i"].swap(str(tmp_path / "yolo.onnx"))
    one.wait(told.done)
    assert told.result(0) is None
    # A network of another size cannot take the tensors that nvdspreprocess makes.
    constant = np.zeros((1, 6, 84), np.float32)
    other = build(tmp_path / "other.onnx", {"output0": (constant, np.zeros_like(constant))}, size=64)
    refused = one["i"].swap(str(other))
    one.wait(refused.done)
    with pytest.raises(ModelError, match=r"other\.onnx"):
        refused.result(0)
    seen = len(one.out.pts)
    one.wait(lambda: len(one.out.pts) > seen + 3)
    one.stop()
    assert one.errors == []
    assert all(frame.n_objects == 4 for frame in one.out.frames)
