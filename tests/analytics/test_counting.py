"""Counts across a line on scenes whose truth is what the objects mean to do."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from analytics_scenes import FPS, SIZE, Scene, counting_scene, perfect, tracked

from headrace.analytics import Analyser, AnalyticsConfig, AnalyticsSettings, SourceAnalysis, StreamRules
from headrace.analytics.config import Line


def watch(scene: Scene, frames) -> SourceAnalysis:  # type: ignore[no-untyped-def]
    settings = AnalyticsSettings.model_validate(
        {"frame": SIZE, "lines": {"line": scene.line.tolist()}, "rules": [{"rule": "line"}]}
    )
    source = SourceAnalysis(settings, SIZE)
    for number, (ids, classes, boxes) in enumerate(frames):
        source.update(ids, classes, boxes, number, number / FPS)
    return source


@pytest.mark.parametrize("seed", range(20))
def test_every_count_is_right_when_every_box_is(seed: int) -> None:
    scene = counting_scene(seed)
    assert watch(scene, perfect(scene)).totals.tolist() == [[scene.forward, scene.backward]]


def test_poor_detections_through_the_tracker_are_counted_right_to_98_percent() -> None:
    wrong = total = 0
    for seed in range(2000, 2012):
        scene = counting_scene(seed, fast=(15, 30))
        counted = watch(scene, tracked(scene, seed)).totals[0]
        wrong += int(np.abs(counted - (scene.forward, scene.backward)).sum())
        total += scene.forward + scene.backward
    assert total > 180
    assert wrong / total <= 0.02


@pytest.mark.parametrize("seed", range(300, 306))
def test_nvdsanalytics_counts_each_object_once_in_the_sense_of_its_arrow(seed: int) -> None:
    scene = counting_scene(seed)
    along = scene.line[1] - scene.line[0]
    middle = scene.line.mean(axis=0)
    arrow = np.stack([middle, middle + np.array([-along[1], along[0]])])
    config, line = AnalyticsConfig(*SIZE), Line("line", arrow, scene.line, extended=False)
    analyser = Analyser(config, StreamRules(lines=(line,)), SIZE)
    for number, (ids, classes, boxes) in enumerate(perfect(scene)):
        found = analyser.update(ids, classes, boxes, number * 1000 / FPS)
    # Who is seen in three frames or less does not count in the mode loose.
    expected = sum(1 in walk.senses and len(walk.feet) > 3 for walk in scene.walks)
    assert found.line_total == {"line": expected}


def go(feet: list[tuple[int, float, float]]) -> Counter[int]:
    """Id, x and y of the foot of one object frame by frame, against a line across the picture at y=360."""
    settings = AnalyticsSettings.model_validate({"frame": SIZE, "lines": {"line": [[100, 360], [1100, 360]]}})
    source, found = SourceAnalysis(settings, SIZE), Counter()
    for number, (track, x, y) in enumerate([*feet, *[(0, 0.0, 0.0)] * 60]):
        count = int(track > 0)
        there = np.array([[x - 20, y - 80, x + 20, y]])[:count]
        moment = source.update(
            np.array([track][:count], np.uint64),
            np.zeros(count, np.int32),
            there,
            number,
            number / FPS,
        )
        found.update(one.sense for one in moment.crossed)
    return found


def down(track: int, start: int, stop: int, step: int, x: float = 500) -> list[tuple[int, float, float]]:
    return [(track, x, y) for y in range(start, stop, step)]


def test_a_track_that_gets_a_new_id_at_the_line_counts_once() -> None:
    assert go(down(1, 300, 352, 4) + [(0, 0, 0)] * 4 + down(2, 372, 440, 4)) == {1: 1}
    assert go(down(1, 300, 364, 4) + [(0, 0, 0)] * 4 + down(2, 384, 440, 4)) == {1: 1}


def test_a_track_that_comes_back_with_its_id_beyond_the_line_counts_once() -> None:
    assert go(down(1, 300, 340, 4) + [(0, 0, 0)] * 15 + down(1, 400, 440, 4)) == {1: 1}


def test_somebody_else_elsewhere_is_no_continuation() -> None:
    assert go(down(1, 300, 352, 4) + [(0, 0, 0)] * 4 + down(2, 372, 440, 4, x=700)) == {}


def test_who_vanishes_just_beyond_the_line_has_crossed_it() -> None:
    assert go(down(1, 300, 365, 4)) == {1: 1}
    assert go(down(1, 300, 357, 4)) == {}


def test_round_the_end_and_back_through_the_line_is_one_crossing() -> None:
    out = [(1, 1200.0, float(y)) for y in range(300, 440, 4)]
    along = [(1, float(x), 440.0) for x in range(1200, 900, -6)]
    assert go(out + along + [(1, 900.0, float(y)) for y in range(440, 290, -4)]) == {-1: 1}


def test_boxes_that_are_none_are_left_out_and_counted() -> None:
    settings = AnalyticsSettings.model_validate({"frame": SIZE, "lines": {"line": [[100, 360], [1100, 360]]}})
    source = SourceAnalysis(settings, SIZE)
    boxes = np.array([[10, 10, 50, 90], [np.nan, 0, 5, 5], [50, 50, 40, 90], [0, 0, np.inf, 5], [1, 1, 1, 9]])
    moment = source.update(np.arange(1, 6), np.zeros(5, np.int32), boxes, 0, 0.0, ["a", "b", "c", "d", "e"])
    assert moment.ids.tolist() == [1]
    assert source.tracks.skipped == 4


def test_nvdsanalytics_leaves_them_out_too() -> None:
    analyser = Analyser(AnalyticsConfig(*SIZE), StreamRules(), SIZE)
    boxes = np.array([[np.nan, 0, 5, 5], [10.0, 10, 50, 90]])
    found = analyser.update(np.array([1, 2]), np.array([0, 0]), boxes, 0.0)
    assert found.per_class == {0: 1}
    assert len(found.objects) == 2


def test_ten_thousand_tracks_leave_no_trace() -> None:
    settings = AnalyticsSettings.model_validate(
        {"frame": SIZE, "lines": {"l": [[0, 9], [9, 9]]}, "zones": {"z": [[0, 0], [99, 0], [99, 99]]},
         "rules": [{"rule": "zone"}, {"rule": "dwell"}, {"rule": "line"}]}
    )  # fmt: skip
    source = SourceAnalysis(settings, SIZE)
    for number in range(10_000):
        x = 10 + number * 37 % 1200
        source.update(
            np.array([number + 1]), np.array([0]), np.array([[x, 50.0, x + 9, 80]]), number, number * 0.2
        )
    assert len(source.tracks) < 64
    assert all(64 in column.array.shape for column in source.tracks._columns)
