"""Cluster modes against slow references written box by box."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.errors import ConfigError
from headrace.infer.attributes import ClassAttributes
from headrace.infer.cluster import admit, cluster
from headrace.meta import Detections

GROUP, DBSCAN, NMS, HYBRID, NONE = range(5)


def crowd(seed: int, count: int = 60, classes: int = 3) -> Detections:
    """Boxes that scatter around a few places, and some that lie alone."""
    random = np.random.default_rng(seed)
    places = random.uniform(20, 300, (6, 2))
    centers = places[random.integers(0, 6, count)] + random.normal(0, 4, (count, 2))
    sizes = random.uniform(30, 50, (count, 2))
    boxes = np.hstack([centers - sizes / 2, centers + sizes / 2]).astype(np.float32)
    confidence = random.permutation(count).astype(np.float32) / count
    return Detections(boxes, confidence, random.integers(0, classes, count).astype(np.int32))


def iou(a: np.ndarray, b: np.ndarray) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(0.0, width) * max(0.0, height)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def slow_nms(rows: list, threshold: float) -> list:
    kept: list = []
    for row in sorted(rows, key=lambda row: -row[1]):
        if all(iou(row[0], other[0]) <= threshold for other in kept):
            kept.append(row)
    return kept


def slow_dbscan(rows: list, eps: float, min_boxes: int) -> list[list]:
    def neighbours(i: int) -> list[int]:
        return [j for j in range(len(rows)) if j == i or 1 - iou(rows[i][0], rows[j][0]) <= eps]

    taken: set[int] = set()
    clusters = []
    for start in range(len(rows)):
        if start in taken or len(neighbours(start)) < min_boxes:
            continue
        members, waiting = [], [start]
        while waiting:
            i = waiting.pop()
            if i in taken:
                continue
            taken.add(i)
            members.append(i)
            if len(neighbours(i)) >= min_boxes:
                waiting += neighbours(i)
        clusters.append([rows[i] for i in members])
    return clusters


def slow_groups(rows: list, threshold: int, eps: float) -> list[list[float]]:
    boxes = [[int(v) for v in row[0]] for row in rows]
    rects = [(x, y, right - x, bottom - y) for x, y, right, bottom in boxes]

    def similar(a: tuple, b: tuple) -> bool:
        delta = eps * (min(a[2], b[2]) + min(a[3], b[3])) * 0.5
        ends = (a[0] - b[0], a[1] - b[1], a[0] + a[2] - b[0] - b[2], a[1] + a[3] - b[1] - b[3])
        return all(abs(d) <= delta for d in ends)

    label = list(range(len(rects)))
    for i, a in enumerate(rects):
        for j, b in enumerate(rects):
            if similar(a, b) and label[i] != label[j]:
                old, new = label[i], label[j]
                label = [new if value == old else value for value in label]
    groups = [[r for r, of in zip(rects, label, strict=True) if of == number] for number in set(label)]
    means = [([round(float(v)) for v in np.mean(group, axis=0)], len(group)) for group in groups]
    kept = []
    for i, (a, n1) in enumerate(means):
        if n1 <= threshold:
            continue
        for j, (b, n2) in enumerate(means):
            dx, dy = round(b[2] * eps), round(b[3] * eps)
            inside = a[0] >= b[0] - dx and a[1] >= b[1] - dy
            inside &= a[0] + a[2] <= b[0] + b[2] + dx and a[1] + a[3] <= b[1] + b[3] + dy
            if i != j and n2 > threshold and inside and (n2 > max(3, n1) or n1 < 3):
                break
        else:
            kept.append([a[0], a[1], a[0] + a[2], a[1] + a[3]])
    return kept


def by_class(found: Detections, least: float) -> dict[int, list]:
    rows: dict[int, list] = {}
    for box, confidence, class_id, _ in found:
        if confidence >= np.float32(least):
            rows.setdefault(class_id, []).append((box.astype(np.float64), confidence))
    return rows


def sorted_rows(boxes: object) -> np.ndarray:
    table = np.asarray(boxes, np.float64).reshape(-1, 4)
    return table[np.lexsort(table.T)]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.7])
def test_nms_keeps_what_the_reference_keeps(seed: int, threshold: float) -> None:
    found = crowd(seed)
    rules = ClassAttributes(
        pre_cluster_threshold=0.1, post_cluster_threshold=0.3, nms_iou_threshold=threshold, topk=3
    )
    objects = cluster(found, [rules] * 3, NMS)
    for class_id, rows in by_class(found, 0.1).items():
        expected = [row for row in slow_nms(rows, threshold) if row[1] > 0.3][:3]
        own = objects[objects.class_id == class_id]
        np.testing.assert_array_equal(own.xyxy, np.array([row[0] for row in expected]).reshape(-1, 4))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("eps", "min_boxes", "score"), [(0.3, 3, 0.0), (0.5, 2, 1.2), (0.2, 1, 0.5)])
def test_dbscan_gives_the_weighted_means_of_the_reference_clusters(
    seed: int, eps: float, min_boxes: int, score: float
) -> None:
    found = crowd(seed)
    rules = ClassAttributes(eps=eps, min_boxes=min_boxes, dbscan_min_score=score)
    objects = cluster(found, [rules] * 3, DBSCAN)
    for class_id, rows in by_class(found, 0.2).items():
        clusters = [c for c in slow_dbscan(rows, eps, min_boxes) if sum(row[1] for row in c) >= score]
        means = [np.average([r[0] for r in c], axis=0, weights=[r[1] for r in c]) for c in clusters]
        own = objects[objects.class_id == class_id]
        np.testing.assert_allclose(sorted_rows(own.xyxy), sorted_rows(means), rtol=1e-4)
        assert sorted(own.confidence.tolist()) == sorted(max(r[1] for r in c) for c in clusters)


def test_hybrid_drops_outliers_and_keeps_boxes_as_they_are() -> None:
    found = Detections(
        [[0, 0, 40, 40], [1, 0, 41, 40], [0, 1, 40, 41], [200, 200, 240, 240]], [0.5, 0.6, 0.7, 0.99], [0] * 4
    )
    rules = ClassAttributes(eps=0.3, min_boxes=3)
    assert cluster(found, [rules], HYBRID).xyxy.tolist() == [[0, 1, 40, 41]]
    assert len(cluster(found, [rules], NMS)) == 2


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("threshold", "eps"), [(1, 0.2), (2, 0.5), (3, 0.1), (1, 0.0)])
def test_grouping_is_that_of_the_reference(seed: int, threshold: int, eps: float) -> None:
    found = crowd(seed)
    objects = cluster(found, [ClassAttributes(group_threshold=threshold, eps=eps)] * 3, GROUP)
    for class_id, rows in by_class(found, 0.2).items():
        own = objects[objects.class_id == class_id]
        expected = slow_groups(rows, threshold, eps)
        np.testing.assert_array_equal(sorted_rows(own.xyxy), sorted_rows(expected))
    assert set(objects.confidence.tolist()) <= {np.float32(-0.1)}


def test_grouping_without_threshold_leaves_boxes_but_no_confidence() -> None:
    found = crowd(1)
    objects = cluster(found, [ClassAttributes()] * 3, GROUP)
    assert len(objects) == np.count_nonzero(found.confidence >= np.float32(0.2))
    assert np.all(objects.confidence == np.float32(-0.1))


@pytest.mark.parametrize("mode", range(5))
def test_each_class_follows_its_own_rules(mode: int) -> None:
    found = Detections([[0, 0, 20, 20], [50, 0, 80, 30]], [0.3, 0.3], [0, 1])
    rules = [ClassAttributes(pre_cluster_threshold=0.5), ClassAttributes(min_boxes=1)]
    assert cluster(found, rules, mode).class_id.tolist() == [1]


@pytest.mark.parametrize("mode", range(5))
def test_nothing_found_stays_nothing(mode: int) -> None:
    rules = [ClassAttributes(eps=0.5, group_threshold=1, min_boxes=1)]
    assert len(cluster(Detections.empty(), rules, mode)) == 0
    assert len(cluster(Detections([[0, 0, 9, 9]], [0.1], [0]), rules, mode)) == 0


def test_classes_without_rules_are_dropped() -> None:
    found = Detections([[0, 0, 9, 9]] * 3, [0.9] * 3, [-1, 0, 5])
    assert cluster(found, [ClassAttributes()], NONE).class_id.tolist() == [0]


def test_mode_none_keeps_the_order_and_the_masks_of_the_most_confident() -> None:
    masks = np.arange(3, dtype=np.float32).reshape(3, 1, 1)
    found = Detections([[0, 0, 9, 9]] * 3, [0.5, 0.4, 0.9], [0] * 3, masks=masks)
    objects = cluster(found, [ClassAttributes(topk=2)], NONE)
    assert objects.confidence.round(1).tolist() == pytest.approx([0.5, 0.9])
    assert objects.masks is not None
    assert objects.masks.ravel().tolist() == [0, 2]


def test_an_unknown_mode_is_named() -> None:
    with pytest.raises(ConfigError, match="cluster-mode is 5"):
        cluster(Detections.empty(), [], 5)


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        (ClassAttributes(), [0, 1, 2]),
        (ClassAttributes(detected_min_w=21), [1, 2]),
        (ClassAttributes(detected_min_h=31), [2]),
        (ClassAttributes(detected_max_w=30), [0, 1]),
        (ClassAttributes(detected_max_h=29), []),
        (ClassAttributes(roi_top_offset=11), [2]),
        (ClassAttributes(roi_bottom_offset=11), [0, 1]),
        (ClassAttributes(roi_bottom_offset=10), [0, 1, 2]),
    ],
)
def test_sizes_and_margins_admit(rules: ClassAttributes, kept: list[int]) -> None:
    boxes = np.array([[5, 0, 25, 30], [30, 10, 60, 40], [10, 20, 50, 90]], np.float32)
    admitted = admit(Detections(boxes, class_id=[0] * 3), [rules], (100, 100))
    np.testing.assert_array_equal(admitted.xyxy, boxes[kept])


def test_a_box_beyond_the_left_edge_is_moved_not_cut() -> None:
    admitted = admit(Detections([[-5, -10, 20, 40]], class_id=[0]), [ClassAttributes()], (100, 100))
    assert admitted.xyxy.tolist() == [[0, 0, 25, 50]]


def test_crop_cuts_at_margins_and_drops_what_lies_in_one() -> None:
    found = Detections([[0, 0, 20, 50], [0, 0, 20, 9], [0, 50, 20, 99]], class_id=[0] * 3)
    rules = ClassAttributes(roi_top_offset=10, roi_bottom_offset=20)
    assert admit(found, [rules], (100, 100), crop=True).xyxy.tolist() == [[0, 10, 20, 50], [0, 50, 20, 80]]
    assert len(found) == 3
    assert found.xyxy[0, 1] == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"pre_cluster_threshold": 1.5},
        {"eps": -1.0},
        {"nms_iou_threshold": float("nan")},
        {"roi_top_offset": -1},
        {"border_color": (1.0, 2.0, 0.0, 1.0)},
        {"bg_color": (1.0, 0.0, 0.0)},
    ],
)
def test_attributes_outside_their_range_are_named(wrong: dict) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        ClassAttributes(**wrong)


@pytest.mark.parametrize("mode", [2, 3, 4])
def test_every_column_of_what_is_kept_stays(mode):
    found = Detections(
        [[0, 0, 10, 40], [20, 0, 30, 40], [0, 0, 10, 39]], [0.5, 0.9, 0.8], [0, 1, 0], rotation=[10, 20, 12],
        keypoints=np.arange(27).reshape(3, 3, 3), embeddings=[[1], [2], [3]], masks=np.ones((3, 2, 2)),
    )  # fmt: skip
    rules = [ClassAttributes(pre_cluster_threshold=0.1, eps=0.7, min_boxes=1, dbscan_min_score=0)] * 2
    kept = cluster(found, rules, mode)
    numbers = kept.embeddings[:, 0].tolist()
    assert numbers == ([1, 3, 2] if mode == 4 else [3, 2])
    assert kept.rotation.tolist() == [{1: 10, 2: 20, 3: 12}[number] for number in numbers]
    assert kept.keypoints.shape == (len(numbers), 3, 3)
    assert kept.masks.shape == (len(numbers), 2, 2)


def test_turned_boxes_are_judged_by_what_is_around_them_and_stay_where_they_are():
    found = Detections([[-10, 10, 30, 20], [40, 10, 80, 20]], rotation=[90, 0], embeddings=[[1], [2]])
    tall = admit(found, [ClassAttributes(detected_min_h=30)], (100, 100))
    assert tall.xyxy.tolist() == [[-10, 10, 30, 20]]
    assert (tall.rotation.tolist(), tall.embeddings.tolist()) == ([90], [[1]])
