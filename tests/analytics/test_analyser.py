"""Rules against paths whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from headrace.analytics import Analyser, AnalyticsConfig, FrameResult, StreamRules
from headrace.analytics.config import Direction, Line, Region
from headrace.analytics.geometry import cosine, crosses_segment, inside, side
from headrace.analytics.history import CountSmoother, History
from headrace.analytics.tracks import Tracks

CONFIG = AnalyticsConfig(1000, 1000)
FRAME_MS = 33.0
#: From left to right across the middle of the frame.
MIDDLE = np.array([[500.0, 400.0], [500.0, 600.0]])
RIGHTWARDS = np.array([[450.0, 500.0], [550.0, 500.0]])


def points(*values: float) -> NDArray[np.float64]:
    return np.array(values, float).reshape(-1, 2)


def square(left: float, top: float, side_length: float) -> NDArray[np.float64]:
    right, bottom = left + side_length, top + side_length
    return points(left, top, right, top, right, bottom, left, bottom)


def walk(
    analyser: Analyser, start: tuple[float, float], step: tuple[float, float], frames: int, track: int = 1
) -> list[FrameResult]:
    """A box of 40x80 whose bottom centre walks along a line."""
    results = []
    for index in range(frames):
        x, y = start[0] + step[0] * index, start[1] + step[1] * index
        box = np.array([[x - 20, y - 80, x + 20, y]])
        results.append(analyser.update(np.array([track]), np.array([0]), box, index * FRAME_MS))
    return results


def lines(*rules: Line) -> Analyser:
    return Analyser(CONFIG, StreamRules(lines=rules), (1000, 1000))


def total(results: list[FrameResult], label: str = "L") -> int:
    return results[-1].line_total[label]


@pytest.mark.parametrize("mode", ["loose", "balanced", "strict"])
@pytest.mark.parametrize("extended", [True, False])
def test_a_crossing_counts_once(mode: str, extended: bool) -> None:
    found = walk(lines(Line("L", RIGHTWARDS, MIDDLE, extended=extended, mode=mode)), (400, 500), (5, 0), 60)
    assert total(found) == 1
    assert sum(result.line_now["L"] for result in found) == 1
    crossed = [result.objects[0] for result in found if result.line_now["L"]]
    assert crossed[0] is not None
    assert crossed[0].lines == ["L"]
    assert "LC:L" in crossed[0].status


@pytest.mark.parametrize("mode", ["loose", "balanced", "strict"])
def test_against_the_arrow_does_not_count(mode: str) -> None:
    assert total(walk(lines(Line("L", RIGHTWARDS, MIDDLE, mode=mode)), (600, 500), (-5, 0), 60)) == 0


def test_beyond_the_ends_only_an_extended_line_counts() -> None:
    for extended, count in ((True, 1), (False, 0)):
        rule = Line("L", RIGHTWARDS, MIDDLE, extended=extended)
        assert total(walk(lines(rule), (400, 800), (5, 0), 60)) == count


def test_strict_wants_more_of_a_move_than_loose() -> None:
    short = [
        walk(lines(Line("L", RIGHTWARDS, MIDDLE, mode=mode)), (480, 500), (5, 0), 10)
        for mode in ("loose", "strict")
    ]
    assert [total(found) for found in short] == [1, 0]


def test_balanced_wants_the_direction() -> None:
    steep = (1.0, 8.0)
    along = np.array([[400.0, 300.0], [600.0, 300.0]])
    line = np.array([[480.0, 0.0], [520.0, 1000.0]])
    assert total(walk(lines(Line("L", along, line, mode="balanced")), (470, 100), steep, 100)) == 0
    assert total(walk(lines(Line("L", along, line, mode="balanced")), (420, 400), (4, 0), 60)) == 1


def test_other_classes_do_not_count() -> None:
    assert total(walk(lines(Line("L", RIGHTWARDS, MIDDLE, classes=(2,))), (400, 500), (5, 0), 60)) == 0


def test_two_tracks_count_twice() -> None:
    analyser = lines(Line("L", RIGHTWARDS, MIDDLE))
    walk(analyser, (400, 500), (5, 0), 60, track=1)
    assert total(walk(analyser, (400, 500), (5, 0), 60, track=2)) == 2


def test_objects_without_a_track_do_not_cross() -> None:
    analyser = lines(Line("L", RIGHTWARDS, MIDDLE))
    for index in range(60):
        x = 400 + 5 * index
        found = analyser.update(
            np.array([7]), np.array([0]), np.array([[x - 20, 420, x + 20, 500]]), index * FRAME_MS,
            np.array([False]),
        )  # fmt: skip
    assert found.line_total == {"L": 0}


@pytest.mark.parametrize(("inverse", "counts"), [(False, [0, 1, 0]), (True, [1, 0, 1])])
def test_region_sees_where_objects_stand(inverse: bool, counts: list[int]) -> None:
    rules = StreamRules(regions=(Region("R", square(400, 400, 200), inverse=inverse),))
    analyser = Analyser(CONFIG, rules, (1000, 1000))
    found = [walk(analyser, (x, 500), (0, 0), 1, track=x)[0].in_roi["R"] for x in (300, 500, 700)]
    assert found == counts


def test_region_is_scaled_to_the_frame() -> None:
    analyser = Analyser(CONFIG, StreamRules(regions=(Region("R", square(400, 400, 200)),)), (500, 500))
    assert walk(analyser, (250, 250), (0, 0), 1)[0].in_roi == {"R": 1}


def test_crowd() -> None:
    rules = StreamRules(crowds=(Region("C", square(0, 0, 500), limit=2),))
    analyser = Analyser(CONFIG, rules, (1000, 1000))
    boxes = np.array([[100.0, 100, 140, 180], [200, 100, 240, 180], [800, 800, 840, 880]])
    one = analyser.update(np.array([1]), np.array([0]), boxes[:1], 0.0)
    three = analyser.update(np.array([1, 2, 3]), np.array([0, 0, 0]), boxes, 33.0)
    assert (one.crowded, three.crowded) == ({"C": False}, {"C": True})
    assert [found.crowds if found else None for found in three.objects] == [["C"], ["C"], None]


def test_direction_needs_way_and_angle() -> None:
    rule = Direction("East", RIGHTWARDS)
    for step, expected in (((5.0, 0.0), "East"), ((-5.0, 0.0), ""), ((0.5, 0.0), "")):
        analyser = Analyser(CONFIG, StreamRules(directions=(rule,)), (1000, 1000))
        last = walk(analyser, (400, 500), step, 40)[-1].objects[0]
        assert (last.direction if last else "") == expected


def test_who_stands_still_is_stopped() -> None:
    analyser = Analyser(CONFIG, StreamRules(directions=(Direction("East", RIGHTWARDS),)), (1000, 1000))
    found = [result.objects[0] for result in walk(analyser, (400, 500), (0, 0), 60)]
    assert found[40] is None
    assert found[-1] is not None
    assert found[-1].status == "STOPPED"


def test_counts_of_classes_do_not_flicker() -> None:
    smoother = CountSmoother(100)
    found = [
        smoother.update(counts, ms) for ms, counts in ((0, {0: 3}), (33, {0: 3}), (66, {0: 1}), (99, {0: 3}))
    ]
    assert [one[0] for one in found] == [3, 3, 3, 3]
    assert smoother.update({}, 1000)[0] == 0


def at(x: float) -> NDArray[np.float64]:
    return np.array([[x - 2.0, 8.0, x + 2.0, 12.0]])


def test_tracks_are_forgotten_and_rows_used_again() -> None:
    tracks = Tracks(forget=8)
    for track in range(500):
        rows = tracks.update(np.array([track]), np.array([0]), at(track * 40.0), track * 0.1)
        tracks.sweep()
    assert len(tracks) <= 8 / 0.1 + 5
    assert rows.max() < 128
    rows = tracks.update(np.array([0]), np.array([0]), at(0), 50.0)
    assert tracks.seen.array[rows].tolist() == [1]


def test_earlier_position_is_the_mean_of_the_oldest() -> None:
    tracks = Tracks()
    history = History(tracks, 8)
    for index in range(20):
        rows = tracks.update(np.array([1]), np.array([0]), at(index), index)
        history.update(rows, np.array([[float(index), 0, 4, 4]]))
        if index == 5:
            assert history.earlier(rows)[0, 0] == 0.5
    assert history.earlier(rows)[0, 0] == np.mean([12, 13, 14, 15])


@pytest.mark.parametrize("seed", range(5))
def test_inside_agrees_with_sampling_a_triangle(seed: int) -> None:
    random = np.random.default_rng(seed)
    corners = random.uniform(0, 100, (3, 2))
    spots = random.uniform(0, 100, (200, 2))
    edges = [side(spots, np.array([corners[i], corners[(i + 1) % 3]])) for i in range(3)]
    same = (edges[0] == edges[1]) & (edges[1] == edges[2])
    assert (inside(spots, corners) == same).all()


def test_geometry_of_no_movement() -> None:
    still = points(5, 5)
    assert cosine(np.zeros((1, 2)), RIGHTWARDS).tolist() == [0.0]
    assert crosses_segment(still, still, MIDDLE).tolist() == [False]
