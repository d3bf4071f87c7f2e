"""Frames that need no model, and what is in them all the same."""

import numpy as np
import pytest

from headrace.frames import Frame
from headrace.infer.result import Result
from headrace.infer.targets.continuation import Continuation
from headrace.infer.targets.motion_gate import MotionGate
from headrace.meta import Detections, Label


def picture(left=None, level=50, format="NV12", noise=0.0, seed=0):
    """A grey frame of 640x360, with a bright square at ``left``."""
    luma = np.full((360, 640), level, np.float64) + np.random.default_rng(seed).normal(
        0, noise or 1e-9, (360, 640)
    )
    if left is not None:
        luma[100:140, left : left + 40] += 120
    plane = luma.clip(0, 255).astype(np.uint8)
    if format == "NV12":
        return Frame("NV12", 640, 360, (plane, np.full((180, 320, 2), 128, np.uint8)))
    return Frame.from_array(np.repeat(plane[..., None], 3, axis=2), format)


@pytest.mark.parametrize("format", ["NV12", "RGB", "BGR"])
def test_only_frames_with_motion_go_through(format):
    gate = MotionGate(hold=0)
    places = [None, None, 100, 100, 104, None, None]
    opened = [gate.opens(3, number, picture(left, format=format)) for number, left in enumerate(places)]
    assert opened == [True, False, True, False, True, True, False]


def test_noise_is_no_motion():
    gate = MotionGate(hold=0)
    opened = [gate.opens(0, number, picture(100, noise=6, seed=number)) for number in range(10)]
    assert opened == [True] + [False] * 9


def test_slow_changes_add_up():
    gate = MotionGate(hold=0)
    opened = [gate.opens(0, number, picture(level=50 + number)) for number in range(40)]
    assert 2 <= sum(opened) <= 4


def test_the_gate_stays_open_for_a_while():
    gate = MotionGate(hold=3)
    opened = [gate.opens(0, number, picture(100 if number >= 6 else None)) for number in range(14)]
    assert [number for number, one in enumerate(opened) if one] == [0, 1, 2, 3, 6, 7, 8, 9]


def test_sources_are_watched_each_by_itself():
    gate = MotionGate(hold=0)
    opened = [gate.opens(number % 2, number, picture(100 if number == 3 else None)) for number in range(6)]
    assert opened == [True, True, False, True, False, True]
    gate.forget(0)
    assert gate.opens(0, 9, picture())
    gate.forget(7)


def test_another_size_or_a_new_beginning_opens():
    gate = MotionGate(hold=0)
    assert gate.opens(0, 5, picture())
    tall = Frame.from_array(np.full((400, 400), 50, np.uint8), "GRAY8")
    assert gate.opens(0, 6, tall)
    assert not gate.opens(0, 7, tall)
    assert gate.opens(0, 0, tall)  # after a seek


SIZE = (640, 480)


def test_objects_are_held():
    last = Continuation()
    assert last.at(0, 1, SIZE) is None
    found = Detections([[10, 10, 30, 30]], [0.8], [1])
    last.note(0, 4, Result(found, ("a", "b"), labels=(Label("day"),)))
    last.note(0, 5, Result(labels=(Label("day"),)))  # says nothing of objects
    held = last.at(0, 6, SIZE)
    assert held.detections is found
    assert (held.names, held.labels) == (("a", "b"), None)
    assert last.at(0, 2, SIZE) is None  # after a seek
    last.forget(0)
    assert last.at(0, 6, SIZE) is None


def test_objects_move_on_as_between_the_last_two_frames():
    last = Continuation(predict=True)
    boxes = [[0, 0, 20, 20], [100, 0, 140, 40], [5, 5, 9, 9]]
    last.note(0, 0, Result(Detections(boxes, [0.9] * 3, [0, 0, 1])))
    points = np.array([[[110, 10, 0.5]], [[4, 4, 0.5]], [[200, 0, 1]]], np.float32)
    boxes = [[108, 0, 148, 44], [4, 2, 24, 22], [200, 0, 220, 20]]
    last.note(0, 4, Result(Detections(boxes, [0.9] * 3, [0, 0, 0], keypoints=points)))
    found = last.at(0, 6, SIZE).detections
    assert found.xyxy.tolist() == [[112, 0, 152, 46], [6, 3, 26, 23], [200, 0, 220, 20]]
    assert found.keypoints[:, 0, :2].tolist() == [[114, 11], [6, 5], [200, 0]]
    assert last.at(0, 6, SIZE, moving=False).detections.xyxy.tolist() == boxes


def test_track_ids_count_more_than_overlap():
    last = Continuation(predict=True)
    last.note(0, 0, Result(Detections([[0, 0, 20, 20], [20, 0, 40, 20]], track_id=[1, 2])))
    last.note(0, 1, Result(Detections([[20, 0, 40, 20], [40, 0, 60, 20]], track_id=[1, 2])))
    assert last.at(0, 2, SIZE).detections.xyxy[:, 0].tolist() == [40, 60]


def test_what_leaves_the_frame_is_cut_and_goes():
    last = Continuation(predict=True)
    for number in (0, 1):
        last.note(0, number, Result(Detections([[20 - 5 * number, 5, 40 - 5 * number, 30]])))
    assert last.at(0, 5, (64, 48)).detections.xyxy.tolist() == [[0, 5, 15, 30]]
    assert len(last.at(0, 9, (64, 48)).detections) == 0
