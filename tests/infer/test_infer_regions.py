"""Regions as users write them, and what a model looks at because of them."""

import numpy as np
import pytest

from headrace.errors import ConfigError
from headrace.infer.targets.listing import frame_regions, objects, whole_frames
from headrace.infer.targets.regions import Regions, inside
from headrace.meta import BatchMetadata, MetaType, RegionsOfInterest
from headrace.meta.regions import regions_of_interest

SIZES = np.array([[640, 360], [320, 180]], np.float32)


@pytest.mark.parametrize(
    ("text", "source", "expected"),
    [
        ("0:100,50,300,200", 0, [[100, 50, 400, 250]]),
        ("0:100,50,300,200;0:0.5,0.5,0.5,0.5", 0, [[100, 50, 400, 250], [320, 180, 640, 360]]),
        ("0.25,0,0.5,1", 7, [[160, 0, 480, 360]]),
        ("*:0,0,20,20; 1: 8, 8, 16, 16 ;", 1, [[8, 8, 24, 24]]),
        ("*:0,0,20,20; 1: 8, 8, 16, 16 ;", 2, [[0, 0, 20, 20]]),
        ("1:8,8,16,16", 0, [[0, 0, 640, 360]]),
        ("0:600,300,100,100", 0, [[600, 300, 640, 360]]),
    ],
)
def test_regions_are_read(text, source, expected):
    assert Regions.parse(text).of(source, 640, 360).tolist() == expected


def test_regions_are_read_from_a_file(tmp_path):
    path = tmp_path / "regions.yaml"
    path.write_text('0: [[100, 50, 300, 200], [0.5, 0.5, 0.5, 0.5]]\n"*": [[0, 0, 20, 20]]\n')
    regions = Regions.parse(str(path))
    assert regions.of(0, 640, 360).tolist() == [[100, 50, 400, 250], [320, 180, 640, 360]]
    assert regions.of(5, 640, 360).tolist() == [[0, 0, 20, 20]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0:100,50", "'0:100,50' is not four numbers; write source:left,top,width,height"),
        ("0:100,50,800,wide", "is not four numbers"),
        ("0:100,50,0,200", "has no area"),
        ("0:-5,50,10,200", "has no area inside of a frame"),
        ("door:1,2,3,4", "'door' is no number of a source"),
        (" ; ", "has no region"),
        ("missing.yaml", "missing.yaml cannot be read"),
    ],
)
def test_what_is_no_region_is_named(text, message):
    with pytest.raises(ConfigError, match=message):
        Regions.parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "holds no sources"),
        ("0: [1, 2, 3, 4]", "is no list of regions"),
        ("0: [[1, 2]]", "is not four numbers"),
        ("0: [[1, 2, 3, x]]", "is not four numbers"),
        ("0: [", "cannot be read"),
    ],
)
def test_what_is_no_region_in_a_file_is_named(tmp_path, text, message):
    path = tmp_path / "regions.yml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        Regions.parse(str(path))


def test_a_region_outside_of_the_frame_is_an_error():
    with pytest.raises(
        ConfigError, match=r"700,10,100,100 lies outside of the frames of source 0, .* 640x360"
    ):
        Regions.parse("0:700,10,100,100").of(0, 640, 360)


def test_targets_are_frames_regions_and_objects_alike():
    assert whole_frames(SIZES, np.array([1])).regions(SIZES) == [None]
    targets = frame_regions(np.array([0, 1]), np.array([[11.5, 6, 40, 30], [0, 0, 320, 180]], np.float32))
    assert targets.regions(SIZES) == [(10, 6, 40, 30), None]
    found = objects(np.array([1]), np.array([5]), np.array([[10, 20, 30, 40]], np.float32))
    assert (found.row.tolist(), found.regions(SIZES)) == ([5], [(10, 20, 40, 60)])


def test_regions_of_interest_ride_on_frames():
    frame = BatchMetadata.new(1).frames[0]
    assert regions_of_interest(frame.user) is None
    frame.append(RegionsOfInterest([[1, 2, 3, 4]]))
    frame.append(RegionsOfInterest([[5, 6, 7, 8], [9, 9, 12, 12]]))
    assert len(regions_of_interest(frame.user)) == 3
    assert [meta.meta_type for meta in frame.user] == [MetaType.REGIONS_OF_INTEREST] * 2
    assert RegionsOfInterest().xyxy.shape == (0, 4)
    assert frame.user[0].copy().xyxy.tolist() == [[1, 2, 3, 4]]
    for wrong in ([1, 2, 3], [[1, 2, 3]], [[1, 2, 3, np.nan]]):
        with pytest.raises(ValueError, match="regions of interest"):
            RegionsOfInterest(wrong)


def test_moving_regions_are_cut_and_those_outside_left_out():
    boxes = np.array([[-10, -10, 20, 20], [700, 0, 800, 10], [600, 300, 700, 400]], np.float32)
    assert inside(boxes, 640, 360).tolist() == [[0, 0, 20, 20], [600, 300, 640, 360]]
