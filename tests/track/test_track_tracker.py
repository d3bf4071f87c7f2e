import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from headrace.errors import ConfigError
from headrace.meta import Detections
from headrace.track import Sightings, TrackerOptions, Tracks, make_tracker
from headrace.track.registry import trackers

NO_WAIT = TrackerOptions(probation_age=0)


def detections(*boxes, confidence=0.9, class_id=None):
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(len(boxes), confidence),
        [] if class_id is None else class_id,
    )


def walker(x, y=100.0, width=30.0, height=80.0):
    return [x - width / 2, y - height / 2, x + width / 2, y + height / 2]


def ids_over(tracker, scene):
    """Ids of the detections of each frame; a scene is a list of frames, a frame a list of boxes."""
    return [tracker.update(detections(*boxes)).ids.tolist() for boxes in scene]


@pytest.fixture(params=trackers())
def name(request):
    return request.param


def all_but(*names):
    """The trackers that are to be able to do something: the simple ones are not."""
    return pytest.mark.parametrize("name", [name for name in trackers() if name not in names])


def test_an_object_keeps_its_id_and_is_reported_after_probation(name):
    tracker = make_tracker(name, TrackerOptions(probation_age=2))
    assert ids_over(tracker, [[walker(5 * n)] for n in range(6)]) == [[-1], [-1], [1], [1], [1], [1]]


@all_but("iou")
@pytest.mark.parametrize("speed", [0, 1, 8, 20])
@pytest.mark.parametrize("gap", [1, 5, 15])
def test_an_object_hidden_for_a_while_keeps_its_id(name, speed, gap):
    if speed == 20 and name in ("botsort", "bytetrack", "ocsort", "sort"):
        speed = 10  # they look for plain overlap, and start from rest
    tracker = make_tracker(name, NO_WAIT)
    scene = [[walker(speed * n)] if not 20 <= n < 20 + gap else [] for n in range(60)]
    assert {i for frame in ids_over(tracker, scene) for i in frame} == {1}


@all_but("iou")
@pytest.mark.parametrize("frame_step", [1, 2, 3])
def test_two_who_pass_each_other_do_not_swap_ids_at_any_frame_rate(name, frame_step):
    tracker = make_tracker(name, NO_WAIT)
    scene = [[walker(100 + 4 * n, 100), walker(500 - 4 * n, 118)] for n in range(0, 100, frame_step)]
    assert {tuple(frame) for frame in ids_over(tracker, scene)} == {(1, 2)}


@all_but("iou")
def test_two_who_cross_and_hide_each_other_keep_their_ids(name):
    tracker = make_tracker(name, NO_WAIT)
    left = [walker(100 + 4 * n, 100) for n in range(100)]
    right = [walker(500 - 4 * n, 130) for n in range(100)]
    scene = [[left[n]] if 47 <= n <= 53 else [left[n], right[n]] for n in range(100)]
    found = ids_over(tracker, scene)
    assert found[0] == found[-1] == [1, 2]
    assert {tuple(frame) for frame in found} == {(1, 2), (1,)}


def test_noise_does_not_change_ids(name):
    rng = np.random.default_rng(3)
    tracker = make_tracker(name, NO_WAIT)
    scene = [
        [np.array(walker(60 + 70 * k + 2 * n, 100 + 10 * k)) + rng.normal(0, 2, 4) for k in range(8)]
        for n in range(80)
    ]
    assert {tuple(frame) for frame in ids_over(tracker, scene)} == {tuple(range(1, 9))}


@all_but("botsort", "bytetrack", "deepsort", "sort")
def test_one_who_stops_while_hidden_is_found_where_last_seen(name):
    tracker = make_tracker(name, NO_WAIT)
    scene = [[walker(10 * n)] for n in range(20)] + [[]] * 8 + [[walker(192)]] * 5
    assert {i for frame in ids_over(tracker, scene) for i in frame} == {1}


@all_but("iou", "sort")
def test_weak_detections_prolong_a_track_but_start_none(name):
    options = TrackerOptions(probation_age=0, tentative_confidence=0.5, new_target_confidence=0.5)
    tracker = make_tracker(name, options)
    sure, weak = detections(walker(50)), detections(walker(50), walker(300), confidence=0.3)
    assert tracker.update(sure).ids.tolist() == [1]
    assert tracker.update(weak).ids.tolist() == [1, -1]
    assert tracker.update(weak).ids.tolist() == [1, -1]


@pytest.mark.parametrize(("check", "expected"), [(True, [2]), (False, [1])])
def test_classes_are_told_apart_unless_asked_not_to(name, check, expected):
    tracker = make_tracker(name, TrackerOptions(probation_age=0, check_class=check))
    tracker.update(detections(walker(50), class_id=[0]))
    tracks = tracker.update(detections(walker(50), class_id=[1]))
    assert tracks.ids.tolist() == expected
    assert tracks.class_id.tolist() == [1]


@pytest.mark.parametrize(("age", "gap", "expected"), [(5, 5, 1), (5, 6, 2), (0, 0, 1), (0, 1, 2)])
def test_a_lost_track_ends_at_its_age(name, age, gap, expected):
    tracker = make_tracker(name, TrackerOptions(probation_age=0, max_shadow_age=age))
    scene = [[walker(50)]] * 3 + [[]] * gap + [[walker(50)]]
    assert ids_over(tracker, scene)[-1] == [expected]


@pytest.mark.parametrize(("early", "expected"), [(1, -1), (2, 1)])
def test_a_track_on_probation_ends_early(name, early, expected):
    tracker = make_tracker(name, TrackerOptions(probation_age=2, early_termination_age=early))
    scene = [[walker(50)], [walker(50)], [], [walker(50)]]
    assert ids_over(tracker, scene)[-1] == [expected]


def test_shadows_are_reported_when_asked_for_and_move_on(name):
    tracker = make_tracker(name, TrackerOptions(probation_age=0, output_shadow=True))
    for n in range(30):
        before = tracker.update(detections(walker(10 * n)))
    after = tracker.update(Detections.empty())
    assert (after.row.tolist(), after.track_id.tolist(), after.ids.tolist()) == ([-1], [1], [])
    assert after.xyxy[0, 0] - before.xyxy[0, 0] == pytest.approx(10, abs=1)
    assert after.confidence[0] < before.confidence[0]


@all_but("iou")
@pytest.mark.parametrize("interval", [1, 2, 4])
def test_frames_that_nobody_looked_at_are_bridged_by_predictions(name, interval):
    tracker = make_tracker(name, TrackerOptions(probation_age=1))
    step = 4 if name == "cascade" or interval < 4 else 2
    for n in range(15 * (interval + 1)):
        looked = n % (interval + 1) == 0
        tracks = tracker.update(detections(walker(step * n)) if looked else None)
        if n > 2 * (interval + 1):
            assert (tracks.track_id.tolist(), tracks.row.tolist()) == ([1], [0 if looked else -1])
    assert tracks.xyxy[0, 0] == pytest.approx(walker(step * n)[0], abs=3)


def test_the_tracker_box_is_close_to_the_detection(name):
    tracker = make_tracker(name, NO_WAIT)
    for n in range(40):
        tracks = tracker.update(detections(walker(3 * n)))
    np.testing.assert_allclose(tracks.xyxy[0], walker(3 * 39), atol=1)
    assert tracks.xyxy.dtype == np.float32


def test_unusable_boxes_get_no_track_and_are_counted(name):
    tracker = make_tracker(name, NO_WAIT)
    boxes = [
        walker(50),
        [np.nan, 0, 10, 10],
        [0, 0, np.inf, 10],
        [10, 10, 10, 20],
        [30, 10, 20, 20],
        walker(300),
    ]
    tracks = tracker.update(Detections(boxes, [0.9, 0.9, 0.9, 0.9, 0.9, 0.01]))
    assert tracks.ids.tolist() == [1, -1, -1, -1, -1, -1]
    assert tracker.dropped == {"not finite": 2, "no area": 2, "low confidence": 1}


def test_new_objects_beyond_the_limit_are_left_out_weakest_first_and_counted(name):
    tracker = make_tracker(name, TrackerOptions(probation_age=0, max_targets=2))
    found = Detections([walker(50), walker(200), walker(350)], [0.6, 0.9, 0.8])
    assert (tracker.update(found).ids > 0).tolist() == [False, True, True]
    assert tracker.dropped == {"too many targets": 1}


def test_a_detection_over_a_tracked_object_starts_no_track_when_limited(name):
    tracker = make_tracker(name, TrackerOptions(probation_age=0, max_iou_new_target=0.5))
    tracker.update(detections(walker(50)))
    assert tracker.update(detections(walker(50), walker(53), walker(300))).ids.tolist() == [1, -1, 2]


def test_thousands_of_boxes(name):
    tracker = make_tracker(name, NO_WAIT)
    x, y = np.meshgrid(np.arange(60) * 40.0, np.arange(50) * 40.0)
    boxes = np.stack((x, y, x + 30, y + 30), -1).reshape(-1, 4)
    first = tracker.update(Detections(boxes, np.full(len(boxes), 0.9))).ids
    second = tracker.update(Detections(boxes[::-1] + 3, np.full(len(boxes), 0.9))).ids
    assert np.array_equal(first, np.arange(1, 3001))
    assert np.array_equal(second, first[::-1])


def test_reset_starts_over(name):
    tracker = make_tracker(name, NO_WAIT)
    tracker.update(detections(walker(50), walker(300), [0, 0, 0, 0]))
    tracker.reset()
    assert not tracker.dropped
    assert tracker.update(detections(walker(700))).ids.tolist() == [1]


def test_the_input_is_not_changed_and_the_output_is_the_callers(name):
    tracker = make_tracker(name, NO_WAIT)
    given_ = detections(walker(50))
    before = given_.xyxy.copy()
    tracks = tracker.update(given_)
    tracks.xyxy[:], tracks.track_id[:], tracks.row[:] = 0, 9, 9
    assert np.array_equal(given_.xyxy, before)
    assert tracker.update(given_).ids.tolist() == [1]


coordinate = st.one_of(st.floats(-50, 300, width=32), st.sampled_from([np.nan, np.inf, 1e30, -1e30]))
anything = st.lists(
    st.tuples(st.tuples(*[coordinate] * 4), st.floats(0, 1, width=32), st.integers(0, 2)), max_size=8
)


@settings(max_examples=60, deadline=None)
@given(st.lists(anything, max_size=12), st.booleans(), st.integers(0, 2))
def test_invariants_hold_for_any_input(frames, shadow, probation):
    options = TrackerOptions(output_shadow=shadow, probation_age=probation, max_shadow_age=3)
    for name in trackers():
        one, other, highest = make_tracker(name, options), make_tracker(name, options), 0
        for frame in frames:
            boxes, confidence, class_id = zip(*frame, strict=True) if frame else ((), (), ())
            found = Detections(boxes, confidence, class_id)
            tracks = one.update(found)
            check(tracks, found, highest)
            highest = max(highest, *tracks.track_id.tolist(), 0)
            again = other.update(found)
            assert np.array_equal(tracks.ids, again.ids)
            assert np.array_equal(tracks.xyxy, again.xyxy)


def check(tracks: Tracks, found: Detections, highest: int) -> None:
    ids, rows = tracks.track_id.tolist(), tracks.row.tolist()
    assert len(tracks.ids) == len(found)
    assert len(set(ids)) == len(ids), "an id once per frame"
    assert all(i > 0 for i in ids)
    used = [row for row in rows if row >= 0]
    assert len(set(used)) == len(used), "a detection in one track only"
    assert {row: i for row, i in zip(rows, ids, strict=True) if row >= 0} == {
        row: i for row, i in enumerate(tracks.ids.tolist()) if i > 0
    }
    new = sorted(i for i in ids if i > highest)
    assert new == list(range(highest + 1, highest + 1 + len(new))), "ids without gaps"
    assert not np.isnan(tracks.xyxy).any()
    assert ((tracks.confidence >= 0) & (tracks.confidence <= 1)).all()


def test_unknown_names_are_answered_with_the_nearest():
    with pytest.raises(ConfigError, match=r"'cascad'.*'cascade'"):
        make_tracker("cascad")
    with pytest.raises(ConfigError, match=r"'xyz'.*Known: .*cascade"):
        make_tracker("xyz")


@pytest.mark.parametrize(
    "bad", [{"min_iou": 1.5}, {"probation_age": -1}, {"maxTargetsPerStream": 0}, {"min_iuo": 0.2}]
)
def test_options_are_bounded_and_closed(bad):
    with pytest.raises(ValidationError):
        TrackerOptions(**bad)


def test_every_option_is_described():
    assert all(field.description for field in TrackerOptions.model_fields.values())


def crowd(seed, frames=40, people=9):
    """Frames of people who walk, some of them missed, some weak, of two classes."""
    rng = np.random.default_rng(seed)
    places, speeds = rng.uniform(0, 600, (people, 2)), rng.normal(0, 4, (people, 2))
    for n in range(frames):
        boxes = np.array([walker(*(places[k] + speeds[k] * n)) for k in range(people)])
        kept = rng.random(people) > 0.15
        yield Detections(
            (boxes + rng.normal(0, 2, boxes.shape))[kept],
            rng.uniform(0.2, 1, kept.sum()),
            np.arange(people)[kept] % 2,
        )


def test_a_source_is_tracked_alike_alone_and_among_others(name):
    scenes = {source: list(crowd(source)) for source in (5, 2, 900, 7)}
    alone = {}
    for source, scene in scenes.items():
        tracker = make_tracker(name)
        alone[source] = [tracker.update(found, source) for found in scene]
    together = make_tracker(name)
    rng = np.random.default_rng(0)
    at = dict.fromkeys(scenes, 0)
    while batch := [source for source in scenes if at[source] < 40 and rng.random() < 0.8] or (
        min(at.values()) < 40
    ):
        if batch is True:
            continue
        tracks = together.follow(Sightings.of({source: scenes[source][at[source]] for source in batch}))
        for number, source in enumerate(batch):
            one, mine = alone[source][at[source]], tracks.of(tracks.frame == number)
            order, expected = mine.track_id.argsort(), one.track_id.argsort()
            assert mine.track_id[order].tolist() == one.track_id[expected].tolist()
            np.testing.assert_array_equal(mine.xyxy[order], one.xyxy[expected])
            at[source] += 1


def test_sources_that_go_leave_nothing_and_their_ids_are_not_used_again(name):
    tracker = make_tracker(name, NO_WAIT)
    for _ in range(3):
        tracker.follow(Sightings.of({0: detections(walker(50)), 4: detections(walker(50), walker(300))}))
    tracker.forget(4)
    assert tracker.tracks == 1
    assert tracker.update(detections(walker(50)), 4).track_id.tolist() == [3]
    tracker.forget(4, restart_ids=True)
    assert tracker.update(detections(walker(50)), 4).track_id.tolist() == [1]
    assert tracker.update(detections(walker(50)), 0).track_id.tolist() == [1]
    tracker.forget(12345)


def test_sources_may_come_in_any_order_go_and_come_back(name):
    tracker, at = make_tracker(name, NO_WAIT), {0: 50, 4: 300}
    for order in [(0, 4), (0, 4), (4, 0), (0,), (4, 0), (4, 0), (4,), (0, 4)]:
        tracks = tracker.follow(Sightings.of({one: detections(walker(at[one])) for one in order}))
        assert tracks.ids.tolist() == [1] * len(order)
    tracker.forget(4)
    for order in [(0, 4), (0,), (0, 4)]:
        tracks = tracker.follow(Sightings.of({one: detections(walker(50)) for one in order}))
        assert tracks.ids.tolist() == [1, 2][: len(order)]


def test_an_empty_batch_and_empty_frames(name):
    tracker = make_tracker(name, NO_WAIT)
    assert len(tracker.follow(Sightings.of({}))) == 0
    assert len(tracker.follow(Sightings.of({1: Detections.empty(), 2: None}))) == 0
    tracker.update(detections(walker(50)), 1)
    assert len(tracker.follow(Sightings.of({}))) == 0
    assert tracker.follow(Sightings.of({1: None, 2: detections(walker(9))})).track_id.tolist() == [1, 1]


def test_thousands_of_objects_in_one_frame(name):
    tracker = make_tracker(name, TrackerOptions(probation_age=0, max_targets=3000))
    x, y = np.meshgrid(np.arange(60) * 40.0, np.arange(40) * 90.0)
    boxes = np.stack([x.ravel(), y.ravel(), x.ravel() + 30, y.ravel() + 80], 1)
    first = tracker.update(Detections(boxes))
    again = tracker.update(Detections(boxes + 2))
    assert again.ids.tolist() == first.ids.tolist() == list(range(1, 2401))
