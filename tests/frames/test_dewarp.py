"""Views of fisheye and other pictures: against OpenCV's camera models, and against geometry."""

import math

import cv2
import numpy as np
import pytest

from headrace.errors import ConfigError
from headrace.frames.dewarp import View, Warper, read_config
from headrace.frames.dewarp.projections import PROJECTIONS

SIZE = 600
FOCAL = 190.0
CENTRE = (SIZE - 1) / 2
MATRIX = np.array([[FOCAL, 0, CENTRE], [0, FOCAL, CENTRE], [0, 0, 1]])
BENT = (0.05, -0.02, 0.004, -0.001)
BROWN = (-0.25, 0.06, -0.01, 0.002, -0.003)


def crossings():
    """Crossings of a grid on a plane before the camera, ``(N, 3)``."""
    steps = np.linspace(-1.2, 1.2, 9)
    x, y = np.meshgrid(steps, steps)
    return np.stack([x.ravel(), y.ravel(), np.ones(x.size)], axis=1)


def dots(pixels):
    """A picture with a dot at each place, drawn with parts of pixels."""
    picture = np.zeros((SIZE, SIZE), np.uint8)
    for x, y in pixels:
        cv2.circle(picture, (round(x * 16), round(y * 16)), 24, 255, -1, cv2.LINE_AA, 4)
    return picture


def found_near(picture, places):
    """Centres of mass of what is bright around each place."""
    centres = []
    for x, y in places:
        left, top = round(x) - 12, round(y) - 12
        part = picture[top : top + 25, left : left + 25].astype(float)
        rows, columns = np.mgrid[0:25, 0:25]
        centres.append([left + (part * columns).sum() / part.sum(), top + (part * rows).sum() / part.sum()])
    return np.array(centres)


def seen(points):
    """Where a pinhole camera of the same focal length sees the points."""
    return points[:, :2] / points[:, 2:] * FOCAL + CENTRE


def of_fisheye(points):
    """Pixels of points in OpenCV's fisheye camera."""
    return cv2.fisheye.projectPoints(points[None], np.zeros(3), np.zeros(3), MATRIX, np.array(BENT))[0][0]


def of_lens(points):
    """Pixels of points in OpenCV's camera with Brown's distortion, whose coefficients have another order."""
    k1, k2, k3, p1, p2 = BROWN
    order = np.array([k1, k2, p1, p2, k3])
    return cv2.projectPoints(points, np.zeros(3), np.zeros(3), MATRIX, order)[0][:, 0]


@pytest.mark.parametrize(
    ("number", "distortion", "camera", "extent"),
    [(4, (*BENT, 0.0), of_fisheye, 1.0), (3, BROWN, of_lens, 0.7)],
)
def test_straight_lines_are_straight_again(number, distortion, camera, extent):
    points = crossings() * [extent, extent, 1]
    warper = Warper(View(projection_type=number, focal_length=(FOCAL, FOCAL), distortion=distortion))
    error = np.abs(found_near(warper.warp(dots(camera(points))), seen(points)) - seen(points))
    assert error.max() < 0.35
    assert error.mean() < 0.12
    # The map itself, without pixels.
    columns, rows = np.rint(seen(points)).astype(int).T
    rays = np.stack([(columns - CENTRE) / FOCAL, (rows - CENTRE) / FOCAL, np.ones(81)], 1)
    x, y = warper.source_of(SIZE, SIZE)
    np.testing.assert_allclose(np.stack([x, y], -1)[rows, columns], camera(rays), atol=1e-6)


@pytest.mark.parametrize("number", PROJECTIONS)
def test_the_middle_of_every_view_is_the_middle_of_the_picture(number):
    view = View(projection_type=number, width=401, height=301, focal_length=(150.0, 150.0))
    x, y = Warper(view).source_of(801, 601)
    assert (x[150, 200], y[150, 200]) == pytest.approx((400, 300))
    # The detail in the middle is that of the picture, whatever the projection.
    assert x[150, 201] - x[150, 200] == pytest.approx(1, abs=1e-3)
    assert y[151, 200] - y[150, 200] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("number", [number for number in PROJECTIONS if number != 17])
def test_top_and_bottom_angle_are_those_of_the_edges(number):
    view = View(projection_type=number, width=300, height=400, focal_length=(150.0, 150.0),
                top_angle=35.0, bottom_angle=-20.0, control=0.5)  # fmt: skip
    warper = Warper(view)
    _, y = warper.source_of(801, 601)
    top, bottom = (1.5 * y[0] - 0.5 * y[1])[150], (1.5 * y[-1] - 0.5 * y[-2])[150]
    on_picture = math.tan if PROJECTIONS[number].camera.__name__ == "perspective" else float
    assert (300 - top) / 150 == pytest.approx(on_picture(math.radians(35)), abs=0.01)
    assert (bottom - 300) / 150 == pytest.approx(on_picture(math.radians(20)), abs=0.01)


@pytest.mark.parametrize(
    ("angles", "x", "y"),
    [({"yaw": 30.0}, 30, 0), ({"pitch": 30.0}, 0, -30), ({"yaw": 90.0, "pitch": 40.0}, 90, 0), ({}, 0, 0)],
)
def test_views_turn_right_and_up(angles, x, y):
    view = View(projection_type=4, width=101, height=101, focal_length=(100.0, 100.0), **angles)
    source = Warper(view).source_of(801, 801)
    found = [(one[50, 50] - 400) / 100 for one in source]
    if angles.get("yaw") == 90:  # turned right, then up: above the picture's right edge
        assert math.hypot(*found) == pytest.approx(math.pi / 2)
        assert math.degrees(math.atan2(-found[1], found[0])) == pytest.approx(40)
    else:
        assert np.degrees(found) == pytest.approx([x, y])


def test_roll_turns_the_view_clockwise():
    view = View(projection_type=4, width=101, height=101, focal_length=(100.0, 100.0), roll=90.0)
    x, y = Warper(view).source_of(801, 801)
    assert x[50, 100] == pytest.approx(400)
    assert y[50, 100] > 400


def test_a_lying_cylinder_has_rows_of_equal_angle():
    view = View(projection_type=2, width=200, height=181, focal_length=(100.0, 100.0),
                top_angle=90.5, bottom_angle=-90.5)  # fmt: skip
    _, y = Warper(view).source_of(801, 801)
    np.testing.assert_allclose(
        np.degrees((y[:, 99] + y[:, 100]) / 2 - 400) / 100, np.arange(-90, 91), atol=0.02
    )


def test_what_the_camera_cannot_see_is_edge_or_black():
    picture = np.full((101, 101, 3), 200, np.uint8)
    keys = {"projection_type": 3, "focal_length": (50.0, 50.0), "yaw": 120.0}
    assert Warper(View(**keys)).warp(picture).min() == 200
    assert Warper(View(**keys, cuda_address_mode=1)).warp(picture).max() == 0


def test_a_panorama_goes_on_behind():
    picture = np.zeros((180, 360), np.uint8)
    picture[:, :5] = picture[:, -5:] = 255
    view = View(projection_type=15, width=41, height=41, yaw=180.0)
    assert Warper(view).warp(picture)[20, 17:24].min() == 255


def test_a_field_of_view_gives_the_focal_length():
    wide = View(projection_type=4, width=101, height=101, src_fov=180.0)
    x, _ = Warper(wide).source_of(400, 400)
    focal = 200 / (math.pi / 2)
    assert x[50, 100] - 199.5 == pytest.approx(focal * math.atan(50 / focal))


def test_maps_are_made_anew_for_another_size():
    warper = Warper(View(projection_type=4, src_fov=90.0))
    assert warper.warp(np.zeros((60, 80), np.uint8)).shape == (60, 80)
    assert warper.warp(np.zeros((90, 120), np.uint8)).shape == (90, 120)


GOOD = (
    "[property]\noutput-width=320\noutput-height=240\n[surface0]\nprojection-type=4\nfocal-length=300;310\n"
)


def test_the_file_is_read(tmp_path):
    path = tmp_path / "dewarp.txt"
    path.write_text(
        GOOD + "dst-focal-length=200\ndistortion=0.1;0.2\n[surface1]\nprojection-type=2\nsrc-fov=150\n"
    )
    config = read_config(path)
    assert (config.width, config.height, len(config.views)) == (320, 240, 2)
    assert config.views[0].focal_length == (300, 310)
    assert config.views[0].dst_focal_length == (200, 200)
    assert config.views[0].distortion == (0.1, 0.2, 0, 0, 0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[property]\noutput-width=2\n", "0 groups"),
        (GOOD.replace("type=4", "type=19"), "1 to 18"),
        (GOOD.replace("focal-length=300;310", "pitch=3"), "src-fov"),
        (GOOD.replace("300;310", "wide"), r"\[surface0\] focal-length=wide"),
        (GOOD.replace("300;310", "3;-1"), "positive"),
        (GOOD + "rot-matrix=1;0;0\n", "9 numbers"),
        (GOOD + "rot-axes=XXY\n", "rot-axes=XXY"),
        (GOOD + "bottom-angle=10\n", "below"),
        (GOOD.replace("[surface0]", "aisle-calibration-file=a.csv\n[surface0]"), "surface<n>"),
        (GOOD + "".join(f"[surface{n}]\nprojection-type=15\n" for n in range(1, 5)), "5 groups"),
    ],
)
def test_wrong_files_are_refused_by_name(tmp_path, text, words):
    path = tmp_path / "dewarp.txt"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words):
        read_config(path)
