"""What is asked of a source: by frame and by object, when, and with which pictures."""

import gc
import sys
import weakref

import cv2
import numpy as np
import pytest

from headrace.frames import Frame
from headrace.meta import BatchMetadata, Detections
from headrace.meta.analytics import AnalyticsObjInfo
from headrace.meta.user import MetaType, UserMetadata
from headrace.vlm import Question, SourceWatcher

S = 10**9
WIDTH, HEIGHT = 320, 240


def frame_at(seconds, objects=(), zones=None, source=0):
    """A frame with objects ``(track, class, left)``; their boxes are 40 x 60 pixels."""
    frame = BatchMetadata.new(1).frames[0]
    frame.buffer_pts, frame.frame_number, frame.source_id = round(seconds * S), round(seconds * 10), source
    frame.pipeline_width, frame.pipeline_height = WIDTH, HEIGHT
    if objects:
        boxes = [[left, 100, left + 40, 160] for _, _, left in objects]
        classes = [("person", "car").index(name) for _, name, _ in objects]
        tracks = [track for track, _, _ in objects]
        frame.add_detections(Detections(boxes, [0.9] * len(boxes), classes, tracks), ("person", "car"))
    for row, names in (zones or {}).items():
        info = UserMetadata(MetaType.OBJ_ANALYTICS, AnalyticsObjInfo(roi_status=names))
        frame.table.user.setdefault(row, []).append(info)
    return frame


def picture(color=90):
    return Frame.from_array(np.full((HEIGHT, WIDTH, 3), color, np.uint8), "BGR")


def watch(question, times, objects=lambda t: (), finish=True, **frames):
    """Play a source; the time of each question and the question."""
    watcher, asked = SourceWatcher(Question(**question)), []
    for t in times:
        requests = watcher.look(frame_at(t, objects(t), **frames), picture)
        asked += [(t, request) for request in requests]
    if finish:
        asked += [("end", request) for request in watcher.finish()]
    return asked


def shape(jpeg):
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).shape


def tenths(end):
    return [n / 10 for n in range(round(end * 10))]


def test_frames_are_asked_about_at_the_rate():
    asked = watch(
        {"prompt": "Frame {frame} at {time}: {labels}"},
        tenths(3),
        lambda t: [(1, "person", 0), (2, "car", 9)],
    )
    assert [request.prompt for _, request in asked] == [
        f"Frame {n * 10} at {n}.0: 1 person, 1 car" for n in range(3)
    ]


def test_a_segment_of_frames_holds_its_pictures():
    question = {"prompt": "{pictures} in {length} s", "segment": {"length": 2, "fps": 2, "max_size": 64}}
    asked = watch(question, tenths(5))
    assert [(t, request.prompt) for t, request in asked] == [
        (2.0, "4 in 1.5 s"), (4.0, "4 in 1.5 s"), ("end", "2 in 0.5 s"),
    ]  # fmt: skip
    first = asked[0][1]
    assert (first.first_pts, first.last_pts, first.frame_number) == (0, round(1.5 * S), 15)
    assert {shape(one) for one in first.pictures} == {(48, 64, 3)}


def test_long_segments_are_sampled_less_often():
    question = {"prompt": "{pictures}", "segment": {"length": 6, "fps": 10, "max_frames": 3}}
    assert [request.prompt for _, request in watch(question, tenths(6.1), finish=False)] == ["3"]


def test_a_rule_for_frames_holds_when_it_held_within_the_segment():
    question = {"prompt": "?", "when": "count(person) > 1", "segment": {"length": 2}, "cooldown": 0}
    crowd = {3.0: [(1, "person", 0), (2, "person", 50)]}
    asked = watch(question, tenths(8), lambda t: crowd.get(t, []))
    assert [(t, len(request.pictures), request.first_pts // S) for t, request in asked] == [(4.0, 2, 2)]


def test_a_rule_on_objects_holds_for_a_frame_when_any_object_does():
    question = {"prompt": "?", "when": "class == car and dwell > 1", "cooldown": 100}
    asked = watch(question, tenths(4), lambda t: [(5, "car", 0)] if t >= 1 else [])
    assert [t for t, _ in asked] == [3.0]


def test_objects_are_asked_about_when_they_have_dwelt():
    question = {
        "prompt": "{object.label} {object.id} {dwell}",
        "when": "class == person and dwell > 2",
        "subject": "object",
    }
    asked = watch(
        question,
        tenths(30),
        lambda t: [(7, "person", 20), (8, "car", 200), *([(9, "person", 90)] if t > 5 else [])],
    )
    assert [(t, request.prompt) for t, request in asked] == [
        (3.0, "person 7 3.0"), (8.0, "person 9 2.9"), (13.0, "person 7 13.0"),
        (18.0, "person 9 12.9"), (23.0, "person 7 23.0"), (28.0, "person 9 22.9"),
    ]  # fmt: skip
    assert (asked[0][1].object_id, asked[0][1].label) == (7, "person")


def test_crops_are_of_the_object_with_a_margin():
    question = {"prompt": "?", "subject": "object", "segment": {"margin": 0.5}}
    (_, request), *_ = watch(question, [0], lambda t: [(7, "person", 100)])
    assert shape(request.pictures[0])[:2] == (120, 80)
    (_, request), *_ = watch({**question, "pictures": "frames"}, [0], lambda t: [(7, "person", 100)])
    assert shape(request.pictures[0])[:2] == (HEIGHT, WIDTH)


def test_the_segment_of_an_object_begins_when_the_rule_holds():
    question = {"prompt": "?", "when": "dwell > 1", "subject": "object", "segment": {"length": 2, "fps": 2}}
    asked = watch(question, tenths(6), lambda t: [(7, "person", 20)], finish=False)
    assert [(t, len(request.pictures), request.first_pts / S) for t, request in asked] == [(3.5, 4, 1.5)]


def test_an_object_that_leaves_is_asked_about_with_the_pictures_there_are():
    question = {"prompt": "?", "subject": "object", "segment": {"length": 3}}
    asked = watch(question, tenths(6), lambda t: [(7, "person", 20)] if t < 1.5 else [])
    assert [(t, len(request.pictures)) for t, request in asked] == [(3.0, 2)]


def test_the_end_of_a_source_finishes_what_held():
    question = {"prompt": "?", "when": "count(car) > 0", "segment": {"length": 9}}
    assert [t for t, _ in watch(question, tenths(2), lambda t: [(1, "car", 0)])] == ["end"]
    assert watch(question, tenths(2)) == []


def test_objects_without_a_track_are_not_asked_about_but_noted():
    watcher = SourceWatcher(Question(prompt="?", subject="object"))
    assert watcher.look(frame_at(0, [(-1, "person", 0)]), picture) == []
    assert watcher.untracked


def test_zones_come_from_the_analytics():
    question = {"prompt": "in {object.zones}", "subject": "object", "when": "in_zone(queue)"}
    objects = [(1, "person", 0), (2, "person", 50)]
    asked = watch(question, [0], lambda t: objects, zones={1: ["Queue"]})
    assert [(request.object_id, request.prompt) for _, request in asked] == [(2, "in Queue")]


def test_a_source_that_begins_anew_is_new():
    question = {"prompt": "{dwell}", "subject": "object", "when": "dwell > 1", "cooldown": 100}
    asked = watch(question, [*tenths(3), *tenths(3)], lambda t: [(7, "person", 20)])
    assert [(t, request.prompt) for t, request in asked] == [(2.0, "2.0"), (2.0, "2.0")]


def test_pictures_are_taken_only_when_they_are_needed():
    watcher = SourceWatcher(Question(prompt="?", when="count(car) > 0"))
    taken = []
    for t in tenths(3):
        watcher.look(frame_at(t), lambda: taken.append(1) or picture())
    assert taken == []


@pytest.mark.parametrize("format", ["NV12", "I420", "RGBA", "GRAY8"])
def test_every_format_makes_pictures(format):
    frame = Frame.empty(format, 321, 241)
    for plane in frame.planes:
        plane[...] = 128
    question = Question(prompt="?", subject="object")
    (request,) = SourceWatcher(question).look(frame_at(0, [(3, "car", 300)]), lambda: frame)
    height, width, _ = shape(request.pictures[0])
    assert 60 <= height <= 76
    assert 20 <= width <= 28


def test_what_is_gone_is_forgotten():
    watcher = SourceWatcher(Question(prompt="?", subject="object", segment={"length": 2}, cooldown=5))
    for t in range(0, 400, 2):
        watcher.look(frame_at(t, [(t + 1, "person", 20)]), picture)
    held = [watcher._first_seen, watcher._last_seen, watcher._asked, watcher._segments, watcher._subjects]
    assert max(map(len, held)) <= 32


def test_nothing_of_a_frame_is_kept():
    watcher = SourceWatcher(Question(prompt="?", segment={"length": 60}))
    pixels, frame = picture(), frame_at(0, [(3, "car", 30)])
    plane, table = weakref.ref(pixels.planes[0]), frame.table
    watcher.look(frame, lambda pixels=pixels: pixels)
    before = sys.getrefcount(table)
    del pixels, frame
    gc.collect()
    assert plane() is None
    assert sys.getrefcount(table) < before
    assert len(watcher.finish()) == 1
