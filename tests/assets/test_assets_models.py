"""The models answer in the form that programs expect, and find what is there."""

from __future__ import annotations

import cv2
import numpy as np
import onnx
import onnxruntime as ort
import pytest

from headrace.assets.streams import CLIPS
from headrace.assets.surface import surface
from headrace.bench.score import average_precision, detection_score
from headrace.meta.detections import Detections
from headrace.source.sim import SCENES, Scene, SceneOptions
from headrace.source.sim.paint import Canvas
from headrace.source.sim.truth import PERSON, VEHICLE
from headrace.source.sim.vehicles import BUILDS, PAINTS

PRIMARY = "samples/models/Primary_Detector/resnet18_trafficcamnet_pruned.onnx"
PEOPLE = "samples/models/tao_pretrained_models/peopleNet/resnet34_peoplenet_int8.onnx"
MAKE = "samples/models/Secondary_VehicleMake"
TYPES = "samples/models/Secondary_VehicleTypes"
WIDTH, HEIGHT = 960, 544
#: The type of a car, an estate, a van, a lorry and a bus.
TYPE_OF_BUILD = ("sedan", "suv", "van", "truck", "largevehicle")
#: Labels of the paints, in the order of `vehicles.PAINTS`.
COLORS = "white silver gray black red blue azure green yellow orange purple beige"


def session(path):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def network_input(image):
    """Stretched, RGB, 0 to 1, as the configurations say."""
    small = cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(small[..., ::-1].transpose(2, 0, 1)[None], np.float32) / 255


def found_in(coverage, boxes, size, threshold=0.2, overlap=0.5):
    """DetectNet_v2's answer: side = cell's point, plus or minus the value, in units of 35 pixels; NMS by class."""
    found = []
    for kind, (sure, sides) in enumerate(zip(coverage, boxes.reshape(-1, 4, 34, 60), strict=True)):
        row, column = np.nonzero(sure >= threshold)
        if not len(row):
            continue
        x, y = (16 * column + 0.5) / 35, (16 * row + 0.5) / 35
        left, top, right, bottom = sides[:, row, column]
        xyxy = 35 * np.stack([x - left, y - top, x + right, y + bottom], 1)
        xyxy = np.clip(xyxy, 0, [WIDTH, HEIGHT] * 2) * np.tile(np.array(size) / (WIDTH, HEIGHT), 2)
        rows = np.concatenate([xyxy[:, :2], xyxy[:, 2:] - xyxy[:, :2]], 1).tolist()
        keep = list(cv2.dnn.NMSBoxes(rows, sure[row, column].tolist(), 0.0, overlap))
        found += [(xyxy[k], sure[row[k], column[k]], kind) for k in keep]
    if not found:
        return Detections.empty()
    xyxy, confidence, class_id = zip(*found, strict=True)
    return Detections(
        np.array(xyxy, np.float32), np.array(confidence, np.float32), np.array(class_id, np.int32)
    )


@pytest.mark.parametrize(("place", "classes"), [(PRIMARY, 4), (PEOPLE, 3)])
def test_a_detector_has_the_tensors_that_programs_read(tree, place, classes):
    onnx.checker.check_model(onnx.load(tree / place), full_check=True)
    model = session(tree / place)
    assert [(i.name, i.shape[1:]) for i in model.get_inputs()] == [("input_1:0", [3, HEIGHT, WIDTH])]
    outputs = {o.name: o.shape[1:] for o in model.get_outputs()}
    assert outputs == {
        "output_cov/Sigmoid:0": [classes, 34, 60],
        "output_bbox/BiasAdd:0": [4 * classes, 34, 60],
    }
    for batch in (1, 3):
        answers = model.run(list(outputs), {"input_1:0": np.zeros((batch, 3, HEIGHT, WIDTH), np.float32)})
        assert [a.shape for a in answers] == [(batch, *shape) for shape in outputs.values()]


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
def test_the_detector_finds_the_objects_of_unseen_scenes(tree, size):
    model = session(tree / PRIMARY)
    found, truths = [], []
    for seed in range(1, 4):
        for name in SCENES:
            scene = Scene(SceneOptions(name, seed=seed, objects=16, width=size[0], height=size[1]))
            for index in range(0, 600, 120):
                image, truth = scene.render(index)
                answers = model.run(
                    ["output_cov/Sigmoid:0", "output_bbox/BiasAdd:0"], {"input_1:0": network_input(image)}
                )
                found.append(found_in(answers[0][0], answers[1][0], size))
                truths.append(truth)
    precision = average_precision(found, truths).per_class
    assert precision[0] >= 0.95  # vehicles
    assert precision[2] >= 0.9  # people
    score = detection_score([one[one.confidence >= 0.3] for one in found], truths)
    assert score.recall >= 0.94
    assert score.precision >= 0.94


def test_the_detector_of_people_finds_nothing_else(tree):
    image, _ = Scene(SceneOptions("plaza", seed=3, objects=16)).render(90)
    coverage, _ = session(tree / PEOPLE).run(
        ["output_cov/Sigmoid:0", "output_bbox/BiasAdd:0"], {"input_1:0": network_input(image)}
    )
    assert coverage[0, 0].max() > 0.5
    assert not coverage[0, 1:].any()


def looks(actor):
    """Build and paint of a vehicle: what its generator says, drawn again."""
    rng = np.random.default_rng(actor._seed)
    rng.uniform(size=2)  # side and pace
    return int(rng.choice(len(BUILDS), p=BUILDS)), int(rng.integers(len(PAINTS)))


def vehicles():
    """Pictures of well visible vehicles as a detector cuts them out, stretched to the network's size, and looks."""
    for seed in range(1, 7):
        scene = Scene(SceneOptions("crossroad", seed=seed, objects=20))
        for index in range(0, 600, 100):
            image, truth = scene.render(index)
            actors = {actor.track_id: actor for actor in scene._traffic.at(index / scene.options.fps)}
            seen = truth[(truth.class_id == VEHICLE) & (truth.visibility > 0.7)]
            for box, track_id in zip(seen.xyxy.astype(int), seen.track_id.tolist(), strict=True):
                left, top, right, bottom = box
                if min(right - left, bottom - top) >= 24:
                    yield cv2.resize(image[top:bottom, left:right], (224, 224)), *looks(actors[track_id])


@pytest.mark.parametrize(
    ("folder", "file", "which", "names", "share"),
    [
        (TYPES, "resnet18_vehicletypenet_pruned.onnx", 1, TYPE_OF_BUILD, 0.93),
        (MAKE, "resnet18_vehiclemakenet_pruned.onnx", 2, COLORS.split(), 0.85),
    ],
)
def test_vehicles_are_told_apart(tree, folder, file, which, names, share):
    labels = (tree / folder / "labels.txt").read_text().strip().split(";")
    model = session(tree / folder / file)
    assert [(o.name, o.shape[1:]) for o in model.get_outputs()] == [("predictions/Softmax:0", [len(labels)])]
    examples = list(vehicles())
    pictures = np.stack([example[0].transpose(2, 0, 1) for example in examples]).astype(np.float32)
    (answers,) = model.run(None, {"input_1:0": pictures})
    assert answers.sum(1) == pytest.approx(1, abs=1e-4)
    right = [
        labels[k] == names[example[which]] for k, example in zip(answers.argmax(1), examples, strict=True)
    ]
    assert len(right) > 100
    assert np.mean(right) >= share


def masks(scene, index):
    """Pixels of vehicles and of people in the frame that was rendered last, as the scene drew them."""
    movers, _ = scene._movers(Canvas(np.empty_like(scene.render(index)[0]), scene._owner.copy()), index / 30)
    return [
        np.isin(scene._owner, [mover.owner for mover in movers if mover.actor.class_id == kind])
        for kind in (VEHICLE, PERSON)
    ]


def test_the_segmentation_covers_vehicles_and_people(tree):
    model = session(tree / "samples/models/Segmentation/semantic/unetres18_v4_pruned0.65_800_data.onnx")
    both, either = np.zeros(2), np.zeros(2)
    for seed in (1, 2, 3):
        scene = Scene(SceneOptions("crossroad", seed=seed, objects=16))
        for index in (60, 240):
            image, _ = scene.render(index)
            square = cv2.resize(image, (512, 512))[..., ::-1].transpose(2, 0, 1)[None]
            (answer,) = model.run(["final_conv/BiasAdd"], {"data": np.ascontiguousarray(square, np.float32)})
            assert answer.shape == (1, 4, 512, 512)
            kinds = cv2.resize(
                answer[0].argmax(0).astype(np.uint8), (1280, 720), interpolation=cv2.INTER_NEAREST
            )
            for k, (kind, truth) in enumerate(zip((1, 3), masks(scene, index), strict=True)):
                both[k] += ((kinds == kind) & truth).sum()
                either[k] += ((kinds == kind) | truth).sum()
    assert both[0] / either[0] > 0.8
    assert both[1] / either[1] > 0.5


def test_defects_are_found(tree):
    model = session(tree / "samples/models/Segmentation/industrial/unet_output_graph.onnx")
    image = cv2.imread(str(tree / "samples/streams/sample_industrial.jpg"), cv2.IMREAD_GRAYSCALE)
    _, truth = surface()
    picture = cv2.resize(image, (512, 512))[None, None].astype(np.float32) / 255
    (answer,) = model.run(["conv2d_19/Sigmoid"], {"input_1": picture})
    found = answer[0, 0] > 0.5
    wanted = cv2.resize(truth.astype(np.uint8), (512, 512), interpolation=cv2.INTER_NEAREST) > 0
    near = cv2.dilate(wanted.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert (found & wanted).sum() > 0.9 * wanted.sum()
    assert (found & ~near).sum() < 0.02 * found.sum()


def test_the_ssd_finds_the_objects_of_each_frame_of_a_batch(tree):
    model = session(tree / "samples/trtis_model_repo/ssd_inception_v2_coco_2018_01_28/1/model.onnx")
    scenes = [Scene(SceneOptions("crossroad", seed=seed, objects=12)) for seed in (1, 2)]
    rendered = [scene.render(150) for scene in scenes]
    pictures = np.stack(
        [cv2.resize(image, (300, 300))[..., ::-1].transpose(2, 0, 1) for image, _ in rendered]
    )
    names = ["detection_boxes", "detection_classes", "detection_scores", "num_detections"]
    boxes, classes, scores, counts = model.run(names, {"image_tensor": pictures.astype(np.float32)})
    assert (boxes.shape, classes.shape, scores.shape) == ((2, 100, 4), (2, 100), (2, 100))
    found = []
    for k, count in enumerate(counts[:, 0].astype(int)):
        assert (np.diff(scores[k]) <= 0).all()
        assert scores[k, count:].max(initial=0) == 0
        kinds = [{3: 0, 2: 1, 1: 2, 13: 3}[int(kind)] for kind in classes[k, :count]]
        xyxy = boxes[k, :count][:, [1, 0, 3, 2]] * np.array([1280, 720] * 2, np.float32)
        found.append(Detections(xyxy, scores[k, :count], np.array(kinds, np.int32)))
    score = detection_score([one[one.confidence >= 0.4] for one in found], [truth for _, truth in rendered])
    assert score.recall > 0.9
    assert score.precision > 0.9


def test_actions_are_walking_and_riding(tree):
    folder = tree / "sources/apps/sample_apps/deepstream-3d-action-recognition"
    labels = (folder / "labels.txt").read_text().strip().split(";")
    model = session(folder / "resnet18_3d_rgb_hmdb5_32.onnx")

    def said(name):
        """What is said of every twentieth frame of the clip when it has its usual length."""
        clip = next(clip for clip in CLIPS if clip.name == name)
        scene = Scene(clip.options(10))
        pictures = np.concatenate([network_input(scene.render(index)[0]) for index in range(0, 300, 20)])
        return [labels[k] for k in model.run(None, {"input_1:0": pictures})[0].argmax(1)]

    walking, riding = said("walk"), said("ride_bike")
    assert set(walking + riding) == {"walk", "ride_bike"}
    assert walking.count("walk") > 0.8 * len(walking)
    assert riding.count("ride_bike") > 0.5 * len(riding)
