"""Tiles of large pictures, and objects that several of them show."""

import numpy as np
import pytest

from headrace.errors import ConfigError
from headrace.infer.targets.listing import tiled, whole_frames
from headrace.infer.targets.merging import MergeOptions, merge
from headrace.infer.targets.tiles import TileOptions, tile_boxes
from headrace.meta import Detections


def tiles(width, height, size, overlap, whole=False):
    boxes, of = tile_boxes(np.array([[0, 0, width, height]], np.float32), TileOptions(size, overlap, whole))
    assert (of == 0).all()
    return boxes


def test_the_last_tile_is_shifted_inside():
    boxes = tiles(1000, 500, (400, 400), 0.25)
    assert boxes[:, 0].tolist() == [0, 300, 600, 0, 300, 600]
    assert boxes[:, 1].tolist() == [0, 0, 0, 100, 100, 100]
    assert (boxes[:, 2:] - boxes[:, :2] == 400).all()


@pytest.mark.parametrize("overlap", [0, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("size", [(640, 640), (512, 288), (333, 217)])
@pytest.mark.parametrize(("width", "height"), [(3840, 2160), (1919, 1079), (700, 300), (97, 5000)])
def test_tiles_cover_all_and_overlap_as_asked(width, height, size, overlap):
    boxes = tiles(width, height, size, overlap)
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= (width, height)).all()
    assert (boxes[:, :2] % 2 == 0).all()
    for side in range(2):
        starts, order = np.unique(boxes[:, side], return_index=True)
        ends = boxes[order, side + 2]
        assert (starts[0], ends[-1]) == (0, (width, height)[side])
        assert (ends[:-1] - starts[1:] >= overlap * size[side] - 1).all()
        assert (ends - starts <= size[side] + 1).all()


def test_a_small_picture_is_one_tile():
    assert tiles(300, 200, (640, 640), 0.2, whole=True).tolist() == [[0, 0, 300, 200]]


def test_the_whole_picture_comes_first_if_there_are_several_tiles():
    areas = np.array([[0, 0, 1000, 500], [10, 20, 110, 120]], np.float32)
    boxes, of = tile_boxes(areas, TileOptions((500, 500), 0))
    assert boxes.tolist() == [[0, 0, 1000, 500], [0, 0, 500, 500], [500, 0, 1000, 500], [10, 20, 110, 120]]
    assert of.tolist() == [0, 0, 0, 1]


def test_tiles_of_several_cameras_are_one_list():
    sizes = np.array([[640, 360], [1280, 720]], np.float32)
    targets = tiled(whole_frames(sizes), TileOptions((640, 360), 0, whole=False))
    assert targets.frame.tolist() == [0, 1, 1, 1, 1]
    assert targets.regions(sizes)[:2] == [None, (0, 0, 640, 360)]
    assert targets.parts


@pytest.mark.parametrize(
    ("size", "overlap", "message"),
    [((0, 640), 0.2, "tile-size is 0x640"), ((64, 64), 0.95, "tile-overlap is 0.95")],
)
def test_tiles_need_pixels(size, overlap, message):
    with pytest.raises(ConfigError, match=message):
        TileOptions(size, overlap)


def test_halves_of_an_object_at_a_tiles_edge_become_one():
    left, right = Detections([[500, 10, 640, 90]], [0.6], [2]), Detections([[520, 8, 800, 92]], [0.9], [2])
    (found,) = merge([left, right], [0, 0], MergeOptions())
    assert found.xyxy.tolist() == [[500, 8, 800, 92]]
    assert (found.confidence.tolist(), found.class_id.tolist()) == ([pytest.approx(0.9)], [2])
    (found,) = merge([left, right], [0, 0], MergeOptions(mode="nms"))
    assert found.xyxy.tolist() == [[520, 8, 800, 92]]
    (found,) = merge([left, right], [0, 0], MergeOptions(metric="iou"))
    assert len(found) == 2  # over the union they overlap by less than a half
    (found,) = merge([left, right], [0, 0], MergeOptions(mode="none"))
    assert len(found) == 2


def test_other_classes_frames_and_neighbours_in_one_picture_stay():
    box = [[0, 0, 10, 10]]
    one = Detections(box * 2, [0.9, 0.8], [0, 0])  # the model's own suppression left both
    assert [len(found) for found in merge([one, Detections(box, [0.7], [1])], [0, 0], MergeOptions())] == [3]
    assert [len(found) for found in merge([one, Detections(box, [0.7], [0])], [0, 1], MergeOptions())] == [
        2,
        1,
    ]


def test_groups_without_objects_are_empty():
    assert merge([], [], MergeOptions()) == []
    assert [len(found) for found in merge([Detections.empty()] * 3, [0, 1, 1], MergeOptions())] == [0, 0]


def test_columns_follow_their_object():
    points = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    parts = [
        Detections([[0, 0, 8, 8]], [0.5], keypoints=points[:1]),
        Detections([[0, 0, 9, 9]], [0.6], keypoints=points[1:]),
    ]
    (found,) = merge([*parts, Detections.empty()], [0, 0, 0], MergeOptions())
    assert found.keypoints.tolist() == points[1:].tolist()
    mixed = [parts[0], Detections([[50, 50, 60, 60]], [0.6])]
    assert merge(mixed, [0, 0], MergeOptions())[0].keypoints is None


def test_masks_and_turned_boxes_are_not_stretched():
    masks = np.ones((1, 4, 4), np.float32)
    parts = [Detections([[0, 0, 8, 8]], [0.5], masks=masks), Detections([[2, 0, 9, 9]], [0.6], masks=masks)]
    assert merge(parts, [0, 0], MergeOptions())[0].xyxy.tolist() == [[2, 0, 9, 9]]
    turned = [
        Detections([[0, 40, 100, 60]], [score], rotation=[angle])
        for score, angle in ((0.9, 45), (0.8, 45), (0.7, 135))
    ]
    (found,) = merge(turned, [0, 0, 0], MergeOptions())
    assert found.rotation.tolist() == [45, 135]


def plain(parts, options):
    """The greedy pass, box by box, of one frame."""
    rows = [(float(c), box.tolist(), int(k), p) for p, part in enumerate(parts) for box, c, k, _ in part]
    rows.sort(key=lambda row: -row[0])
    kept = []
    while rows:
        score, box, kind, picture = rows.pop(0)
        group, rest = [box], []
        for row in rows:
            low = [max(box[i], row[1][i]) for i in (0, 1)]
            high = [min(box[i], row[1][i]) for i in (2, 3)]
            shared = max(high[0] - low[0], 0) * max(high[1] - low[1], 0)
            areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (box, row[1])]
            whole = min(areas) if options.metric == "ios" else sum(areas) - shared
            same = kind == row[2] and picture != row[3] and shared / whole >= options.threshold
            (group if same else rest).append(row[1] if same else row)
        rows = rest
        if options.mode == "nmm":
            box = [
                min(b[0] for b in group),
                min(b[1] for b in group),
                max(b[2] for b in group),
                max(b[3] for b in group),
            ]
        kept.append((score, box, kind))
    return kept


@pytest.mark.parametrize("mode", ["nmm", "nms"])
@pytest.mark.parametrize("metric", ["ios", "iou"])
def test_all_at_once_is_what_a_plain_greedy_pass_gives(mode, metric):
    rng = np.random.default_rng(4)
    options = MergeOptions(mode=mode, metric=metric, threshold=0.3)
    frames = []
    for _ in range(12):
        parts = []
        for _ in range(4):
            corner = rng.uniform(-20, 80, (30, 2))
            boxes = np.hstack([corner, corner + rng.uniform(2, 40, (30, 2))]).round()
            boxes = boxes[(boxes[:, 2:] > boxes[:, :2]).all(axis=1)]
            parts.append(
                Detections(
                    boxes, rng.permutation(len(boxes)) / 1000 + rng.uniform(), rng.integers(0, 3, len(boxes))
                )
            )
        frames.append(parts)
    group = [number for number, parts in enumerate(frames) for _ in parts]
    results = merge([part for parts in frames for part in parts], group, options)
    for parts, found in zip(frames, results, strict=True):
        expected = plain(parts, options)
        assert sorted(map(tuple, found.xyxy.tolist())) == sorted(tuple(box) for _, box, _ in expected)
        assert found.confidence.tolist() == sorted(found.confidence.tolist(), reverse=True)
