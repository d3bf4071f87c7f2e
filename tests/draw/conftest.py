from __future__ import annotations

import numpy as np
import pytest

from headrace.frames import PIXEL_FORMATS, Frame, convert

GREY = 90  # the tests of this folder know it too


@pytest.fixture(params=PIXEL_FORMATS)
def frame(request):
    """A grey picture of 96 x 64 in each pixel format, with padded rows."""
    return make_grey(request.param)


def make_grey(format, width=96, height=64):
    dense = convert(Frame.from_array(np.full((height, width, 3), GREY, np.uint8), "RGB"), format)
    planes = []
    for plane in dense.planes:
        padded = np.zeros((plane.shape[0], plane.shape[1] + 4, *plane.shape[2:]), np.uint8)
        padded[:, : plane.shape[1]] = plane
        planes.append(padded[:, : plane.shape[1]])
    return Frame(format, width, height, tuple(planes), dense.color)


def find_changed(frame):
    """``(H, W)``: pixels of the first plane that are not the grey of the beginning."""
    first = frame.planes[0]
    same = make_grey(frame.format, frame.width, frame.height).planes[0]
    different = first != same
    return different if different.ndim == 2 else different.any(-1)


@pytest.fixture(scope="session")
def grey():
    return make_grey


@pytest.fixture(scope="session")
def changed():
    return find_changed
