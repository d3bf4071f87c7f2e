import numpy as np
import pytest

from headrace.track.motion import XYAH, XYSR, XYWH, Kalman, to_centre, to_corners


@pytest.fixture(params=[XYWH, XYAH, XYSR], ids=["xywh", "xyah", "xysr"])
def kalman(request):
    return Kalman(request.param)


def test_boxes_survive_the_space(kalman):
    boxes = to_centre(np.array([[0.0, 0, 10, 30], [5, 5, 300, 40]]))
    np.testing.assert_allclose(kalman.boxes(kalman.start(boxes, kalman.rows)), boxes)
    np.testing.assert_allclose(to_corners(boxes), [[0, 0, 10, 30], [5, 5, 300, 40]])


def test_a_steady_walk_is_learnt(kalman):
    state = None
    for n in range(40):
        box = to_centre(np.array([[100.0 + 4 * n, 50 + n, 130 + 4 * n, 130 + n]]))
        if state is None:
            state = kalman.start(box, kalman.rows)
            continue
        kalman.predict(state)
        kalman.correct(state, box)
    kalman.predict(state)
    np.testing.assert_allclose(kalman.boxes(state)[:2, 0], [115 + 160, 90 + 40], atol=1)


def test_trusted_sightings_pull_more(kalman):
    start, there = to_centre(np.array([[0.0, 0, 10, 20]] * 2)), to_centre(np.array([[5.0, 0, 15, 20]] * 2))
    state = kalman.start(start, kalman.rows)
    kalman.predict(state)
    kalman.correct(state, there, np.array([0.1, 10.0]))
    assert state[0, 0] > state[0, 1] + 1


def test_a_shrinking_object_that_is_not_seen_stays_a_box(kalman):
    state = kalman.start(to_centre(np.array([[0.0, 0, 50, 100]])), kalman.rows)
    for n in range(1, 10):
        kalman.predict(state)
        kalman.correct(state, to_centre(np.array([[5.0 * n / 2, 0, 50 - 5 * n / 2, 100 - 9.0 * n]])))
    for _ in range(200):
        kalman.predict(state)
    boxes = kalman.boxes(state)
    assert np.isfinite(boxes).all()
    assert (boxes[2:] > 0).all()
