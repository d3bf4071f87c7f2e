from __future__ import annotations

import numpy as np
import pytest

from headrace.draw import blur_boxes
from headrace.frames import PIXEL_FORMATS, Frame


def noise(format, width=96, height=64):
    frame = Frame.empty(format, width, height)
    for plane in frame.planes:
        plane[...] = np.random.default_rng(5).integers(0, 256, plane.shape, np.uint8)
    return frame


@pytest.mark.parametrize("method", ["blur", "pixelate"])
@pytest.mark.parametrize("format", PIXEL_FORMATS)
@pytest.mark.parametrize(
    "box", [(20, 16, 40, 30), (21, 17, 39, 29), (-10, -10, 40, 30), (90, 60, 50, 50)], ids=str
)
def test_only_the_box_loses_its_detail(format, method, box):
    frame, before = noise(format), noise(format)
    blur_boxes(frame, [box], method, cells=4)
    for index, (plane, old) in enumerate(zip(frame.planes, before.planes, strict=True)):
        half = int(index > 0)
        x0, y0 = max(box[0], 0) >> half, max(box[1], 0) >> half
        x1, y1 = min(box[0] + box[2], 96) + half >> half, min(box[1] + box[3], 64) + half >> half
        inside = np.zeros(plane.shape[:2], bool)
        inside[y0:y1, x0:x1] = True
        margin = np.zeros_like(inside)
        margin[max(y0 - 1, 0) : y1 + 1, max(x0 - 1, 0) : x1 + 1] = True
        assert np.array_equal(plane[~margin], old[~margin])
        assert plane[inside].std() < 0.6 * old[inside].std()
        assert not np.array_equal(plane[inside], old[inside])


def test_pixelating_leaves_no_more_values_than_cells():
    frame = noise("GRAY8")
    blur_boxes(frame, [[0, 0, 96, 64]], "pixelate", cells=3)
    assert len(np.unique(frame.planes[0])) <= 9


@pytest.mark.parametrize("size", [(1, 1), (3, 5)], ids=str)
@pytest.mark.parametrize("cells", [0, 1, 99])
def test_tiny_frames_and_odd_boxes_are_safe(size, cells):
    nan, inf = float("nan"), float("inf")
    boxes = [[0, 0, 1, 1], [0, 0, 1e9, 1e9], [nan, 0, 1, 1], [0, 0, inf, 1], [5, 5, -3, 2], [-1e9, 0, 1, 1]]
    for format in PIXEL_FORMATS:
        blur_boxes(noise(format, *size), boxes, cells=cells)
