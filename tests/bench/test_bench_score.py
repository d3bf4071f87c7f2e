from __future__ import annotations

import math

import numpy as np
import pytest

from headrace.bench.score import average_precision, detection_score, identity_switches
from headrace.meta.boxes import pairwise_iou
from headrace.meta.detections import Detections
from headrace.source.sim import Truth

A, B, C = (0, 0, 10, 10), (100, 0, 110, 10), (200, 0, 220, 20)
NEAR_A = (0, 0, 10, 12)  # IoU with A: 100 / 120
HALF_A = (0, 0, 10, 21)  # IoU with A: 100 / 210


def found(*rows: tuple, ids: list[int] | None = None) -> Detections:
    """Rows ``(box, confidence, class)``."""
    return Detections(
        np.array([row[0] for row in rows], np.float32).reshape(-1, 4),
        np.array([row[1] for row in rows], np.float32),
        np.array([row[2] for row in rows], np.int32),
        np.array(ids or [-1] * len(rows), np.int64),
    )


def truth(*rows: tuple) -> Truth:
    """Rows ``(box, class, id, visibility)``."""
    return Truth.from_rows(list(rows))


@pytest.mark.parametrize(
    ("a", "b", "iou"),
    [(A, A, 1.0), (A, B, 0.0), (A, NEAR_A, 100 / 120), (A, HALF_A, 100 / 210), (A, (5, 5, 15, 15), 25 / 175)],
)
def test_overlap_by_hand(a: tuple, b: tuple, iou: float):
    assert pairwise_iou(np.float32([a]), np.float32([b]))[0, 0] == pytest.approx(iou)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # Both found, no false alarm.
        ([(A, 0.9, 0), (B, 0.8, 0)], 1.0),
        # One of two found.
        ([(A, 0.9, 0)], 0.5),
        # The false alarm comes last: it costs nothing.
        ([(A, 0.9, 0), (B, 0.8, 0), (C, 0.7, 0)], 1.0),
        # The false alarm comes first: precision 1/2 then 2/3, made monotonic 2/3 throughout.
        ([(C, 0.95, 0), (A, 0.9, 0), (B, 0.8, 0)], 2 / 3),
        # In the middle: 1 for the first half, 2/3 for the second.
        ([(A, 0.9, 0), (C, 0.85, 0), (B, 0.8, 0)], 0.5 * 1 + 0.5 * 2 / 3),
        # Found twice: the second time is a false alarm.
        ([(A, 0.9, 0), (NEAR_A, 0.85, 0), (B, 0.8, 0)], 0.5 * 1 + 0.5 * 2 / 3),
        # Right place, wrong class.
        ([(A, 0.9, 1), (B, 0.8, 1)], 0.0),
        # Overlap just under one half.
        ([(HALF_A, 0.9, 0)], 0.0),
        ([], 0.0),
    ],
)
def test_average_precision_by_hand(rows: list[tuple], expected: float):
    result = average_precision([found(*rows)], [truth((A, 0, 1, 1.0), (B, 0, 2, 1.0))])
    assert result.per_class[0] == pytest.approx(expected)
    assert result.mean == pytest.approx(expected)


def test_mean_is_over_the_classes_that_occur():
    frames = [found((A, 0.9, 0)), found((B, 0.9, 2), (C, 0.9, 1))]
    truths = [truth((A, 0, 1, 1.0)), truth((B, 2, 2, 1.0), (C, 2, 3, 1.0))]
    result = average_precision(frames, truths)
    assert result.per_class == pytest.approx({0: 1.0, 2: 0.5})
    assert result.mean == pytest.approx(0.75)
    assert math.isnan(average_precision([found()], [truth()]).mean)


def test_confidences_are_ranked_over_all_frames():
    frames = [found((C, 0.9, 0)), found((A, 0.5, 0))]
    assert average_precision(frames, [truth(), truth((A, 0, 1, 1.0))]).per_class[0] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("hidden", "rows"),
    [
        ((B, 0, 2, 0.3), [(A, 0.9, 0), (B, 0.95, 0)]),
        ((B, 0, 2, 0.3), [(A, 0.9, 0)]),
        (((50, 0, 57, 30), 0, 2, 1.0), [(A, 0.9, 0), ((50, 0, 57, 30), 0.95, 0)]),
        # A guess at the hidden part still lies on it.
        ((C, 0, 2, 0.1), [(A, 0.9, 0), ((200, 0, 220, 8), 0.95, 0)]),
    ],
)
def test_truth_that_cannot_be_seen_counts_neither_way(hidden: tuple, rows: list[tuple]):
    frames, truths = [found(*rows)], [truth((A, 0, 1, 1.0), hidden)]
    assert average_precision(frames, truths).per_class == pytest.approx({0: 1.0})
    score = detection_score(frames, truths)
    assert (score.hits, score.false_alarms, score.misses) == (1, 0, 0)


def test_detection_score_by_hand():
    frames = [found((A, 0.9, 0), (C, 0.9, 0), (B, 0.9, 1))]
    score = detection_score(frames, [truth((A, 0, 1, 1.0), (B, 0, 2, 1.0), ((300, 0, 320, 20), 1, 3, 1.0))])
    assert (score.hits, score.false_alarms, score.misses) == (1, 2, 2)
    assert score.precision == pytest.approx(1 / 3)
    assert score.recall == pytest.approx(1 / 3)
    nothing = detection_score([found()], [truth()])
    assert (nothing.precision, nothing.recall) == (1.0, 1.0)


def follow(*frames: list[tuple[tuple, int]]) -> list[Detections]:
    """Frames of ``(box, track)``."""
    return [
        found(*[(box, 0.9, 0) for box, _ in frame], ids=[track for _, track in frame]) for frame in frames
    ]


def still(count: int) -> list[Truth]:
    return [truth((A, 0, 1, 1.0), (B, 0, 2, 1.0))] * count


@pytest.mark.parametrize(
    ("frames", "switches"),
    [
        ([[(A, 7), (B, 8)]] * 4, 0),
        # The tracks trade places: each object has a new one.
        ([[(A, 7), (B, 8)], [(A, 8), (B, 7)]], 2),
        # Lost for a frame, found again under its own id, then under another.
        ([[(A, 7), (B, 8)], [(B, 8)], [(A, 7), (B, 8)]], 0),
        ([[(A, 7), (B, 8)], [(B, 8)], [(A, 9), (B, 8)]], 1),
        # A second track overlaps even better, but the first still fits.
        ([[(NEAR_A, 7), (B, 8)], [(NEAR_A, 7), (A, 9), (B, 8)]], 0),
    ],
)
def test_identity_switches_by_hand(frames: list[list[tuple[tuple, int]]], switches: int):
    assert identity_switches(follow(*frames), still(len(frames))).switches == switches


def test_mota_by_hand():
    frames = follow([(A, 7), (B, 8)], [(A, 9)], [(A, 9), (B, 8), (C, 5)])
    score = identity_switches(frames, still(3))
    assert (score.hits, score.misses, score.false_alarms, score.switches) == (5, 1, 1, 1)
    assert score.mota == pytest.approx(1 - 3 / 6)


def test_detections_without_a_track_are_left_out():
    score = identity_switches([found((A, 0.9, 0))], [truth((A, 0, 1, 1.0))])
    assert (score.hits, score.misses, score.false_alarms) == (0, 1, 0)


def test_truth_scores_perfectly_against_itself():
    from headrace.source.sim import Scene, SceneOptions

    scene = Scene(SceneOptions("highway", seed=2, width=320, height=180))
    truths = [scene.render(index)[1] for index in range(0, 300, 10)]
    frames = [Detections(t.xyxy, class_id=t.class_id, track_id=t.track_id) for t in truths]
    assert average_precision(frames, truths).mean == pytest.approx(1.0)
    assert detection_score(frames, truths).precision == 1.0
    assert identity_switches(frames, truths).mota == pytest.approx(1.0)


def test_frame_counts_must_agree():
    with pytest.raises(ValueError, match="shorter"):
        detection_score([found()], [])
