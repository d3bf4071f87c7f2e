"""nvtracker: which tracker it takes, what it writes into batches, and what it tells of other frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from headrace.elements.tracking import BatchTracking
from headrace.frames import Frame
from headrace.frames.surface import write_frame
from headrace.meta import Detections, ObjectReidUserMetadata
from headrace.meta.batch import Batch, BatchMetadata
from headrace.meta.objects import UNTRACKED
from headrace.meta.tracking import TrackerPastFrameUserMetadata
from headrace.meta.user import MetaType
from headrace.track import TrackerOptions, make_tracker

OUT = "fakesink name=sink sync=false"
SOURCE = (
    "videotestsrc num-buffers={n} pattern=smpte ! video/x-raw,format=NV12,width=160,height=120 ! m.sink_0"
)
BOX = "def infer(self, frames):\n    return [Detections([[20, 20, 80, 90]], [0.9], [1]) for _ in frames]"
# The detector sees the box in the first ten frames.
TEN = """n = 0
def infer(self, frames):
    self.n += 1
    found = Detections([[20, 20, 80, 90]], [0.9], [1]) if self.n <= 10 else Detections.empty()
    return [found for _ in frames]"""


def tracking(name: str = "cascade", **options: Any) -> BatchTracking:
    return BatchTracking(make_tracker(name, TrackerOptions(**{"probation_age": 0, **options})))


def batch(*frames: tuple[int, Detections | None], number: int = 0) -> Batch:
    """A batch of frames, each of a source with what was found in it, ``None`` if nobody looked."""
    meta = BatchMetadata.new()
    for source, found in frames:
        frame = meta.add_frame(
            pad_index=source, source_id=source, frame_number=number, pipeline_width=640, pipeline_height=480,
            infer_skipped=found is None,
        )  # fmt: skip
        if found is not None:
            frame.add_detections(found, ("person",), component_id=7)
    return Batch(meta)


def box(x: float = 50) -> Detections:
    return Detections([[x, 50, x + 40, 130]], [0.9], [0])


def ids(meta: BatchMetadata) -> list[list[int]]:
    return [[obj.object_id for obj in frame.object_items] for frame in meta.frames]


def test_all_sources_of_a_batch_are_tracked_in_one_call() -> None:
    one = tracking()
    calls: list[int] = []
    follow = one.tracker.follow
    one.tracker.follow = lambda given: (calls.append(len(given.sources)), follow(given))[1]  # type: ignore[method-assign]
    for n in range(5):
        now = batch((3, box(50 + n)), (0, box(300 - n)), (8, Detections.empty()))
        one.update(now)
        assert ids(now.meta) == [[1], [1], []]
    assert calls == [3] * 5


def test_two_frames_of_a_source_in_a_batch_follow_each_other() -> None:
    one = tracking()
    for n in range(0, 40, 2):
        now = batch((0, box(50 + 8 * n)), (1, box()), (0, box(58 + 8 * n)))
        one.update(now)
        assert ids(now.meta) == [[1], [1], [1]]


def test_objects_without_a_track_are_removed_unless_they_are_to_be_kept() -> None:
    now = batch((0, Detections([[0, 0, 9, 9], [5, 5, np.nan, 9]])), (1, box()))
    tracking(probation_age=3).update(now)
    assert ids(now.meta) == [[], []]
    kept = BatchTracking(make_tracker("cascade"), keep_untracked=True)
    now = batch((0, box()))
    kept.update(now)
    assert ids(now.meta) == [[UNTRACKED]]


def test_objects_of_other_classes_pass() -> None:
    one = BatchTracking(make_tracker("cascade", TrackerOptions(probation_age=0)), classes=(2,))
    now = batch((0, Detections([[0, 0, 40, 90], [100, 0, 140, 90]], [0.9, 0.9], [0, 2])))
    one.update(now)
    assert ids(now.meta) == [[UNTRACKED, 1]]


def test_frames_that_nobody_looked_at_get_predictions() -> None:
    one = tracking()
    for n in range(20):
        now = batch((0, box(50 + 4 * n) if n % 2 == 0 else None), (1, box()))
        one.update(now)
    predicted = next(now.meta.frames[0].object_items)
    assert (predicted.object_id, round(predicted.confidence, 3)) == (1, -0.1)
    assert predicted.rect_params.left == pytest.approx(50 + 4 * 19, abs=2)
    assert (predicted.label, predicted.unique_component_id) == ("person", 7), "what its class is called"
    assert ids(now.meta) == [[1], [1]]


def test_ids_of_a_source_that_comes_again() -> None:
    one = tracking()
    one.update(batch((0, box())))
    one.forget(0)
    again = batch((0, box()))
    one.update(again)
    assert ids(again.meta) == [[2]]
    one.forget(0, restart_ids=True)
    anew = batch((0, box()))
    one.update(anew)
    assert ids(anew.meta) == [[1]]


def test_unique_ids_differ_between_sources_and_count_in_their_lower_half() -> None:
    one = tracking(unique_ids=True)
    now = batch((0, box()), (1, box()))
    one.update(now)
    (first,), (second,) = ids(now.meta)
    assert first != second
    assert first & 0xFFFFFFFF == second & 0xFFFFFFFF == 1
    later = batch((0, box()))
    one.update(later)
    assert ids(later.meta) == [[first]]


def told(meta: BatchMetadata, kind: MetaType) -> list[tuple[int, int, str, list[int]]]:
    """Stream, id, label and frame numbers of every object in the metas of a kind."""
    return [
        (
            stream["stream_id"],
            target["unique_id"],
            target["label"],
            [frame["frame_num"] for frame in target["frames"]],
        )
        for user in meta.user_meta_items(kind)
        for stream in TrackerPastFrameUserMetadata(user).past_frame_data
        for target in stream["objects"]
    ]


def test_past_frames_are_told_when_an_object_is_reported_late_or_found_again() -> None:
    one = tracking(probation_age=2, past_frames=True)
    seen = {}
    for number in range(12):
        now = batch((4, Detections.empty() if number in (6, 7) else box()), number=number)
        one.update(now)
        if found := told(now.meta, MetaType.TRACKER_PAST_FRAME):
            seen[number] = found
    assert seen == {2: [(4, 1, "person", [0, 1])], 8: [(4, 1, "person", [6, 7])]}


def test_hidden_and_ended_tracks_are_told() -> None:
    one = tracking(max_shadow_age=2, output_shadow=True, output_terminated=True, trajectory_length=4)
    shadows, ended, shown = [], [], []
    for number in range(10):
        now = batch((0, box() if number < 5 else Detections.empty()), number=number)
        one.update(now)
        shown.append(len(ids(now.meta)[0]))
        shadows += told(now.meta, MetaType.TRACKER_SHADOW_LIST)
        ended += told(now.meta, MetaType.TRACKER_TERMINATED_LIST)
    assert shadows == [(0, 1, "person", [5]), (0, 1, "person", [6])]
    assert ended == [(0, 1, "person", [3, 4, 5, 6])]
    assert shown == [1] * 5 + [0] * 5, "shadows are told, not shown"


def test_embeddings_on_objects_are_what_they_are_known_again_by() -> None:
    one = tracking("deepsort")
    looks = {True: [1.0, 0.0, 0.0], False: [0.0, 1.0, 0.0]}
    for n in range(16):
        # Two who walk towards each other and turn round where they meet.
        left = 50 + 5 * (n if n < 8 else 16 - n)
        now = batch((0, Detections([[left, 50, left + 40, 130], [170 - left, 50, 210 - left, 130]])))
        for number, obj in enumerate(now.meta.frames[0].object_items):
            obj.append(ObjectReidUserMetadata(looks[number == 0]))
        one.update(now)
        assert ids(now.meta) == [[1, 2]]


def test_pixels_hold_an_object_that_the_detector_misses() -> None:
    one = tracking("dcf")
    noise = np.random.default_rng(0).integers(0, 255, (12, 16), np.uint8).repeat(40, 0).repeat(40, 1)
    for n in range(14):
        now = batch((0, box() if n < 10 else Detections.empty()))
        now.surfaces.append(write_frame(Frame.from_array(noise, "GRAY8")))
        one.update(now)
    held = next(now.meta.frames[0].object_items)
    assert (held.object_id, round(held.confidence, 3)) == (1, -0.1)
    assert held.tracker_confidence > 0.2
    assert held.rect_params.left == pytest.approx(50, abs=3)


@pytest.mark.parametrize(
    ("given", "tracker"),
    [
        ("", "Tracker"),
        ("ll-lib-file=/opt/nvidia/deepstream/deepstream/lib/libnvds_nvmultiobjecttracker.so", "Tracker"),
        ("ll-lib-file=/opt/x/libnvds_nvdcf.so", "DcfTracker"),
        ("ll-config-file={yaml}", "SteadyTracker"),
        ("ll-config-file={yaml} tracker=dcf", "DcfTracker"),
    ],
)
def test_library_file_and_property_choose_the_tracker(
    run: Any, model: Any, tmp_path: Any, given: str, tracker: str
) -> None:
    (tmp_path / "t.yml").write_text("tracker: botsort\nprobationAge: 0\n")
    line = given.format(yaml=tmp_path / "t.yml")
    one = run(
        f"{SOURCE.format(n=4)} nvstreammux name=m ! hrinfer model={model(BOX)} ! nvtracker name=t {line} ! {OUT}"
    ).to_end()
    assert type(one["t"].tracking.tracker).__name__ == tracker
    assert ids(one.out.metas[-1]) == [[1]]
    assert one.of("warning") == []


def test_a_pipeline_that_holds_objects_in_pixels(run: Any, model: Any) -> None:
    one = run(
        f"{SOURCE.format(n=16)} nvstreammux name=m ! hrinfer model={model(TEN)} ! nvtracker tracker=dcf ! {OUT}"
    ).to_end()
    assert [len(found) for meta in one.out.metas for found in ids(meta)][1:] == [1] * 15
    assert next(one.out.frames[-1].object_items).confidence == pytest.approx(-0.1)


def test_an_unknown_tracker_in_the_file_is_named(run: Any, tmp_path: Any) -> None:
    (tmp_path / "t.yml").write_text("tracker: bytetrak\n")
    error = run(
        f"{SOURCE.format(n=1)} nvstreammux name=m ! nvtracker ll-config-file={tmp_path / 't.yml'} ! {OUT}"
    ).to_error()
    assert "did you mean 'bytetrack'" in error.text


def test_of_several_files_the_first_is_read(run: Any, tmp_path: Any) -> None:
    (tmp_path / "t.yml").write_text("tracker: sort\n")
    one = run(
        f"{SOURCE.format(n=1)} nvstreammux name=m ! nvtracker ll-config-file={tmp_path / 't.yml'};/x/other.yml ! {OUT}"
    ).to_end()
    assert ["other.yml" in told.text for told in one.of("warning")] == [True]
