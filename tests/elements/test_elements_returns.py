"""What models in Python return, through tracker, tiler, overlay and messages of real pipelines."""

import json

import numpy as np
import pytest

from headrace.frames import to_rgb
from headrace.meta import MetaType

MODELS = """
import numpy as np
from headrace import Detections, Detector, Embeddings, Instances, Keypoints, Labels, Network, Oriented, Result

class Turned(Detector):
    labels = ("thing",)
    def infer(self, frames):
        return [Oriented([[80, 60, 60, 20, 30]], [0.9]) for _ in frames]

class Pose(Detector):
    labels = ("person",)
    skeleton = ((0, 1),)
    def infer(self, frames):
        return [Keypoints([[[40, 60, 1], [120, 60, 1], [60, 90, 0.5]]]) for _ in frames]

class Masks(Detector):
    def infer(self, frames):
        masks = np.zeros((1, 120, 160), bool)
        masks[:, 40:80, 40:80] = True
        return [Instances(masks) for _ in frames]

class Crop(Network):
    labels = ("a", "b")
    skeleton = ((0, 1),)
    def infer(self, frames):
        points = [np.array([[1, 2, 1], [f.width, f.height, 0.5]], np.float32) for f in frames]
        return [Result(keypoints=found, embedding=np.ones(4, np.float32)) for found in points]

class Seen(Network):
    def infer(self, frames):
        return [{"size": np.array([f.width, f.height, f.source_id, f.pts])} for f in frames]

class Counted(Network):
    calls = 0
    def infer(self, frames):
        self.calls += 1
        return [Embeddings([self.calls]) for _ in frames]

class Whole(Network):
    labels = ("a", "b")
    def infer(self, frames):
        return [Embeddings([3, 4], normalise=True) for _ in frames]

class Both(Network):
    labels = ("a", "b")
    def infer(self, frames):
        return [Labels([1, 0], [0.75, 0.5]) for _ in frames]

class Sometimes(Detector):
    calls = 0
    def infer(self, frames):
        self.calls += 1
        return [Oriented([[80, 60, 60, 20, np.nan if self.calls % 2 else 5]]) for _ in frames]
"""
POINTS = [[40, 60, 1], [120, 60, 1], [60, 90, 0.5]]
SOURCE = (
    "videotestsrc pattern=black num-buffers={} ! video/x-raw,format=NV12,width=160,height=120,framerate=10/1"
)


@pytest.fixture
def play(run, tmp_path):
    """Play a model of the file above, with elements after it; what came out."""
    (tmp_path / "models.py").write_text(MODELS)

    def go(*elements, frames=6):
        chain = " ! ".join(elements).replace("MODELS", f"{tmp_path}/models.py")
        line = f"{SOURCE.format(frames)} ! m.sink_0 nvstreammux name=m batch-size=1 ! {chain} ! fakesink sync=false"
        return run(line).to_end()

    return go


def pixels(one, index=-1):
    """The picture of a batch, as RGB."""
    return to_rgb(one.out.payloads[index].surfaces[0].frame()).astype(int)


def is_bright(picture, x, y):
    return picture[y, x].max() > 120


def test_turned_boxes_are_drawn_turned(play):
    picture = pixels(play("hrinfer model=MODELS:Turned", "nvdsosd"))
    along, across = (
        np.array([np.cos(np.pi / 6), np.sin(np.pi / 6)]),
        np.array([-np.sin(np.pi / 6), np.cos(np.pi / 6)]),
    )
    for edge in (across * 10, -across * 10, along * 30, -along * 30):
        x, y = np.rint(np.add(edge, (80, 60))).astype(int)
        assert is_bright(picture, x, y)
    assert not is_bright(picture, 80, 60)
    assert not is_bright(picture, 106, 55)  # the corner of the box before it is turned


def test_trackers_keep_turned_boxes_and_predict_them_turned(play):
    one = play("hrinfer model=MODELS:Turned interval=1", "nvtracker", frames=12)
    later = one.out.frames[6:]
    assert {frame.infer_skipped for frame in later} == {True, False}
    for frame in later:
        (thing,) = frame.object_items
        assert thing.object_id == 1
        assert thing.rect_params.rotation_angle == pytest.approx(30)
        rect = thing.rect_params
        assert (rect.left, rect.top, rect.width, rect.height) == pytest.approx((50, 50, 60, 20), abs=1)
        assert thing.nv_bbox_info["width"] == pytest.approx(62, abs=1)  # the tracker's own is the box around


def test_the_tiler_moves_rotation_and_keypoints(play):
    tiler = "nvmultistreamtiler width=320 height=120 rows=1 columns=1"  # twice as wide
    (thing,) = play("hrinfer model=MODELS:Turned", tiler).out.frames[-1].object_items
    slope = np.degrees(np.arctan2(np.sin(np.pi / 6), 2 * np.cos(np.pi / 6)))
    assert thing.rect_params.rotation_angle == pytest.approx(slope, abs=0.01)
    assert thing.rect_params.left + thing.rect_params.width / 2 == pytest.approx(160)
    (person,) = play("hrinfer model=MODELS:Pose", tiler).out.frames[-1].object_items
    assert person.keypoints.tolist() == [[80, 60, 1], [240, 60, 1], [120, 90, 0.5]]


def test_keypoints_are_drawn_with_the_models_edges_and_can_be_left_out(play):
    chain = "hrinfer model=MODELS:Pose", "nvdsosd display-bbox=false display-text=false"
    assert is_bright(pixels(play(*chain)), 80, 60)
    without = play(chain[0], chain[1] + " display-keypoints=false")
    assert not is_bright(pixels(without), 80, 60)


def test_masks_of_the_picture_tint_their_pixels(play):
    picture = pixels(play("hrinfer model=MODELS:Masks", "nvdsosd display-bbox=false display-text=false"))
    assert picture[60, 60].max() > 60
    assert picture[20, 20].max() < 20


def test_branches_of_a_tee_have_their_own_and_the_demultiplexer_keeps_all(run, tmp_path):
    (tmp_path / "models.py").write_text(MODELS)
    line = (
        f"{SOURCE.format(4)} ! m.sink_0 nvstreammux name=m batch-size=1 ! hrinfer model={tmp_path}/models.py:Pose "
        "! tee name=t t. ! queue ! nvmultistreamtiler width=80 height=60 ! fakesink name=small sync=false "
        "t. ! queue ! nvstreamdemux name=d d.src_0 ! queue ! fakesink name=plain sync=false"
    )
    one = run(line).to_end()
    for name, points in (("small", [[20, 30, 1], [60, 30, 1], [30, 45, 0.5]]), ("plain", POINTS)):
        assert len(one.outputs[name].frames) == 4
        assert all(frame.detections.keypoints.tolist() == [points] for frame in one.outputs[name].frames)


def test_messages_carry_what_was_returned(play):
    tell = "nvmsgconv payload-type=1 msg2p-newapi=true frame-interval=1"

    def told(*elements):
        (meta,) = play(*elements, tell, frames=1).out.frames[0].user_meta_items(MetaType.PAYLOAD)
        return json.loads(meta.data)

    assert told("hrinfer model=MODELS:Turned")["objects"][0].endswith("|50|50|110|70|thing|#|rotation|30")
    assert told("hrinfer model=MODELS:Pose")["objects"][0].endswith(
        "|person|#|pose2D|0,40,60,1|1,120,60,1|2,60,90,0.5"
    )
    document = told("hrinfer model=MODELS:Masks")
    _, part, *outline = document["masks"][0].split("|")
    assert part == "1"
    assert sorted(map(float, outline)) == [40] * 4 + [80] * 4
    whole = told("hrinfer model=MODELS:Turned", "hrinfer model=MODELS:Crop process-mode=2 unique-id=2")
    assert whole["objects"][0].endswith("|#|embedding|1,1,1,1")
    for wanted, sent in (("boat;thing", True), ("0", True), ("boat;7", False)):
        tell = f"nvmsgconv payload-type=1 msg2p-newapi=true frame-interval=1 embedding-filter={wanted}"
        some = told("hrinfer model=MODELS:Turned", "hrinfer model=MODELS:Crop process-mode=2 unique-id=2")
        assert ("embedding" in some["objects"][0]) == sent


def test_results_of_an_object_are_written_to_it(play):
    one = play("hrinfer model=MODELS:Turned", "hrinfer model=MODELS:Crop process-mode=2 unique-id=2")
    (thing,) = one.out.frames[-1].object_items
    assert thing.keypoints.tolist() == [[49, 38, 1], [111, 84, 0.5]]  # in pixels of the frame
    assert thing.skeleton.lines == ((0, 1),)
    assert thing.embedding.tolist() == [1, 1, 1, 1]


def test_what_a_turned_object_is_seen_in_holds_all_of_it_and_says_where_it_is_from(play):
    one = play("hrinfer model=MODELS:Turned", "hrinfer model=MODELS:Seen process-mode=2 unique-id=2")
    (thing,) = one.out.frames[3].object_items
    (meta,) = thing.tensor_items
    width, height, source, pts = meta.as_tensor_output().layers["size"].tolist()
    assert (width, height) == pytest.approx((62, 48), abs=2)  # around 60 by 20, turned by 30 degrees
    assert (source, pts) == (0, 300_000_000)


def test_tracked_objects_keep_their_embedding_between_looks(play):
    again = "hrinfer model=MODELS:Counted process-mode=2 unique-id=2 reinfer-interval=100"
    frames = play("hrinfer model=MODELS:Turned", "nvtracker", again, frames=10).out.frames[4:]
    assert {obj.embedding.tolist()[0] for frame in frames for obj in frame.object_items} == {1}


def test_skeletons_go_on_in_frames_that_are_skipped(play):
    frames = play("hrinfer model=MODELS:Pose interval=2 skipped-frames=hold").out.frames
    assert [frame.infer_skipped for frame in frames] == [False, True, True] * 2
    assert all(obj.skeleton.lines == ((0, 1),) for frame in frames for obj in frame.object_items)
    assert [frame.n_objects for frame in frames] == [1] * 6


def test_results_of_a_frame_are_written_to_it(play):
    (frame, *_) = play("hrinfer model=MODELS:Whole").out.frames
    np.testing.assert_allclose(frame.embedding, [0.6, 0.8])
    assert frame.n_objects == 0
    (frame, *_) = play("hrinfer model=MODELS:Both").out.frames
    (over,) = frame.object_items
    (meta,) = over.classifier_items
    assert [(label.label, label.prob) for label in meta.labels] == [("b", 0.75), ("a", 0.5)]
    assert over.rect_params.width == 160


def test_a_wrong_return_stops_with_its_name_or_is_dropped(play, run, tmp_path):
    (tmp_path / "models.py").write_text(MODELS)
    line = f"{SOURCE.format(6)} ! m.sink_0 nvstreammux name=m ! hrinfer model={tmp_path}/models.py:Sometimes ! fakesink"
    error = run(line).to_error()
    assert "Sometimes.infer, frame 0 of the batch: rotation is not finite" in error.text
    assert len(play("hrinfer model=MODELS:Sometimes on-error=drop").out.frames) == 3
