"""hrinfer on objects: which, when, packed how; and objects of objects of objects."""

from __future__ import annotations

import threading
from typing import Any

import pytest

SOURCE = (
    "videotestsrc num-buffers={n} pattern=white ! video/x-raw,format=RGB,width=640,height=480,framerate=25/1"
)
OUT = "fakesink name=sink sync=false"
WHITE = SOURCE + " ! m.sink_0 nvstreammux name=m batch-size=1"
CAR = "def infer(self, frames):\n    return [Detections([[100, 50, 500, 450]], [0.9], [0]{ids}) for _ in frames]"
TWO = (
    "def infer(self, frames):\n    boxes = [[0, 0, 32, 22], [8, 8, 58, 58]]\n"
    "    return [Detections(boxes, [0.9] * 2, [0, 1]) for _ in frames]"
)
#: The right lower quarter of what it is shown; notes what that was.
QUARTER = """
def infer(self, frames):
    import headrace
    headrace.shown = [*getattr(headrace, 'shown', []), [(f.width, f.height) for f in frames]]
    return [Detections([[f.width / 2, f.height / 2, f.width, f.height]], [0.8], [1]) for f in frames]
"""
NAMED = """
def classify(self, frames):
    import headrace
    headrace.shown = [*getattr(headrace, 'shown', []), [(f.width, f.height) for f in frames]]
    return [(1, 0.75, f'{f.width}x{f.height}') for f in frames]
"""


@pytest.fixture(autouse=True)
def shown() -> Any:
    import headrace

    headrace.shown = []  # type: ignore[attr-defined]
    yield
    del headrace.shown  # type: ignore[attr-defined]


def calls() -> Any:
    """Sizes of the pictures in each call of the noting models."""
    import headrace

    return list(headrace.shown)  # type: ignore[attr-defined]


def words(frame: Any) -> list[list[str]]:
    return [
        [label.label for meta in one.classifier_items for label in meta.labels] for one in frame.object_items
    ]


def test_three_deep(run: Any, model: Any) -> None:
    chain = (
        f"hrinfer model={model(CAR.format(ids=''))} ! "
        f"hrinfer model={model(QUARTER)} process-mode=2 operate-on-gie-id=1 unique-id=2 ! "
        f"hrinfer model={model(QUARTER)} process-mode=2 operate-on-gie-id=2 unique-id=3 ! "
        f"hrinfer model={model(NAMED, 'Classifier')} process-mode=2 operate-on-gie-id=3 unique-id=4"
    )
    one = run(f"{WHITE.format(n=2)} ! {chain} ! {OUT}").to_end()
    assert sorted(calls()) == sorted([[(400, 400)], [(200, 200)], [(100, 100)]] * 2)
    for frame in one.out.frames:
        car, part, detail = frame.object_items
        assert [item.unique_component_id for item in (car, part, detail)] == [1, 2, 3]
        assert (part.parent, detail.parent, car.parent) == (car, part, None)
        assert frame.detections.xyxy.tolist() == [
            [100, 50, 500, 450],
            [300, 250, 500, 450],
            [400, 350, 500, 450],
        ]
        (label,) = next(detail.classifier_items).labels
        assert (label.label, next(detail.classifier_items).unique_component_id) == ("100x100", 4)
        assert list(car.classifier_items) == list(part.classifier_items) == []


def test_a_tracker_between_keeps_parents(run: Any, model: Any) -> None:
    chain = (
        f"hrinfer model={model(CAR.format(ids=''))} ! nvtracker ! "
        f"hrinfer model={model(QUARTER)} process-mode=2 operate-on-gie-id=1 unique-id=2"
    )
    one = run(f"{WHITE.format(n=6)} ! {chain} ! {OUT}").to_end()
    car, part = one.out.frames[-1].object_items
    assert (part.parent, part.parent.object_id) == (car, car.object_id)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", [["32x22"], ["50x50"]]),
        ("operate-on-class-ids=1", [[], ["50x50"]]),
        ("input-object-min-width=33", [[], ["50x50"]]),
        ("input-object-min-height=23", [[], ["50x50"]]),
        ("input-object-max-width=40", [["32x22"], []]),
        ("input-object-max-height=22 operate-on-class-ids=1", [[], []]),
    ],
)
def test_objects_are_chosen_by_class_and_size(run: Any, model: Any, options: str, expected: Any) -> None:
    chain = (
        f"hrinfer model={model(TWO)} ! hrinfer model={model(NAMED, 'Classifier')} process-mode=2 {options}"
    )
    one = run(f"{WHITE.format(n=1)} ! {chain} ! {OUT}").to_end()
    assert words(one.out.frames[0]) == expected


def test_objects_of_all_sources_share_calls(run: Any, model: Any) -> None:
    inputs = " ".join(f"{SOURCE.format(n=1)} ! m.sink_{index}" for index in range(3))
    mux = "nvstreammux name=m batch-size=3 batched-push-timeout=-1"
    chain = (
        f"hrinfer model={model(TWO)} ! hrinfer model={model(NAMED, 'Classifier')} process-mode=2 batch-size=4"
    )
    one = run(f"{inputs} {mux} ! {chain} ! {OUT}").to_end()
    assert [len(call) for call in calls()] == [4, 2]
    assert [words(frame) for frame in one.out.frames] == [[["32x22"], ["50x50"]]] * 3


def test_tracked_objects_are_looked_at_again_after_the_interval(run: Any, model: Any) -> None:
    chain = (
        f"hrinfer model={model(CAR.format(ids=', [7]'))} ! "
        f"hrinfer model={model(NAMED, 'Classifier')} process-mode=2 reinfer-interval=3"
    )
    one = run(f"{WHITE.format(n=10)} ! {chain} ! {OUT}").to_end()
    assert len(calls()) == 3  # in frames 0, 4 and 8
    assert [words(frame) for frame in one.out.frames] == [[["400x400"]]] * 10
    metas = [
        meta for frame in one.out.frames for item in frame.object_items for meta in item.classifier_items
    ]
    assert len({id(meta.labels[0]) for meta in metas}) == 10  # each frame has labels of its own


def test_asynchronous_secondaries_hold_up_nothing(run: Any, model: Any) -> None:
    import headrace

    headrace.go = threading.Event()  # type: ignore[attr-defined]
    slow = (
        "def classify(self, frames):\n    import headrace\n    assert headrace.go.wait(150)\n"
        "    return [(1, 0.5, 'late') for _ in frames]"
    )
    chain = (
        f"hrinfer model={model(CAR.format(ids=', [7]'))} ! "
        f"hrinfer model={model(slow, 'Classifier')} process-mode=2 asynchronous=true reinfer-interval=1000"
    )
    one = run(f"{WHITE.format(n=-1)} ! identity sleep-time=10000 ! {chain} ! {OUT}").play()
    one.wait(lambda: len(one.out.pts) > 4)
    assert words(one.out.frames[4]) == [[]]
    headrace.go.set()  # type: ignore[attr-defined]
    one.wait(lambda: words(one.out.frames[-1]) == [["late"]])
    one.stop()
    assert one.errors == []
    del headrace.go  # type: ignore[attr-defined]


def test_large_objects_are_looked_at_in_tiles(run: Any, model: Any) -> None:
    chain = (
        f"hrinfer model={model(CAR.format(ids=''))} ! "
        f"hrinfer model={model(QUARTER)} process-mode=2 unique-id=2 tile-size=200x200 tile-overlap=0 tile-whole=false"
    )
    one = run(f"{WHITE.format(n=1)} ! {chain} ! {OUT}").to_end()
    assert calls() == [[(200, 200)] * 4]
    car, *parts = one.out.frames[0].object_items
    assert [part.parent for part in parts] == [car] * 4
    corners = sorted(one.out.frames[0].detections.xyxy[1:, :2].tolist())
    assert corners == [[200, 150], [200, 350], [400, 150], [400, 350]]


def test_embeddings_of_tracked_objects_stay_with_them(run: Any, model: Any, tmp_path: Any) -> None:
    path = tmp_path / "embed.py"
    path.write_text(
        "import numpy as np\nfrom headrace.infer import Network, Result\nclass Look(Network):\n    n = 0\n"
        "    def infer(self, frames):\n        self.n += 1\n"
        "        return [Result(embedding=np.full(3, self.n, np.float32)) for _ in frames]\n"
    )
    look = f"hrinfer model={path}:Look process-mode=2 reinfer-interval=2"
    chain = f"hrinfer model={model(CAR.format(ids=', [7]'))} ! {look}"
    one = run(f"{WHITE.format(n=5)} ! {chain} ! {OUT}").to_end()
    assert [frame.detections.embeddings[0, 0] for frame in one.out.frames] == [1, 1, 1, 2, 2]
