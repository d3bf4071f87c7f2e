import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from headrace.track.association import assign, iou, likeness
from headrace.track.motion import to_centre


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
    a, b = to_centre(np.array([a], float)), to_centre(np.array([b], float))
    assert iou(a, b)[0, 0] == pytest.approx(expected)
    assert iou(b, a)[0, 0] == pytest.approx(expected)


def test_likeness_prefers_the_same_height_and_sees_past_a_small_gap():
    box = np.array([[0.0, 0, 10, 20]])
    others = np.array([[0.0, 0, 10, 20], [11, 0, 21, 20], [0, 0, 20, 10], [60, 0, 70, 20]])
    same, beside, flat, far = likeness(to_centre(box), to_centre(others), 0.3)[0]
    assert same == pytest.approx(1)
    assert 0 < beside < 0.5, "a gap smaller than the margin"
    assert 0 < flat < 0.5
    assert far == 0


def best_total(score, minimum):
    """The greatest sum of score - minimum over all one-to-one matchings, tried one by one."""
    n, m = score.shape
    if n > m:
        return best_total(score.T, minimum)
    return max(
        sum(score[i, j] - minimum for i, j in enumerate(pick) if score[i, j] >= minimum)
        for pick in itertools.permutations(range(m), n)
    )


@given(
    hnp.arrays(float, st.tuples(st.integers(1, 5), st.integers(1, 5)), elements=st.floats(0, 1, width=16)),
    st.sampled_from([0.1, 0.3, 0.6]),
)
def test_assignment_is_one_to_one_allowed_and_the_best_there_is(score, minimum):
    rows, columns = assign(score, minimum)
    assert len(set(rows.tolist())) == len(rows)
    assert len(set(columns.tolist())) == len(columns)
    assert (np.diff(rows) > 0).all()
    assert (score[rows, columns] >= minimum).all()
    assert (score[rows, columns] - minimum).sum() == pytest.approx(best_total(score, minimum))


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nothing_to_assign(shape):
    rows, columns = assign(np.empty(shape), 0.1)
    assert len(rows) == len(columns) == 0


def test_no_overlap_is_never_a_match_even_without_a_minimum():
    rows, _ = assign(np.zeros((2, 2)), 0.0)
    assert len(rows) == 0
