"""Skeletons and landmarks on frames."""

import numpy as np
import pytest

from headrace.draw import draw_keypoints
from headrace.frames import Frame, to_rgb
from headrace.meta import COCO_EDGES, Skeleton

RED = (1, 0, 0, 1)


def points(*places):
    return np.array(places, np.float32)


def is_red(picture, x, y):
    r, g, b = picture[y, x].tolist()
    return r > 150 and g < 90 and b < 90


@pytest.mark.parametrize("format", ["RGB", "NV12", "I420", "BGRx"])
def test_lines_join_the_points_of_an_edge(format):
    frame = Frame.empty(format, 64, 48)
    for index, plane in enumerate(frame.planes):
        plane[...] = 128 if index else 0
    draw_keypoints(frame, [Skeleton(points((10, 24, 1), (50, 24, 1), (30, 6, 1)), ((0, 1),))], RED)
    picture = to_rgb(frame)
    assert is_red(picture, 30, 24)
    assert not is_red(picture, 30, 12)  # no edge leads to the third
    assert picture[6, 30].min() > 150  # but its dot is there, white on red's dark


def test_landmarks_without_edges_are_dots_in_the_colour():
    frame = Frame.from_array(np.zeros((48, 64, 3), np.uint8), "RGB")
    draw_keypoints(frame, [Skeleton(points(*((10 * n + 10, 20, 1) for n in range(5))))], RED)
    picture = frame.planes[0]
    assert all(is_red(picture, 10 * n + 10, 20) for n in range(5))
    assert not picture[20, 15].any()


def test_people_have_their_bones_without_being_told():
    person = np.zeros((17, 3), np.float32)
    person[5], person[6] = (20, 20, 0.9), (44, 20, 0.9)
    assert (5, 6) in COCO_EDGES
    frame = Frame.from_array(np.zeros((48, 64, 3), np.uint8), "RGB")
    draw_keypoints(frame, [Skeleton(person)], RED)
    assert is_red(frame.planes[0], 32, 20)
    assert not frame.planes[0][:10, :10].any()  # points that nobody saw lie at 0, 0


@pytest.mark.parametrize("bad", [(np.nan, 20, 1), (20, np.inf, 1), (20, 20, 0.1), (-1e9, 20, 1)], ids=str)
def test_no_point_breaks_it(bad):
    frame = Frame.from_array(np.zeros((48, 64, 3), np.uint8), "RGB")
    skeletons = [Skeleton(points(bad, (50, 40, 1)), ((0, 1), (0, 9))), Skeleton(), Skeleton(points(bad))]
    draw_keypoints(frame, skeletons, [RED, RED, RED])
    assert frame.planes[0][40, 50].any()
