"""The tracker that follows objects in pixels: what it holds, and what it lets go."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from headrace.frames import Frame, convert
from headrace.meta import Detections
from headrace.track import Sightings, TrackerOptions, make_tracker

WIDTH, HEIGHT = 320, 240


def texture(seed, width, height):
    noise = np.random.default_rng(seed).integers(0, 255, (height // 6 + 1, width // 6 + 1), np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


BACKGROUND = texture(0, WIDTH, HEIGHT) // 3
THING = texture(1, 30, 60)


def at(n):
    """Where the thing is: it walks, and turns back at frame 30, which no motion model can know."""
    x = 40 + 4 * n if n < 30 else 160 - 3 * (n - 30)
    return x, 80


def picture(n, visible=True):
    image = BACKGROUND.copy() if visible else texture(7, WIDTH, HEIGHT)
    if visible:
        x, y = at(n)
        image[y : y + 60, x : x + 30] = THING
    return Frame.from_array(image, "GRAY8")


def sightings(n, looked, format="GRAY8", visible=True):
    x, y = at(n)
    found = {0: Detections([[x, y, x + 30, y + 60]]) if looked else Detections.empty()}
    one = Sightings.of(found)
    pictures = [convert(picture(n, visible), format)]
    return Sightings(one.sources, one.frame, one.xyxy, one.confidence, one.class_id, None, pictures=pictures)


@pytest.mark.parametrize("format", ["GRAY8", "NV12", "RGB"])
def test_one_whom_the_detector_misses_is_held_in_pixels(format):
    tracker = make_tracker("dcf", TrackerOptions(probation_age=0))
    for n in range(25):
        tracker.follow(sightings(n, True, format))
    for n in range(25, 45):
        tracks = tracker.follow(sightings(n, False, format))
        assert (tracks.track_id.tolist(), tracks.row.tolist(), tracks.missed.tolist()) == ([1], [-1], [0])
        assert tracks.xyxy[0, 0] == pytest.approx(at(n)[0], abs=7), "where it is, not where it was going"
        assert 0.2 <= tracks.confidence[0] <= 1
    assert tracker.follow(sightings(45, True)).ids.tolist() == [1]


def test_one_who_is_hidden_is_let_go():
    tracker = make_tracker("dcf", TrackerOptions(probation_age=0))
    for n in range(20):
        tracker.follow(sightings(n, True))
    left = [len(tracker.follow(sightings(n, False, visible=False))) for n in range(20, 28)]
    assert left[-1] == 0
    assert sum(left) <= 4


def test_one_is_held_no_longer_than_a_shadow():
    tracker = make_tracker("dcf", TrackerOptions(probation_age=0, max_shadow_age=6))
    for n in range(20):
        tracker.follow(sightings(n, True))
    assert [len(tracker.follow(sightings(n, False))) for n in range(20, 29)] == [1] * 6 + [0] * 3
    assert len(tracker._filters) == 0


def test_the_detector_may_look_at_every_fifth_frame():
    tracker = make_tracker("dcf", TrackerOptions(probation_age=0))
    for n in range(50):
        one = sightings(n, n % 5 == 0)
        if n % 5:
            one = Sightings(
                one.sources,
                one.frame,
                one.xyxy,
                one.confidence,
                one.class_id,
                np.array([False]),
                pictures=one.pictures,
            )
        tracks = tracker.follow(one)
        assert tracks.track_id.tolist() == [1]
        if n > 5:
            assert tracks.xyxy[0, 0] == pytest.approx(at(n)[0], abs=6)


def test_without_pictures_it_is_the_default():
    rng = np.random.default_rng(4)
    one, other = make_tracker("dcf"), make_tracker("cascade")
    for n in range(30):
        boxes = np.array([[x + 3 * n, 50, x + 3 * n + 30, 120] for x in range(0, 500, 60)]) + rng.normal(
            0, 2, (9, 4)
        )
        found = Detections(boxes[rng.random(9) > 0.2])
        assert one.update(found).ids.tolist() == other.update(found).ids.tolist()


def test_strange_pictures_and_boxes_do_no_harm():
    tracker = make_tracker("dcf", TrackerOptions(probation_age=0))
    boxes = [[-500, -500, -400, -400], [0, 0, 0.5, 0.5], [-1e6, -1e6, 1e6, 1e6], [10, 10, 1e5, 20]]
    for size in ((4, 4), (240, 320), (3, 700)):
        one = Sightings.of({0: Detections(boxes)})
        blank = [Frame.from_array(np.zeros(size, np.uint8), "GRAY8")]
        tracks = tracker.follow(
            Sightings(one.sources, one.frame, one.xyxy, one.confidence, one.class_id, None, pictures=blank)
        )
        assert np.isfinite(tracks.xyxy).all()
    one = Sightings.of({0: Detections.empty()})
    tracker.follow(
        Sightings(one.sources, one.frame, one.xyxy, one.confidence, one.class_id, None, pictures=blank)
    )
