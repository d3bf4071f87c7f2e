from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from headrace.source.sim import SCENES, SIM_LABELS, Scene, SceneOptions, Truth
from headrace.source.sim.paint import Canvas
from headrace.source.sim.shapes import see

SMALL = SceneOptions("crossroad", seed=3, width=320, height=180, frames=-1)
CALM = replace(SMALL, noise=0.0, light=0.0)


def digest(scene: Scene, index: int) -> str:
    image, truth = scene.render(index)
    parts = (image, truth.xyxy, truth.class_id, truth.track_id, truth.visibility)
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


@pytest.mark.parametrize("name", SCENES)
def test_a_frame_is_the_same_however_it_is_reached(name: str):
    options = replace(SMALL, scene=name)
    forwards = [digest(Scene(options), index) for index in (0, 31, 500)]
    scene = Scene(options)
    assert [digest(scene, index) for index in (500, 0, 31)] == [forwards[2], forwards[0], forwards[1]]
    assert len(set(forwards)) == 3


def test_seeds_give_different_scenes():
    assert len({digest(Scene(replace(SMALL, seed=seed)), 10) for seed in range(4)}) == 4


@pytest.mark.parametrize("size", [(641, 361), (17, 16), (333, 250), (180, 320), (1920, 1080)])
def test_any_size(size: tuple[int, int]):
    image, truth = Scene(replace(SMALL, width=size[0], height=size[1])).render(7)
    assert image.shape == (size[1], size[0], 3)
    assert image.dtype == np.uint8
    assert (truth.xyxy >= 0).all()
    assert (truth.xyxy <= [*size, *size]).all()


def test_motion_follows_time_whatever_the_frame_rate():
    slow, fast = Scene(replace(SMALL, fps=10)).render(40)[1], Scene(replace(SMALL, fps=40)).render(160)[1]
    np.testing.assert_array_equal(slow.xyxy, fast.xyxy)
    np.testing.assert_array_equal(slow.track_id, fast.track_id)


def test_scene_ends_where_it_should():
    scene = Scene(replace(SMALL, frames=3))
    assert len(scene) == 3
    with pytest.raises(IndexError, match="frame 3 is outside a scene of 3 frames"):
        scene.render(3)
    with pytest.raises(IndexError):
        scene.render(-1)
    with pytest.raises(TypeError, match="no end"):
        len(Scene(SMALL))


def test_far_frames_of_an_endless_scene_are_as_quick_as_near_ones():
    image, truth = Scene(SMALL).render(10**9)
    assert image.shape == (180, 320, 3)
    assert len(truth) > 0


@pytest.mark.parametrize("name", SCENES)
def test_all_classes_come_and_go_with_ids_of_their_own(name: str):
    scene = Scene(replace(SMALL, scene=name, objects=20, fps=4))
    kinds: dict[int, int] = {}
    lives: dict[int, list[int]] = {}
    for index in range(120):
        truth = scene.render(index)[1]
        assert len(set(truth.track_id.tolist())) == len(truth)
        for track_id, class_id in zip(truth.track_id.tolist(), truth.class_id.tolist(), strict=True):
            assert kinds.setdefault(track_id, class_id) == class_id
            lives.setdefault(track_id, []).append(index)
    assert set(kinds.values()) == set(range(len(SIM_LABELS)))
    assert min(kinds) > 0
    movers = [lives[track_id] for track_id, class_id in kinds.items() if class_id != 3]
    assert any(life[0] > 0 for life in movers)
    assert any(life[-1] < 119 for life in movers)


@pytest.mark.parametrize("objects", [0, 4, 12, 40])
def test_about_as_many_objects_as_asked_for(objects: int):
    scene = Scene(replace(SMALL, scene="plaza", objects=objects))
    on_the_way = [len(scene._traffic.at(second)) for second in range(0, 200, 5)]
    assert np.mean(on_the_way) == pytest.approx(objects, rel=0.25, abs=0.1)


def test_objects_move_smoothly():
    scene = Scene(SMALL)
    before, after = scene.render(100)[1], scene.render(101)[1]
    shared, i, j = np.intersect1d(before.track_id, after.track_id, return_indices=True)
    assert len(shared) > 3
    whole = (before.visibility[i] > 0.95) & (after.visibility[j] > 0.95)
    assert np.abs(before.xyxy[i] - after.xyxy[j])[whole].max() < 12


@pytest.mark.parametrize("name", SCENES)
def test_boxes_hold_exactly_the_pixels_that_objects_change(name: str):
    scene, empty = Scene(replace(CALM, scene=name, objects=16)), Scene(replace(CALM, scene=name, objects=0))
    ground = empty.render(0)[0].astype(int)
    checked = 0
    for index in range(0, 400, 40):
        image, truth = scene.render(index)
        changed = np.abs(image.astype(int) - ground).max(axis=2) > 12
        moving = truth[truth.class_id != 3]
        for box, visibility in zip(moving.xyxy.astype(int), moving.visibility, strict=True):
            x0, y0, x1, y1 = box
            if visibility < 0.99 or min(x1 - x0, y1 - y0) < 8:
                continue
            inside = changed[y0:y1, x0:x1]
            # A two-wheeler has holes, a grey car on grey ground hides well: most of each side must show.
            assert inside.mean() > 0.25
            assert inside[: (y1 - y0) // 3].any()
            checked += 1
    assert checked > 10


def test_one_object_alone_is_drawn_inside_its_box_only():
    scene, empty = Scene(CALM), Scene(replace(CALM, objects=0))
    stage = scene._stage
    ground = empty.render(0)[0]
    checked = 0
    for actor in scene._traffic.at(3.0):
        canvas = Canvas(ground.copy(), np.zeros((180, 320), np.uint8))
        canvas.draw(see(actor.mesh(3.0), actor.pose(3.0), stage.camera, stage.light), 1)
        changed = (canvas.image != ground).any(axis=2)
        rows, columns = np.nonzero(canvas.owner)
        if len(rows) < 50:
            continue
        x0, y0, x1, y1 = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
        outside = changed.copy()
        outside[max(y0 - 1, 0) : y1 + 1, max(x0 - 1, 0) : x1 + 1] = False
        assert not outside.any()
        checked += 1
    assert checked > 3


def test_hidden_objects_are_less_visible():
    scene = Scene(replace(CALM, scene="plaza", objects=40))
    seen = [scene.render(index)[1] for index in range(0, 600, 50)]
    visibility = np.concatenate([truth.visibility for truth in seen])
    assert visibility.min() > 0
    assert visibility.max() <= 1
    assert (visibility < 0.7).any()
    assert (visibility > 0.99).sum() > len(visibility) / 3


def test_road_signs_stay_where_they_are():
    scene = Scene(replace(CALM, objects=0))
    first, last = scene.render(0)[1], scene.render(500)[1]
    assert set(first.class_id.tolist()) == {3}
    np.testing.assert_array_equal(first.xyxy, last.xyxy)


def test_noise_and_light_change_the_picture_only_when_asked_for():
    calm = Scene(replace(CALM, objects=0))
    np.testing.assert_array_equal(calm.render(0)[0], calm.render(777)[0])
    noisy = Scene(replace(CALM, objects=0, noise=6.0))
    difference = noisy.render(0)[0].astype(int) - calm.render(0)[0]
    assert 4 < difference.std() < 7
    assert (noisy.render(0)[0] != noisy.render(1)[0]).mean() > 0.5
    lit = Scene(replace(CALM, objects=0, light=1.0))
    assert np.ptp([lit.render(index)[0].mean() for index in range(0, 1500, 100)]) > 15


def test_a_rendered_frame_belongs_to_the_caller():
    scene = Scene(SMALL)
    image = scene.render(5)[0]
    kept = image.copy()
    scene.render(6)
    np.testing.assert_array_equal(image, kept)
    image[:] = 0
    np.testing.assert_array_equal(scene.render(5)[0], kept)


def test_empty_truth_has_the_right_shapes():
    truth = Truth.empty()
    assert truth.xyxy.shape == (0, 4)
    assert len(truth[np.array([], bool)]) == 0
