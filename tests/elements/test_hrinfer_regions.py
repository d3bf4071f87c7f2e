"""hrinfer on regions and tiles: what the model sees, and what comes back in pixels of the frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gi.repository import Gst

from headrace.gst import payload
from headrace.meta import MetaType, RegionsOfInterest, TensorOutput

OUT = "fakesink name=sink sync=false"
#: One box over the white pixels of each picture, if there are some; it notes the sizes of what it was given.
WHITE = """
def infer(self, frames):
    found = []
    for picture in frames.numpy():
        rows, columns = np.nonzero(picture[..., 0] > 128)
        box = [[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]] if len(rows) else []
        found.append(Detections(box, [0.9] * len(box), [1] * len(box)))
    sys.modules['headrace'].seen = [*getattr(sys.modules['headrace'], 'seen', []),
                                    [(p.shape[1], p.shape[0]) for p in frames.numpy()]]
    return found
"""


@pytest.fixture
def seen() -> Any:
    """Sizes of the pictures in each call of the model."""
    import headrace

    headrace.seen = []  # type: ignore[attr-defined]
    yield headrace.seen  # type: ignore[attr-defined]
    del headrace.seen  # type: ignore[attr-defined]


def sizes() -> list[list[tuple[int, int]]]:
    import headrace

    return list(headrace.seen)  # type: ignore[attr-defined]


class Scene:
    """Sources whose frames are black, with white rectangles."""

    def __init__(self, run: Any, feed: Any, chain: str, *pictures: np.ndarray, format: str = "RGB") -> None:
        inputs = " ".join(f"appsrc name=s{index} ! m.sink_{index}" for index in range(len(pictures)))
        mux = f"nvstreammux name=m batch-size={len(pictures)} batched-push-timeout=-1"
        self.run = run(f"{inputs} {mux} ! {chain} ! {OUT}")
        self.feeders = []
        for index, picture in enumerate(pictures):
            height, width = picture.shape[:2]
            caps = f"video/x-raw,format={format},width={width},height={height}"
            self.feeders.append(feed(self.run[f"s{index}"], caps))
        self.data = [one.tobytes() if format == "RGB" else nv12(one) for one in pictures]

    def play(self, n: int = 1) -> Any:
        self.run.play()
        for _ in range(n):
            for feeder, data in zip(self.feeders, self.data, strict=True):
                feeder.push(data)
        for feeder in self.feeders:
            feeder.end()
        return self.run.wait().stop()


def nv12(picture: np.ndarray) -> bytes:
    """A grey picture's luma, and chroma without colour."""
    return picture[..., 0].tobytes() + bytes([128]) * (picture[..., 0].size // 2)


def picture(*boxes: tuple[int, int, int, int], size: tuple[int, int] = (320, 240)) -> np.ndarray:
    array = np.zeros((size[1], size[0], 3), np.uint8)
    for left, top, right, bottom in boxes:
        array[top:bottom, left:right] = 255
    return array


def by_source(one: Any) -> list[list[list[float]]]:
    """Boxes in the only frame of each source."""
    return [boxes(frame) for frame in sorted(one.out.frames, key=lambda frame: frame.source_id)]


def boxes(frame: Any) -> list[list[float]]:
    return sorted(frame.detections.xyxy.tolist())


def test_a_region_is_all_that_the_model_sees(run: Any, feed: Any, model: Any, seen: Any) -> None:
    image = picture((20, 20, 40, 40), (200, 100, 240, 160))
    scene = Scene(run, feed, f"hrinfer model={model(WHITE)} regions=0:160,80,100,100", image, image)
    one = scene.play()
    assert one.errors == []
    (call,) = sizes()
    assert sorted(call) == [(100, 100), (320, 240)]  # the second source has no region: all of it
    assert by_source(one) == [[[200, 100, 240, 160]], [[20, 20, 240, 160]]]
    assert all(frame.infer_done for frame in one.out.frames)


def test_an_object_in_two_regions_is_one_object(run: Any, feed: Any, model: Any, seen: Any) -> None:
    image = picture((100, 50, 180, 90))
    regions = "0:0,0,0.5,1;0:0.375,0,0.625,1"
    one = Scene(run, feed, f"hrinfer model={model(WHITE)} regions={regions}", image).play()
    assert [boxes(frame) for frame in one.out.frames] == [[[100, 50, 180, 90]]]
    (found,) = one.out.frames[0].object_items
    assert (found.label, found.parent) == ("b", None)
    one = Scene(run, feed, f"hrinfer model={model(WHITE)} regions={regions} merge=none", image).play()
    assert [boxes(frame) for frame in one.out.frames] == [[[100, 50, 160, 90], [120, 50, 180, 90]]]


def test_regions_come_from_metadata(run: Any, feed: Any, model: Any, seen: Any) -> None:
    image = picture((20, 20, 40, 40), (200, 100, 240, 160))
    scene = Scene(run, feed, f"hrinfer name=h model={model(WHITE)} regions=meta", image)

    def attach(pad: Any, info: Any) -> Any:
        (frame,) = payload.find(hash(info.get_buffer())).meta.frames
        if frame.frame_number < 2:
            frame.append(RegionsOfInterest([[10, 10, 50, 50]] if frame.frame_number else []))
        return Gst.PadProbeReturn.OK

    scene.run["h"].get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, attach)
    one = scene.play(3)
    assert [boxes(frame) for frame in one.out.frames] == [[], [[20, 20, 40, 40]], [[20, 20, 240, 160]]]
    assert sizes() == [[(40, 40)], [(320, 240)]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("regions=0:100,50", "is not four numbers; write source:left,top,width,height"),
        ("regions=0:400,0,50,50", "lies outside of the frames of source 0, which have 320x240 pixels"),
        ("tile-size=640", "tile-size '640' is no size; write width and height, such as 640x384"),
        ("tile-size=0x64", "tile-size is 0x64; use positive pixels"),
        ("tile-size=64x64 merge=best", "merge mode is 'best'; use one of nmm, nms, none"),
        ("gate=sound", "gate='sound' is not known; use motion"),
        ("skipped-frames=keep", "skipped-frames='keep' is not known; use one of empty, hold, predict"),
        ("process-mode=2 gate=motion", "gate=motion works with process-mode=1 only"),
        ("asynchronous=true", "asynchronous=True works with process-mode=2 only"),
    ],
)
def test_options_that_cannot_be_used_are_named(
    run: Any, feed: Any, model: Any, options: str, message: str
) -> None:
    scene = Scene(run, feed, f"hrinfer model={model(WHITE)} {options}", picture())
    one = scene.play()
    (error,) = one.errors
    assert message in error.text


def test_a_wrong_region_can_cost_batches_instead_of_the_pipeline(run: Any, feed: Any, model: Any) -> None:
    chain = f"hrinfer name=h model={model(WHITE)} on-error=drop regions=1:400,0,50,50"
    one = Scene(run, feed, chain, picture(), picture()).play(3)
    assert one.errors == []
    assert one.out.frames == []
    assert sum(one["h"].dropped.values()) == 3


@pytest.mark.parametrize("format", ["RGB", "NV12"])
def test_tiles_of_all_cameras_share_calls_of_the_model(
    run: Any, feed: Any, model: Any, seen: Any, format: str
) -> None:
    wide, narrow = picture((150, 100, 170, 120), size=(320, 240)), picture((4, 4, 12, 12), size=(160, 120))
    chain = f"hrinfer model={model(WHITE)} tile-size=160x160 tile-overlap=0.25"
    one = Scene(run, feed, chain, wide, narrow, format=format).play()
    # The whole picture and six tiles of the first camera, one of the second, in calls of at most four.
    assert [len(call) for call in sizes()] == [4, 4]
    assert sorted(one for call in sizes() for one in call) == [(160, 120), *[(160, 160)] * 6, (320, 240)]
    assert by_source(one) == [[[150, 100, 170, 120]], [[4, 4, 12, 12]]]


LABELS = "def classify(self, frames):\n    return [(int(p.mean() > 50), 0.75, 'a') for p in frames.numpy()]"


def test_a_classifier_of_regions_makes_an_object_over_each(run: Any, feed: Any, model: Any) -> None:
    image = picture((200, 100, 240, 160))
    chain = f"hrinfer model={model(LABELS, 'Classifier')} regions=0:0,0,100,100;0:180,80,80,100"
    one = Scene(run, feed, chain, image).play()
    found = list(one.out.frames[0].object_items)
    assert sorted(boxes(one.out.frames[0])) == [[0, 0, 100, 100], [180, 80, 260, 180]]
    assert [next(item.classifier_items).labels[0].class_id for item in found] == [0, 1]


def test_a_segmentation_cannot_be_cut_into_tiles(run: Any, feed: Any, tmp_path: Any) -> None:
    path = tmp_path / "seg.py"
    path.write_text(
        "import numpy as np\nfrom headrace.infer import Network, Result\nfrom headrace.meta import Segmentation\n"
        "class Seg(Network):\n    def infer(self, frames):\n"
        "        return [Result(segmentation=Segmentation(1, np.zeros((2, 2), np.int32))) for _ in frames]\n"
    )
    one = Scene(run, feed, f"hrinfer model={path}:Seg tile-size=160x160", picture()).play()
    assert "leave out regions and tile-size" in one.errors[0].text
    one = Scene(run, feed, f"hrinfer model={path}:Seg", picture()).play()
    assert one.errors == []


def test_raw_outputs_ride_beside_the_objects(run: Any, feed: Any, tmp_path: Any) -> None:
    from test_nvinfer_objects import yolo

    image = picture((0, 0, 160, 120), size=(160, 120))
    path = yolo(tmp_path)
    one = Scene(run, feed, f"hrinfer model={path} output-tensor-meta=true unique-id=5", image).play()
    (frame,) = one.out.frames
    (tensors,) = (meta.as_tensor_output() for meta in frame.tensor_items)
    assert isinstance(tensors, TensorOutput)
    assert (tensors.unique_id, tensors.network_size) == (5, (32, 32, 3))
    assert (tensors.scale, tensors.offset) == ((0.2, 0.2), (0, 4))
    assert tensors.layers["output0"].shape == (6, 21)
    box = tensors.layers["output0"][:4, 3]
    centre = (box[:2] - tensors.offset) / tensors.scale
    found = frame.detections.xyxy[0]
    np.testing.assert_allclose((found[:2] + found[2:]) / 2, centre, atol=0.01)
    one = Scene(run, feed, f"hrinfer model={path}", image).play()
    assert list(one.out.frames[0].tensor_items) == []


def test_raw_outputs_of_regions_lead_back_to_the_frame(run: Any, feed: Any, tmp_path: Any) -> None:
    from test_nvinfer_objects import yolo

    image = picture((0, 0, 320, 240))
    options = "output-tensor-meta=true regions=0:100,60,64,64"
    one = Scene(run, feed, f"hrinfer model={yolo(tmp_path)} {options}", image).play()
    (frame,) = one.out.frames
    (tensors,) = (meta.as_tensor_output() for meta in frame.tensor_items)
    assert [meta.meta_type for meta in frame.user] == [MetaType.TENSOR_OUTPUT]
    box = tensors.layers["output0"][:4, 3]
    found = frame.detections.xyxy[0]
    np.testing.assert_allclose(
        (found[:2] + found[2:]) / 2, (box[:2] - tensors.offset) / tensors.scale, atol=0.01
    )
