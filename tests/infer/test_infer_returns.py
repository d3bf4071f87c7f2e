"""What models in Python may return, from the class to checked results."""

import cv2
import numpy as np
import pytest

from headrace.errors import ModelError
from headrace.frames import Frame
from headrace.infer import (
    Detector,
    Embeddings,
    FrameBatch,
    InferOptions,
    InferStage,
    Instances,
    Keypoints,
    Labels,
    Network,
    Oriented,
    PreprocessOptions,
    Result,
    class_aware_nms,
)
from headrace.infer.preprocess import place
from headrace.meta import Detections, Label, Segmentation


def picture(width=160, height=90):
    return Frame.empty("RGB", width, height)


def returning(*values, base=Network, **attributes):
    """Results of a batch of pictures for which a model returned these values."""
    model = type("Mine", (base,), {"infer": lambda self, frames: list(values), **attributes})
    return model().results(FrameBatch([picture() for _ in values]))


def test_turned_boxes_are_what_opencv_says():
    corners = np.array([[10, 40], [50, 20], [60, 40], [20, 60]], np.float32)
    (centre, size, angle) = cv2.minAreaRect(corners)
    found = Oriented([(*centre, *size, angle)], [0.8], [3])
    assert len(found) == 1
    assert (found.confidence[0], found.class_id[0]) == (np.float32(0.8), 3)
    same = np.linalg.norm(found.corners[0][:, None] - corners[None], axis=2).min(axis=1)
    np.testing.assert_allclose(same, 0, atol=1e-3)


@pytest.mark.parametrize("degrees", [0, 30, 90, 135, -60])
def test_corners_become_the_box_they_came_from(degrees):
    corners = Oriented([[50, 40, 30, 12, degrees]]).corners
    np.testing.assert_allclose(Oriented.from_corners(corners).corners, corners, atol=1e-3)
    other_way = Oriented.from_corners(corners[:, [0, 3, 2, 1]])  # begun along the other edge
    assert (other_way.xyxy[0, 2:] - other_way.xyxy[0, :2]).round().tolist() == [12, 30]
    seen = np.linalg.norm(other_way.corners[0][:, None] - corners[0][None], axis=2).min(axis=1)
    np.testing.assert_allclose(seen, 0, atol=1e-3)


def test_masks_of_the_picture_become_boxes_and_masks_over_them():
    masks = np.zeros((3, 1, 90, 160), np.float32)
    masks[0, 0, 10:30, 40:50] = 0.9
    masks[2, 0, 50:54, 0:2] = 1
    masks[2, 0, 50, 1] = 0
    found = Instances(masks, [0.9, 0.8, 0.7], [0, 1, 2])
    assert found.xyxy.tolist() == [[40, 10, 50, 30], [0, 50, 2, 54]]  # the empty one is gone
    assert found.class_id.tolist() == [0, 2]
    assert found.masks.shape == (2, 20, 10)
    assert (found.masks[0] > 0.5).all()
    assert not (found.masks[1, :4, 6:] > 0.5).any()
    assert (found.masks[1, 6:] > 0.5).all()
    assert len(Instances(np.zeros((0, 90, 160)))) == len(Instances([])) == 0


def test_keypoints_make_boxes_and_confidence_of_what_is_seen():
    points = [[[10, 20, 0.8], [40, 5, 0.4], [999, 999, 0]], [[1, 2, 0], [3, 4, 0], [5, 6, 0]]]
    found = Keypoints(points)
    assert found.xyxy.tolist() == [[10, 5, 40, 20], [0, 0, 0, 0]]
    np.testing.assert_allclose(found.confidence, [0.6, 0], atol=1e-6)
    sure = Keypoints(np.array(points)[..., :2], xyxy=[[0, 0, 50, 50], [0, 0, 9, 9]], confidence=[0.5, 0.25])
    assert (sure.keypoints[..., 2] == 1).all()
    assert sure.xyxy[0].tolist() == [0, 0, 50, 50]
    assert len(Keypoints(np.empty((0, 17, 3)))) == len(Keypoints([])) == 0


@pytest.mark.parametrize(
    "found",
    [
        Oriented([[50, 40, 30, 12, 30], [5, 5, 2, 2, 0]], [0.9, 0.1]),
        Instances(np.eye(90, 160)[None].repeat(2, 0) > 0, [0.9, 0.1]),
        Keypoints(np.full((2, 5, 3), 0.5), [0.9, 0.1]),
    ],
    ids=lambda found: type(found).__name__,
)
def test_they_are_detections_and_keep_their_columns_through_the_stage(found):
    stage = InferStage(
        type("Mine", (Detector,), {"infer": lambda self, frames: [found]})(), InferOptions(confidence=0.5)
    )
    (result,) = stage.run([picture()], [(10, 20, 110, 80)])
    stage.close()
    kept = result.detections
    assert type(kept) is Detections
    assert len(kept) == 1
    np.testing.assert_allclose(kept.xyxy[0], found.xyxy[0] + [10, 20, 10, 20])
    for name in ("masks", "rotation"):
        column = getattr(found, name)
        assert column is None or (getattr(kept, name) == column[:1]).all()
    if found.keypoints is not None:
        np.testing.assert_allclose(kept.keypoints[0, 0], [10.5, 20.5, 0.5])


def test_everything_maps_back_from_the_letterbox():
    batch = FrameBatch([picture(160, 80)])
    with pytest.raises(ModelError, match=r"call frames\.letterbox"):
        batch.to_frame(0, Detections.empty())
    batch.letterbox(40)  # a quarter, ten rows of padding above
    turned = batch.to_frame(0, Oriented([[20, 20, 10, 4, 30]]))
    np.testing.assert_allclose(turned.xyxy, [[60, 32, 100, 48]], atol=1e-4)
    assert turned.rotation.tolist() == pytest.approx([30])
    points = batch.to_frame(0, Keypoints([[[20, 20, 0.5], [24, 25, 1]]])).keypoints
    assert points.tolist() == [[[80, 40, 0.5], [96, 60, 1]]]
    gone = batch.to_frame(0, Detections([[0, 0, 9, 9], [0, 0, 9, 11]]))  # the first lies on the padding
    assert gone.xyxy.tolist() == [[0, 0, 36, 4]]


def test_masks_are_cut_with_their_boxes():
    mask = np.zeros((1, 20, 8), np.float32)
    mask[:, 10:] = 1  # the lower half
    placement = place((40, 40), (40, 40), PreprocessOptions())
    found = placement.detections_to_frame(Detections([[0, -20, 8, 20]], masks=mask))
    assert found.xyxy.tolist() == [[0, 0, 8, 20]]
    assert found.masks.shape == (1, 20, 8)
    assert (found.masks > 0.5).mean() == pytest.approx(1, abs=0.06)  # all that is left


def test_what_lies_beside_the_frame_goes_with_its_mask():
    masks = np.stack([np.full((4, 4), value, np.float32) for value in (0.1, 0.2, 0.3)])
    boxes = Detections([[0, 0, 8, 8], [50, 0, 60, 8], [9, 9, 12, 12]], masks=masks)
    found = place((40, 40), (40, 40), PreprocessOptions()).detections_to_frame(boxes)
    assert found.xyxy.tolist() == [[0, 0, 8, 8], [9, 9, 12, 12]]
    assert found.masks[:, 0, 0].tolist() == pytest.approx([0.1, 0.3])


def test_each_kind_becomes_its_part_of_the_result():
    labels, vector, raw, classes, both, words = returning(
        Labels([2, 0], [0.75, 0.5]),
        Embeddings([3, 4], normalise=True),
        {"map": np.zeros((2, 3))},
        Segmentation(1, np.zeros((4, 5), np.int32)),
        Result(detections=Oriented([[5, 5, 4, 2, 10]]), embedding=np.ones(3, np.float32)),
        [Label("free text", prob=0.5)],
        labels=("a", "b", "c"),
        skeleton=((0, 1),),
    )
    assert [(one.label, one.class_id, one.prob, one.num_classes) for one in labels.labels] == [
        ("c", 2, 0.75, 3), ("a", 0, 0.5, 3),
    ]  # fmt: skip
    np.testing.assert_allclose(vector.embedding, [0.6, 0.8])
    assert raw.tensors.layers["map"].shape == (2, 3)
    assert classes.segmentation.width == 5
    assert (both.detections.rotation.tolist(), both.names, both.skeleton) == (
        [10],
        ("a", "b", "c"),
        ((0, 1),),
    )
    assert words.labels[0].label == "free text"


def test_scores_become_the_labels_that_reach_the_limit():
    assert Labels.from_scores([0.4, 0.9, 0.6]).class_id.tolist() == [1, 2]
    assert Labels.from_scores([0.4, 0.3]).named(("a", "b")) == ()
    assert returning(Labels([])) == [Result(labels=())]
    assert Embeddings([0, 0], normalise=True).vector.tolist() == [0, 0]  # no direction, and no NaN


BAD_COLUMNS = [
    (lambda: Detections(np.zeros((4, 3))), r"xyxy has the shape \(4, 3\); expected \(n, 4\)"),
    (lambda: Detections(np.zeros((2, 2, 4))), r"xyxy has the shape \(2, 2, 4\)"),
    (lambda: Detections([[0, 0, 1, 1]], [0.5, 0.5]), "confidence has 2 entries for 1 boxes"),
    (lambda: Detections([[0, 0, 1, 1]], keypoints=np.zeros((1, 5, 2))), r"keypoints .* expected \(n, k, 3\)"),
    (lambda: Detections([[0, 0, 1, 1]], masks=np.zeros((1, 5))), r"masks .* expected \(n, h, w\)"),
    (lambda: Detections([[0, 0, 1, 1]], rotation=[[1]]), r"rotation .* expected \(n,\)"),
    (lambda: Detections([[0, 0, 1, 1]], embeddings=[1]), r"embeddings .* expected \(n, d\)"),
    (lambda: Oriented(np.zeros((2, 4))), r"xywhr has the shape \(2, 4\); expected \(n, 5\)"),
    (lambda: Oriented([[0, 0, 1, 1, 0], [5, 5, -2, 1, 0]]), r"height of box 1 is negative"),
    (lambda: Oriented.from_corners(np.zeros((2, 8))), r"corners .* expected \(n, 4, 2\)"),
    (lambda: Instances(np.zeros((5, 5))), r"masks .* expected \(n, height, width\)"),
    (lambda: Instances(np.ones((2, 5, 5)), [0.5]), "confidence has 1 entries for 2 boxes"),
    (lambda: Keypoints(np.zeros((2, 34))), r"points .* expected \(n, k, 3\)"),
    (lambda: Keypoints(np.ones((2, 3, 3)), [1], xyxy=[[0, 0, 1, 1]]), "keypoints has 2 entries for 1 boxes"),
    (lambda: Labels([1, 2], [0.5]), "confidence has 1 entries for 2 classes"),
    (lambda: Embeddings(np.zeros((2, 3))), r"vector has the shape \(2, 3\)"),
    (lambda: Embeddings([]), "vector has the shape"),
]


@pytest.mark.parametrize(("make", "text"), BAD_COLUMNS, ids=[text for _, text in BAD_COLUMNS])
def test_columns_of_a_wrong_shape_are_named(make, text):
    with pytest.raises(ValueError, match=text):
        make()


NAN = float("nan")
BAD_RESULTS = [
    ({"found": None}, r"returned NoneType; expected .*Oriented.*return Detections\.empty"),
    ({"found": np.zeros((1, 4))}, "returned ndarray; expected"),
    ({"found": Detections([[9, 0, 1, 5]])}, r"xyxy of object 0 is \[9.0.*ends before it begins"),
    (
        {"found": Detections([[0, 0, 1, 1]], [87])},
        "confidence goes from 87 to 87; expected 0 to 1.*percentages",
    ),
    ({"found": Detections([[0, 0, 1, 1]], [-2])}, "confidence goes from -2"),
    ({"found": Oriented([[0, 0, 1, 1, NAN]])}, "rotation is not finite"),
    (
        {"found": Keypoints([[[0, 0, 1]], [[NAN, 1, 1]]], xyxy=np.ones((2, 4)))},
        "keypoints is not finite.*row 1",
    ),
    ({"found": Keypoints([[[0, 0, 8]]], [1.0])}, r"keypoints\[\.\.\., 2\] goes from 8"),
    ({"found": Detections([[0, 0, 1, 1]], masks=np.full((1, 2, 2), NAN))}, "masks is not finite"),
    ({"found": Detections([[0, 0, 1, 1]], embeddings=[[NAN]])}, "embeddings is not finite"),
    ({"found": Embeddings([NAN, 1])}, "embedding is not finite"),
    ({"found": Labels([5])}, "class 5 has no label, there are 2 labels"),
    ({"found": Labels([1], [40])}, "confidence goes from 40"),
    ({"found": Oriented([[0, 0, 1, 1, 0]], class_id=[2])}, "class 2 has no label"),
    ({"found": Result(keypoints=np.full((3, 3), NAN))}, "keypoints is not finite"),
    ({"found": Result(detections=[1, 2])}, "returned list; expected headrace.Detections"),
]


@pytest.mark.parametrize("base", [Detector, Network])
@pytest.mark.parametrize(("values", "text"), BAD_RESULTS, ids=[text for _, text in BAD_RESULTS])
def test_wrong_results_are_named_with_class_method_and_frame(values, text, base):
    with pytest.raises(ModelError, match=text) as caught:
        returning(Detections.empty(), values["found"], base=base, labels=("a", "b"))
    assert str(caught.value).startswith("Mine.infer, frame 1 of the batch: ")


def test_torch_tensors_are_taken_and_given():
    torch = pytest.importorskip("torch")
    weights = torch.full((1,), 0.5, requires_grad=True)
    found = Detections(torch.tensor([[1, 2, 3, 4]]), weights * 1, torch.tensor([1]))
    assert (found.xyxy.tolist(), found.confidence.tolist()) == ([[1, 2, 3, 4]], [0.5])
    assert Embeddings(weights).vector.tolist() == [0.5]
    frame = Frame.from_array(np.zeros((8, 8, 3), np.uint8), "RGB")
    frame.planes[0][0, 0] = 7
    (tensor,) = FrameBatch([frame]).torch()
    assert tensor.data_ptr() == frame.planes[0].ctypes.data  # nothing is copied
    assert tensor[0, 0].tolist() == [7, 7, 7]


def test_turned_boxes_that_overlap_are_suppressed_with_all_their_columns():
    boxes = [[50, 50, 40, 10, 30], [51, 50, 40, 10, 30], [50, 50, 40, 10, 120]]  # the last lies across
    kept = class_aware_nms(Oriented(boxes, [0.5, 0.9, 0.4]), 0.5)
    assert kept.rotation.tolist() == [30, 120]
    assert kept.confidence.tolist() == pytest.approx([0.9, 0.4])
