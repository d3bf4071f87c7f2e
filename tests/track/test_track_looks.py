"""Trackers that look: at embeddings, and at how the camera moves."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from headrace.errors import ConfigError
from headrace.frames import Frame, convert
from headrace.meta import Detections
from headrace.track import Sightings, TrackerOptions, make_tracker
from headrace.track.camera import CameraMotion

NO_WAIT = TrackerOptions(probation_age=0)
ANNA, BERT = np.eye(2, 8)


def seen(*people):
    """Detections of (x, look)."""
    boxes = [[x - 15, 60, x + 15, 140] for x, _ in people]
    looks = [look for _, look in people]
    return Detections(boxes, embeddings=None if any(look is None for look in looks) else looks)


@pytest.mark.parametrize("name", ["deepsort", "botsort"])
def test_looks_tell_apart_two_who_turn_round_where_they_meet(name):
    tracker = make_tracker(name, NO_WAIT)
    for n in range(20):
        first = tracker.update(seen((100 + 4 * n, ANNA), (260 - 4 * n, BERT)))
    for n in range(1, 12):
        last = tracker.update(seen((176 - 4 * n, ANNA), (184 + 4 * n, BERT)))
    assert last.ids.tolist() == first.ids.tolist() == [1, 2]


def test_objects_without_a_look_are_matched_by_place():
    tracker = make_tracker("deepsort", NO_WAIT)
    assert tracker.update(seen((50, None), (200, None))).ids.tolist() == [1, 2]
    assert tracker.update(seen((54, ANNA), (203, np.zeros(8)))).ids.tolist() == [1, 2]
    assert tracker.update(seen((58, ANNA), (206, np.full(8, np.nan)))).ids.tolist() == [1, 2]
    assert tracker.update(seen((62, None), (209, None))).ids.tolist() == [1, 2]


def test_embeddings_of_another_model_are_refused():
    tracker = make_tracker("deepsort", NO_WAIT)
    tracker.update(seen((50, ANNA)))
    with pytest.raises(ConfigError, match="embeddings of 3 numbers where those before had 8"):
        tracker.update(seen((50, np.ones(3))))


def scenery(dx: int, dy: int = 0) -> Frame:
    noise = np.random.default_rng(1).integers(0, 255, (60, 100, 3), np.uint8)
    large = cv2.resize(noise, (1000, 600), interpolation=cv2.INTER_CUBIC)
    return Frame.from_array(large[100 + dy : 340 + dy, 100 + dx : 420 + dx].copy(), "RGB")


def panned(name, pictures, moves):
    """Ids of one who stands still while the camera turns away in jerks."""
    tracker, ids = make_tracker(name, NO_WAIT), set()
    for dx in moves:
        box = [[200 - dx, 60, 220 - dx, 120]]
        frames = [convert(scenery(dx), "NV12")] if pictures else None
        one = Sightings.of({0: Detections(box)})
        one = Sightings(one.sources, one.frame, one.xyxy, one.confidence, one.class_id, pictures=frames)
        ids |= set(tracker.follow(one).track_id.tolist())
    return ids


def test_a_camera_that_is_jerked_does_not_cost_an_id():
    moves = [0, 0, 0, 30, 30, 5, 5, 45, 45]
    assert panned("botsort", True, moves) == {1}
    assert len(panned("botsort", False, moves)) > 1


@pytest.mark.parametrize("shift", [(0, 0), (12, -5), (-20, 8)])
def test_the_cameras_motion_is_measured(shift):
    camera = CameraMotion()
    gray = [convert(scenery(*where), "GRAY8").planes[0] for where in ((0, 0), shift)]
    assert camera.next(gray[0]) is None
    affine = camera.next(gray[1])
    np.testing.assert_allclose(affine, [[1, 0, -shift[0]], [0, 1, -shift[1]]], atol=0.3)


def test_nothing_is_made_up_where_nothing_can_be_seen():
    camera = CameraMotion()
    blank = np.zeros((100, 100), np.uint8)
    assert camera.next(blank) is None
    assert camera.next(blank) is None
    assert camera.next(np.zeros((50, 90), np.uint8)) is None


def test_cameras_go_with_their_sources():
    tracker = make_tracker("botsort", NO_WAIT)
    one = Sightings.of({3: Detections([[10, 10, 40, 90]])})
    tracker.follow(
        Sightings(one.sources, one.frame, one.xyxy, one.confidence, one.class_id, pictures=[scenery(0)])
    )
    tracker.forget(3)
    assert (tracker.tracks, tracker._cameras) == (0, {})
