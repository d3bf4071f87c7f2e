import numpy as np
import pytest

from headrace.track.motion import to_centre
from headrace.track.overlap import buffered_iou, giou, iou, likeness


def column(*box):
    return to_centre(np.array([box], float))


@pytest.mark.parametrize("measure", [iou, giou, buffered_iou(0.3), likeness(0.3)])
def test_equal_boxes_are_alike_and_order_does_not_matter(measure):
    a, b = column(0, 0, 10, 30), column(4, 5, 16, 32)
    assert measure(a, a)[0] == pytest.approx(1)
    assert 0 < measure(a, b)[0] < 1
    assert measure(a, b) == pytest.approx(measure(b, a))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([0, 0, 2, 2], [0, 0, 2, 2], 1.0),
        ([0, 0, 2, 2], [1, 0, 3, 2], 1 / 3),
        ([0, 0, 2, 2], [2, 0, 4, 2], 0.0),
        ([0, 0, 2, 2], [5, 5, 6, 6], 0.0),
        ([0, 0, 4, 4], [1, 1, 2, 2], 1 / 16),
        ([0, 0, 0, 0], [0, 0, 0, 0], 0.0),
    ],
)
def test_iou(a, b, expected):
    assert iou(column(*a), column(*b))[0] == pytest.approx(expected)


def test_giou_tells_how_far_apart_boxes_are():
    near, far = (
        giou(column(0, 0, 2, 2), column(3, 0, 5, 2))[0],
        giou(column(0, 0, 2, 2), column(30, 0, 32, 2))[0],
    )
    assert 0 < far < near < 0.5


def test_grown_boxes_meet_over_a_gap():
    a, b = column(0, 0, 10, 20), column(11, 0, 21, 20)
    assert iou(a, b)[0] == 0
    assert 0 < buffered_iou(0.3)(a, b)[0] < 0.5
    assert buffered_iou(0.0)(a, a)[0] == pytest.approx(1)


def test_likeness_prefers_the_same_height_and_sees_past_a_small_gap():
    others = np.array([[0.0, 0, 10, 20], [11, 0, 21, 20], [0, 0, 20, 10], [60, 0, 70, 20]])
    same, beside, flat, far = likeness(0.3)(column(0, 0, 10, 20), to_centre(others))
    assert same == pytest.approx(1)
    assert 0 < beside < 0.5, "a gap smaller than the margin"
    assert 0 < flat < 0.5
    assert far == 0
