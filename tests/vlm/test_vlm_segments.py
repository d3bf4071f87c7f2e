"""Segments: which pictures belong together, and how many are held."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.vlm.segments import Segmenter

S = 10**9


def fed(segmenter, times, held=lambda t: True):
    """The segments as lists of seconds."""
    found = []
    for t in times:
        done = segmenter.feed(round(t * S), 0, held(t), lambda: b"x")
        if done:
            found.append([sample.pts / S for sample in done])
    return found


def test_each_picture_is_a_segment_without_a_length():
    assert fed(Segmenter(0, 0, 8), [0, 1, 5]) == [[0], [1], [5]]


def test_segments_follow_each_other():
    assert fed(Segmenter(2, 0, 8), [0, 1, 2, 3, 4, 5]) == [[0, 1], [2, 3]]


def test_segments_overlap():
    assert fed(Segmenter(3, 1, 8), range(9)) == [[0, 1, 2], [2, 3, 4], [4, 5, 6]]


def test_what_is_left_is_a_segment_at_the_end():
    segmenter = Segmenter(10, 0, 8)
    fed(segmenter, [0, 1, 2])
    assert len(segmenter.finish()) == 3
    assert segmenter.finish() == ()


def test_a_silence_is_in_no_segment():
    segmenter = Segmenter(2, 1, 8)
    assert fed(segmenter, [0, 1, 60, 61, 62]) == [[0, 1], [60, 61]]


def test_whether_the_rule_held_is_known():
    segmenter = Segmenter(4, 0, 8)
    fed(segmenter, [0, 1], held=lambda t: False)
    assert not segmenter.held
    fed(segmenter, [2])
    assert segmenter.held


@given(
    st.lists(st.floats(0, 3), max_size=60),
    st.floats(0, 5),
    st.floats(0, 0.99),
    st.integers(1, 6),
)
def test_pictures_are_in_order_within_length_and_bounded(steps, length, share, most):
    segmenter = Segmenter(length, length * share, most)
    now = 0
    for step in steps:
        now += round(step * S)
        done = segmenter.feed(now, 0, True, lambda: b"x")
        assert len(segmenter) <= most
        assert len(done) <= most
        times = [sample.pts for sample in done]
        assert times == sorted(times)
        assert not times or times[-1] - times[0] <= length * S


@pytest.mark.parametrize("calls", [[0], [0, 0]])
def test_pictures_are_taken_once(calls):
    taken = []
    Segmenter(1, 0, 4).feed(0, 0, True, lambda: taken.append(1) or b"x")
    assert taken == [1]
