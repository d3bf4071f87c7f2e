"""nvinfer on objects, of other kinds than detectors, and with a model that is replaced while it plays."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gi.repository import Gst
from tiny_onnx import build

from headrace.infer.nvinfer import NvInferNetwork
from headrace.meta import MetaType

WHITE = (
    "videotestsrc num-buffers={n} pattern=white ! video/x-raw,format=RGB,width=64,height=48,framerate=25/1"
    " ! m.sink_0 nvstreammux name=m batch-size=1"
)
OUT = "fakesink name=sink sync=false"
SCALE = "net-scale-factor=0.00392156862745098"
#: One box, the same in each frame, and its track id.
TRACKED = (
    "def infer(self, frames):\n    return [Detections([[8, 8, 40, 30]], [0.9], [1], [7]) for _ in frames]"
)
UNTRACKED = TRACKED.replace(", [7]", "")
#: The box grows by 30 % once, in the fourth frame.
GROWING = (
    "n = 0\ndef infer(self, frames):\n    self.n += 1\n    right = 50 if self.n > 3 else 40\n"
    "    return [Detections([[8, 8, right, 30]], [0.9], [1], [7])]"
)
THREE = (
    "def infer(self, frames):\n    boxes = [[8, 8, 40, 30], [0, 0, 9, 9], [20, 4, 60, 44]]\n"
    "    return [Detections(boxes, [0.9] * 3, [0, 1, 1]) for _ in frames]"
)


def white(n: int) -> str:
    return WHITE.format(n=n)


@pytest.fixture
def config(tmp_path: Any) -> Callable[..., Path]:
    def write(*lines: str, attrs: str = "", name: str = "sgie.txt") -> Path:
        path = tmp_path / name
        path.write_text("[property]\n" + "\n".join(lines) + f"\n[class-attrs-all]\n{attrs}\n")
        return path

    return write


@pytest.fixture
def classifier(tmp_path: Any) -> Callable[..., Path]:
    """Two outputs for white pictures: class 1 of 3 with 0.9, class 0 of 2 with 0.6."""
    outputs = {
        "kind": (np.array([[0.1, 0.0, 0.2]]), np.array([[0, 0.9, 0]])),
        "colour": (np.array([[0.6, 0.4]]), np.array([[0, 0]])),
    }
    (tmp_path / "labels.txt").write_text("truck;bus;van\nred;blue\n")
    return build(tmp_path / "kinds.onnx", outputs)


@pytest.fixture
def runs(monkeypatch: Any) -> list[int]:
    """Sizes of the batches that networks were given."""
    sizes: list[int] = []
    original = NvInferNetwork.results

    def counted(self: Any, frames: Any) -> Any:
        sizes.append(len(frames))
        return original(self, frames)

    monkeypatch.setattr(NvInferNetwork, "results", counted)
    monkeypatch.setattr(NvInferNetwork, "rows", None)  # as on a GPU; on CPUs calls of one picture overlap
    return sizes


CLASSIFIER = [
    "onnx-file=kinds.onnx",
    "labelfile-path=labels.txt",
    "is-classifier=1",
    SCALE,
    "gie-unique-id=4",
]
SECONDARY = [*CLASSIFIER, "process-mode=2"]


def words(frame: Any) -> list[list[str]]:
    """Labels of the classifiers of each object."""
    return [
        [label.label for meta in one.classifier_items for label in meta.labels] for one in frame.object_items
    ]


def test_objects_are_classified_by_each_output(run: Any, model: Any, config: Any, classifier: Path) -> None:
    path = config(*SECONDARY, "classifier-type=vehicle")
    one = run(
        f"{white(2)} ! hrinfer model={model(UNTRACKED)} ! nvinfer config-file-path={path} ! {OUT}"
    ).to_end()
    for frame in one.out.frames:
        (found,) = frame.object_items
        (meta,) = found.classifier_items
        assert (meta.unique_component_id, meta.classifier_type) == (4, "vehicle")
        assert [dict(meta.get_label_info(index)) for index in range(2)] == [
            {
                "label": "bus",
                "class_id": 1,
                "prob": pytest.approx(0.9, abs=0.01),
                "label_id": 0,
                "num_classes": 3,
            },
            {"label": "red", "class_id": 0, "prob": pytest.approx(0.6), "label_id": 1, "num_classes": 2},
        ]
        assert found.text_params.display_text == "b bus red"


def test_a_text_that_somebody_has_set_is_made_longer(
    run: Any, model: Any, config: Any, classifier: Path
) -> None:
    one = run(
        f"{white(1)} ! hrinfer name=h model={model(UNTRACKED)} ! nvinfer config-file-path={config(*SECONDARY)} ! {OUT}"
    )

    def name(pad: Any, info: Any) -> Any:
        from headrace.gst import payload

        for frame in payload.find(hash(info.get_buffer())).meta.frames:
            next(frame.object_items).text_params.display_text = "mine"
        return Gst.PadProbeReturn.OK

    one["h"].get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, name)
    one.to_end()
    assert next(one.out.frames[0].object_items).text_params.display_text == "mine bus red"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("classifier-threshold=0.7", [["bus"]]),
        ("classifier-threshold=0.95", [[]]),
        ("operate-on-class-ids=0;2", [[]]),
        ("operate-on-class-ids=1", [["bus", "red"]]),
        ("operate-on-gie-id=1", [["bus", "red"]]),
        ("operate-on-gie-id=2", [[]]),
        ("input-object-min-width=33", [[]]),
        ("input-object-min-height=22", [["bus", "red"]]),
        ("input-object-max-width=31", [[]]),
        ("input-object-max-height=22", [["bus", "red"]]),
    ],
)
def test_which_objects_and_labels_count(
    run: Any, model: Any, config: Any, classifier: Path, line: str, expected: Any
) -> None:
    path = config(*SECONDARY, line)
    one = run(
        f"{white(1)} ! hrinfer model={model(UNTRACKED)} ! nvinfer config-file-path={path} ! {OUT}"
    ).to_end()
    assert words(one.out.frames[0]) == expected


def test_properties_choose_objects_over_the_file(run: Any, model: Any, config: Any, classifier: Path) -> None:
    path = config(*CLASSIFIER, "operate-on-class-ids=0", "operate-on-gie-id=3")
    options = "process-mode=2 infer-on-class-ids=1:2 infer-on-gie-id=1 unique-id=6"
    line = (
        f"{white(1)} ! hrinfer model={model(UNTRACKED)} ! nvinfer config-file-path={path} {options} ! {OUT}"
    )
    one = run(line).to_end()
    assert words(one.out.frames[0]) == [["bus", "red"]]
    assert next(next(one.out.frames[0].object_items).classifier_items).unique_component_id == 6


def test_tracked_objects_are_looked_at_once(
    run: Any, model: Any, config: Any, classifier: Path, runs: list[int]
) -> None:
    line = f"hrinfer model={model(TRACKED)} ! nvinfer config-file-path={config(*SECONDARY)}"
    one = run(f"{white(8)} ! {line} ! {OUT}").to_end()
    assert runs == [1]
    assert [words(frame) for frame in one.out.frames] == [[["bus", "red"]]] * 8


def test_tracked_objects_are_looked_at_again_when_they_have_grown(
    run: Any, model: Any, config: Any, classifier: Path, runs: list[int]
) -> None:
    line = f"hrinfer model={model(GROWING)} ! nvinfer config-file-path={config(*SECONDARY)}"
    one = run(f"{white(8)} ! {line} ! {OUT}").to_end()
    assert runs == [1, 1]
    assert [words(frame) for frame in one.out.frames] == [[["bus", "red"]]] * 8


def test_tracked_objects_are_looked_at_again_after_the_interval(
    run: Any, model: Any, config: Any, classifier: Path, runs: list[int]
) -> None:
    path = config(*SECONDARY, "secondary-reinfer-interval=3")
    one = run(
        f"{white(12)} ! hrinfer model={model(TRACKED)} ! nvinfer config-file-path={path} ! {OUT}"
    ).to_end()
    assert runs == [1, 1, 1]  # in frames 0, 4 and 8
    assert [words(frame) for frame in one.out.frames] == [[["bus", "red"]]] * 12


def test_an_asynchronous_classifier_holds_up_nothing(
    run: Any, model: Any, config: Any, classifier: Path, monkeypatch: Any
) -> None:
    go, original = threading.Event(), NvInferNetwork.results

    def held(self: Any, frames: Any) -> Any:
        assert go.wait(150)
        return original(self, frames)

    monkeypatch.setattr(NvInferNetwork, "results", held)
    path = config(*SECONDARY, "classifier-async-mode=1")
    paced = "identity sleep-time=20000"
    line = f"{white(-1)} ! {paced} ! hrinfer model={model(TRACKED)} ! nvinfer config-file-path={path} ! {OUT}"
    one = run(line).play()
    one.wait(lambda: len(one.out.pts) > 4)
    assert words(one.out.frames[4]) == [[]]
    go.set()
    one.wait(lambda: words(one.out.frames[-1]) == [["bus", "red"]])


def test_objects_of_all_frames_share_model_batches(
    run: Any, model: Any, config: Any, classifier: Path, runs: list[int]
) -> None:
    inputs = " ".join(f"{white(1).split(' ! m.sink_0')[0]} ! m.sink_{index}" for index in range(2))
    path = config(*SECONDARY, "batch-size=4")
    line = f"{inputs} nvstreammux name=m batch-size=2 batched-push-timeout=-1 ! hrinfer model={model(THREE)}"
    one = run(f"{line} ! nvinfer config-file-path={path} ! {OUT}").to_end()
    assert runs == [4, 2]
    assert [words(frame) for frame in one.out.frames] == [[["bus", "red"]] * 3] * 2


def test_a_classifier_of_frames_makes_an_object_over_each(run: Any, config: Any, classifier: Path) -> None:
    one = run(f"{white(1)} ! nvinfer config-file-path={config(*CLASSIFIER)} ! {OUT}").to_end()
    (found,) = one.out.frames[0].object_items
    rect = found.rect_params
    assert (found.class_id, rect.left, rect.top, rect.width, rect.height) == (2**32 - 1, 0, 0, 64, 48)
    assert rect.border_width == 6
    assert found.text_params.display_text == "bus red"
    silent = config(*CLASSIFIER, "classifier-threshold=0.95")
    one = run(f"{white(1)} ! nvinfer config-file-path={silent} ! {OUT}").to_end()
    assert one.out.frames[0].n_objects == 0


def yolo(folder: Path, name: str = "yolo.onnx", class_id: int = 1, classes: int = 2) -> Path:
    """Input 32x32: a box at 12..20, 10..14 whose score is the brightness."""
    constant = np.zeros((1, 4 + classes, 21), np.float32)
    constant[0, :4, 3] = 16, 12, 8, 4
    mask = np.zeros_like(constant)
    mask[0, 4 + class_id, 3] = 1
    return build(folder / name, {"output0": (constant, mask)})


DETECTOR = ["num-detected-classes=2", SCALE, "cluster-mode=2"]


def test_a_detector_on_objects_finds_parts_of_them(
    run: Any, model: Any, config: Any, tmp_path: Any, runs: list[int]
) -> None:
    yolo(tmp_path)
    path = config("onnx-file=yolo.onnx", "process-mode=2", "output-tensor-meta=1", *DETECTOR)
    one = run(
        f"{white(3)} ! hrinfer model={model(TRACKED)} ! nvinfer config-file-path={path} ! {OUT}"
    ).to_end()
    assert runs == [1, 1, 1]  # parts are looked for in each frame
    whole, part = one.out.frames[0].object_items
    assert part.parent == whole
    rect = part.rect_params
    # 12..20, 10..14 of 32x32 pixels in an object of 32x22 pixels at 8, 8.
    np.testing.assert_allclose([rect.left, rect.top, rect.width, rect.height], [20, 14.875, 8, 2.75])
    (tensors,) = (item.data for item in whole.tensor_items)
    assert tensors.layers["output0"].shape == (6, 21)
    assert one.out.frames[0].user == []


def test_parts_of_tracked_objects_are_looked_for_at_an_interval_if_asked(
    run: Any, model: Any, config: Any, tmp_path: Any, runs: list[int]
) -> None:
    yolo(tmp_path)
    path = config("onnx-file=yolo.onnx", "process-mode=2", "secondary-reinfer-interval=2", *DETECTOR)
    run(f"{white(6)} ! hrinfer model={model(TRACKED)} ! nvinfer config-file-path={path} ! {OUT}").to_end()
    assert runs == [1, 1]


@pytest.mark.parametrize("order", [0, 1])
def test_segmentation_hangs_on_frames(run: Any, config: Any, tmp_path: Any, order: int) -> None:
    scores = np.zeros((1, 2, 3, 4), np.float32)
    scores[0, 0, :, 0], scores[0, 1, :, 1], scores[0, 0, :, 2] = 0.9, 0.8, 0.3
    shown = scores if order == 0 else scores.transpose(0, 2, 3, 1)
    build(tmp_path / "seg.onnx", {"mask": (shown, np.zeros_like(shown))})
    path = config(
        "onnx-file=seg.onnx", "network-type=2", "segmentation-threshold=0.5", "gie-unique-id=2",
        f"segmentation-output-order={order}",
    )  # fmt: skip
    one = run(f"{white(1)} ! nvinfer config-file-path={path} ! {OUT}").to_end()
    (frame,) = one.out.frames
    (found,) = (item.as_segmentation() for item in frame.segmentation_items)
    assert (found.unique_id, found.width, found.height, found.classes) == (2, 4, 3, 2)
    assert found.class_map.dtype == np.int32
    assert found.class_map.tolist() == [[0, 1, -1, -1]] * 3
    assert found.class_probabilities_map.shape == (3, 4, 2)
    assert [meta.meta_type for meta in frame.user] == [MetaType.SEGMENTATION]


MASKS = """
import numpy as np

class Thing:
    classId, left, top, width, height, detectionConfidence = 1, 8, 8, 16, 16, 0.9
    mask = np.array([[0.9, 0.1], [0.2, 0.8]], np.float32)

def parse(outputs, network, params):
    return [Thing()]
"""


@pytest.mark.parametrize("with_masks", [0, 1])
def test_instance_masks_come_from_a_custom_parser(
    run: Any, config: Any, tmp_path: Any, with_masks: int
) -> None:
    yolo(tmp_path)
    (tmp_path / "mine.py").write_text(MASKS)
    path = config(
        "onnx-file=yolo.onnx", "network-type=3", "cluster-mode=4", f"output-instance-mask={with_masks}",
        "segmentation-threshold=0.3", "num-detected-classes=2",
        "parse-bbox-instance-mask-func-name=mine.py:parse",
    )  # fmt: skip
    one = run(f"{white(1)} ! nvinfer config-file-path={path} ! {OUT}").to_end()
    (found,) = one.out.frames[0].object_items
    rect, mask = found.rect_params, found.mask_params
    assert (rect.left, rect.top, rect.width, rect.height) == (16, 12, 32, 24)
    assert mask.mask_array.shape == ((2, 2) if with_masks else (0, 0))
    if with_masks:
        assert mask.threshold == pytest.approx(0.3)
        np.testing.assert_allclose(mask.mask_array, [[0.9, 0.1], [0.2, 0.8]])


def test_masks_need_boxes_that_are_not_merged(run: Any, config: Any, tmp_path: Any) -> None:
    yolo(tmp_path)
    path = config("onnx-file=yolo.onnx", *DETECTOR)
    error = run(f"{white(1)} ! nvinfer config-file-path={path} output-instance-mask=true ! {OUT}").to_error()
    assert "output-instance-mask=1 needs cluster-mode=4" in error.text


class Swap:
    """A pipeline in which the model is replaced while it plays."""

    def __init__(self, run: Any, path: Path, n: int = -1) -> None:
        paced = "identity sleep-time=10000"
        self.run = run(f"{white(n)} ! {paced} ! nvinfer name=p config-file-path={path} ! {OUT}")
        self.told: list[tuple[int, str]] = []
        self.handler = self.run["p"].connect(
            "model-updated", lambda _e, error, file: self.told.append((error, file))
        )
        self.run.play().wait(lambda: len(self.run.out.pts) > 2)

    def replace(self, file: Any) -> None:
        before = len(self.told)
        self.run["p"].set_property("model-engine-file", str(file))
        self.run.wait(lambda: len(self.told) > before)
        seen = len(self.run.out.pts)
        self.run.wait(lambda: len(self.run.out.pts) > seen + 3)

    def classes(self) -> list[int]:
        return [one.class_id for frame in self.run.out.frames for one in frame.object_items]


def test_a_model_is_replaced_while_playing(run: Any, config: Any, tmp_path: Any) -> None:
    yolo(tmp_path, "first.onnx", class_id=1)
    yolo(tmp_path, "second.onnx", class_id=0)
    engine = tmp_path / "second.onnx_b1_gpu0_fp16.engine"
    engine.touch()
    swap = Swap(run, config("onnx-file=first.onnx", *DETECTOR))
    swap.replace(engine)
    assert swap.told == [(0, str(engine))]
    swap.run["p"].set_property("model-engine-file", str(tmp_path / "first.onnx"))
    swap.run.wait(lambda: len(swap.told) == 2)
    swap.run.stop()
    classes = swap.classes()
    assert classes[0] == 1
    assert 0 in classes
    assert [frame.n_objects for frame in swap.run.out.frames] == [1] * len(classes)  # no frame without result
    numbers = [frame.frame_number for frame in swap.run.out.frames]
    assert numbers == list(range(len(numbers)))
    swap.run["p"].disconnect(swap.handler)


@pytest.mark.parametrize("file", ["gone.engine", "broken.onnx", "other.onnx"])
def test_a_model_that_cannot_be_used_leaves_the_one_before(
    run: Any, config: Any, tmp_path: Any, file: str
) -> None:
    yolo(tmp_path, "first.onnx")
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    build(tmp_path / "other.onnx", {"odd": (np.zeros((1, 7)), np.zeros((1, 7)))})
    swap = Swap(run, config("onnx-file=first.onnx", *DETECTOR))
    swap.replace(tmp_path / file)
    swap.run.stop()
    assert swap.told == [(1, str(tmp_path / file))]
    assert set(swap.classes()) == {1}
    (warning,) = swap.run.of("warning")
    assert f"model {tmp_path / file} is not used, the one before goes on: " in warning.text
    swap.run["p"].disconnect(swap.handler)
