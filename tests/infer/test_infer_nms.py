"""Non-maximum suppression against a brute-force reference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from headrace.errors import ConfigError
from headrace.infer import class_aware_nms
from headrace.infer.candidates import Candidates, strongest
from headrace.infer.nms import suppress
from headrace.meta import Detections


def iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def brute_force(found, threshold):
    kept = []
    for row in sorted(range(len(found)), key=lambda i: -found.confidence[i]):
        box = found.xyxy[row].astype(float)
        if box[2] <= box[0] or box[3] <= box[1]:
            continue
        rivals = [k for k in kept if found.class_id[k] == found.class_id[row]]
        if all(iou(box, found.xyxy[k].astype(float)) <= threshold for k in rivals):
            kept.append(row)
    return kept


TABLE = [
    ("nothing", [], [], [], 0.5, []),
    ("one", [[0, 0, 5, 5]], [0.3], [0], 0.5, [0]),
    ("same box, one class", [[0, 0, 9, 9], [0, 0, 9, 9]], [0.3, 0.4], [1, 1], 0.5, [1]),
    ("same box, two classes", [[0, 0, 9, 9], [0, 0, 9, 9]], [0.3, 0.4], [1, 2], 0.5, [1, 0]),
    ("equal confidence", [[0, 0, 9, 9], [0, 0, 9, 8]], [0.4, 0.4], [0, 0], 0.5, [0]),
    ("overlap 1/3 stays", [[0, 0, 10, 10], [5, 0, 15, 10]], [0.9, 0.8], [0, 0], 0.34, [0, 1]),
    ("overlap 1/3 goes", [[0, 0, 10, 10], [5, 0, 15, 10]], [0.9, 0.8], [0, 0], 0.32, [0]),
    (
        "a dropped box drops nobody",
        [[0, 0, 10, 4], [0, 2, 10, 6], [0, 4, 10, 8]],
        [0.9, 0.8, 0.7],
        [0] * 3,
        0.3,
        [0, 2],
    ),
    ("no area", [[3, 3, 3, 9], [5, 5, 2, 2], [0, 0, 2, 2]], [0.9, 0.8, 0.1], [0] * 3, 0.5, [2]),
    ("zero confidence", [[0, 0, 2, 2]], [0.0], [0], 0.5, [0]),
    ("negative corners", [[-9, -9, -1, -1], [-9, -9, -1, -2]], [0.5, 0.6], [0, 0], 0.5, [1]),
    ("threshold 1 keeps all", [[0, 0, 9, 9], [0, 0, 9, 9]], [0.3, 0.4], [0, 0], 1.0, [1, 0]),
    ("threshold 0, apart", [[0, 0, 4, 4], [4, 0, 8, 4]], [0.3, 0.4], [0, 0], 0.0, [1, 0]),
]


@pytest.mark.parametrize(
    ("boxes", "scores", "classes", "threshold", "kept"), [r[1:] for r in TABLE], ids=[r[0] for r in TABLE]
)
def test_table(boxes, scores, classes, threshold, kept):
    found = Detections(np.array(boxes, np.float32).reshape(-1, 4), scores, classes)
    result = class_aware_nms(found, threshold)
    assert result.xyxy.tolist() == found.xyxy[kept].tolist()
    assert result.class_id.tolist() == found.class_id[kept].tolist()
    assert brute_force(found, threshold) == kept


@given(
    corner=arrays(np.int16, (25, 2), elements=st.integers(-20, 20)),
    side=arrays(np.int16, (25, 2), elements=st.integers(0, 30)),
    score=arrays(np.float32, 25, elements=st.sampled_from([0.125, 0.25, 0.5, 0.75, 1.0])),
    class_id=arrays(np.int32, 25, elements=st.integers(0, 2)),
    threshold=st.sampled_from([0.1003, 0.4507, 0.7009]),
)
@settings(max_examples=150)
def test_equals_brute_force(corner, side, score, class_id, threshold):
    found = Detections(np.hstack([corner, corner + side]).astype(np.float32), score, class_id)
    expected = found[brute_force(found, threshold)]
    result = class_aware_nms(found, threshold)
    assert result.xyxy.tolist() == expected.xyxy.tolist()
    assert result.confidence.tolist() == expected.confidence.tolist()
    assert result.class_id.tolist() == expected.class_id.tolist()


def test_limit_keeps_the_most_confident():
    boxes = np.array([[i * 10, 0, i * 10 + 5, 5] for i in range(50)], np.float32)
    result = class_aware_nms(Detections(boxes, np.linspace(0, 1, 50)), 0.5, limit=3)
    assert result.xyxy[:, 0].tolist() == [490, 480, 470]


def test_threshold_out_of_bounds_is_refused():
    with pytest.raises(ConfigError, match="0 to 1"):
        class_aware_nms(Detections.empty(), 1.5)


def some_candidates(frames):
    random = np.random.default_rng(5)
    count = 60
    corner, sides = (
        random.uniform(0, 60, (count, 2)),
        random.uniform(-4, 40, (count, 2)),
    )  # some without an area
    return Candidates(
        np.sort(random.integers(0, frames, count)).astype(np.intp),
        np.hstack([corner, corner + sides]).astype(np.float32),
        (random.integers(1, 9, count) / 9).astype(np.float32),
        random.integers(0, 3, count).astype(np.intp),
        factors=np.arange(count),
    )


@pytest.mark.parametrize("mode", ["class", "agnostic", "soft", "none"])
def test_a_batch_is_suppressed_as_each_of_its_frames_alone(mode):
    found = some_candidates(4)
    together = suppress(found, 0.4, mode, 0.1)
    alone = [suppress(found[found.frame == frame], 0.4, mode, 0.1) for frame in range(4)]
    assert together.factors.tolist() == [row for one in alone for row in one.factors.tolist()]
    assert together.confidence.tolist() == [value for one in alone for value in one.confidence.tolist()]


@pytest.mark.parametrize("frames", [1, 4])
def test_the_strongest_of_each_frame_come_in_order(frames):
    found = some_candidates(frames)
    kept = strongest(found, 5)
    for frame in range(frames):
        rows = sorted(np.flatnonzero(found.frame == frame), key=lambda row: -found.confidence[row])
        assert kept.factors[kept.frame == frame].tolist() == rows[:5]
    assert kept.frame.tolist() == sorted(kept.frame.tolist())
