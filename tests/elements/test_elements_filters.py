"""hrinfer, nvtracker, nvdsosd, nvdslogger, messages: what they do to batches and how they fail."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from gi.repository import Gst

SOURCE = (
    "videotestsrc num-buffers={n} pattern=black ! video/x-raw,format=RGB,width=64,height=48"
    " ! m.sink_0 nvstreammux name=m"
)
OUT = "fakesink name=sink sync=false"
EMPTY = "def infer(self, frames):\n    return [Detections.empty() for _ in frames]"
BOX = "def infer(self, frames):\n    return [Detections([[8, 8, 40, 30]], [0.9], [1]) for _ in frames]"
COUNT = "n = 0\ndef infer(self, frames):\n    self.n += 1\n    return [Detections([[0, 0, self.n, 9]], [0.9], [0])]"


def source(n: int) -> str:
    return SOURCE.format(n=n)


def test_results_come_in_order_and_all_are_drained(run: Any, model: Any) -> None:
    slow = model(COUNT.replace("self.n += 1", "self.n += 1; time.sleep(0.02 if self.n % 3 else 0)"))
    one = run(f"{source(12)} ! hrinfer model={slow} ! {OUT}").to_end()
    widths = [next(frame.object_items).rect_params.width for frame in one.out.frames]
    assert widths == list(range(1, 13))
    assert [frame.frame_number for frame in one.out.frames] == list(range(12))
    assert all(frame.infer_done for frame in one.out.frames)


# Frames are put into batches when there is room for them: none waits at the door.
@pytest.mark.parametrize(("live", "made"), [(False, 3), (True, 2)], ids=["file", "live"])
def test_so_many_batches_are_in_flight(run: Any, model: Any, tmp_path: Any, live: bool, made: int) -> None:
    gate = tmp_path / "go"
    held = model(
        f"def infer(self, frames):\n    import os\n    while not os.path.exists({str(gate)!r}):\n"
        "        time.sleep(0.01)\n    return [Detections.empty() for _ in frames]"
    )
    pictures = source(6).replace("videotestsrc", f"videotestsrc is-live={live}")
    one = run(f"{pictures} ! identity name=i ! hrinfer model={held} ! {OUT}")
    passed: list[int] = []

    def note(_pad: Any, _info: Any) -> Any:
        passed.append(1)
        return Gst.PadProbeReturn.OK

    one["i"].get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, note)
    one.play()
    one.wait(lambda: len(passed) == made)
    assert one.out.pts == []
    gate.touch()
    one.wait().stop()
    # Of a live source the others may have come too fast meanwhile.
    assert len(one.out.pts) + (one["m"].batcher.drops.total() if live else 0) == 6


NETWORK = """
import numpy as np
from headrace import Detections
from headrace.infer import Network, Result
from headrace.meta import Label, Segmentation, TensorOutput

class Everything(Network):
    def infer(self, frames):
        found, map = Detections([[1, 2, 5, 8]], [0.5], [1]), np.zeros((2, 3), np.int32)
        tensors = TensorOutput(1, {"x": np.ones(4)})
        return [Result(found, ("a", "b"), (Label("day"),), Segmentation(1, map), tensors) for _ in frames]
"""


def test_a_network_says_what_it_likes(run: Any, tmp_path: Any) -> None:
    (tmp_path / "net.py").write_text(NETWORK)
    one = run(f"{source(2)} ! hrinfer model={tmp_path}/net.py:Everything unique-id=3 ! {OUT}").to_end()
    for frame in one.out.frames:
        found, whole = frame.object_items
        assert (found.label, found.unique_component_id, found.rect_params.height) == ("b", 3, 6)
        assert next(whole.classifier_items).get_n_label(0) == "day"
        assert next(frame.segmentation_items).data.class_map.shape == (2, 3)
        assert next(frame.tensor_items).data.layers["x"].tolist() == [1] * 4


def test_the_stream_ends_when_downstream_has_had_enough(run: Any, model: Any) -> None:
    one = run(f"{source(50)} ! hrinfer model={model(BOX)} ! identity eos-after=5 ! {OUT}").to_end()
    assert len(one.out.pts) == 4


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("def infer(self, frames):\n    raise ValueError('no luck')", "ValueError: no luck (model"),
        ("def infer(self, frames):\n    sys.exit(3)", "SystemExit"),
        ("def infer(self, frames):\n    return None", "NoneType"),
        ("def infer(self, frames):\n    return []", "0 results for 1 frames"),
        ("def infer(self, frames):\n    return [3]", "int"),
        ("def infer(self, frames):\n    return [Detections([[0, 0, np.nan, 1]], [1], [0])]", "finite"),
        ("def infer(self, frames):\n    return [Detections([[0, 0, 1, 1]], [1], [7])]", "label"),
    ],
)
def test_an_error_of_a_model_stops_the_pipeline_and_says_where(
    run: Any, model: Any, body: str, expected: str
) -> None:
    one = run(f"{source(5)} ! hrinfer name=pgie model={model(body)} ! {OUT}")
    error = one.to_error()
    assert error.element == "pgie"
    assert "source 0 frame 0" in error.text
    assert expected in error.text
    assert ("Traceback" in error.debug) == ("return" not in body)  # only where the model itself raised
    assert one.of("eos") == []
    assert one.out.pts == []


BAD_THIRD = (
    "n = 0\ndef infer(self, frames):\n    self.n += 1\n    if self.n == 3:\n        raise ValueError('third')\n"
    "    return [Detections([[0, 0, 9, 9]], [0.9], [0])]"
)


def test_a_failed_batch_may_be_dropped(run: Any, model: Any) -> None:
    one = run(f"{source(6)} ! hrinfer name=pgie on-error=drop model={model(BAD_THIRD)} ! {OUT}").to_end()
    assert [frame.frame_number for frame in one.out.frames] == [0, 1, 3, 4, 5]
    (warning,) = one.of("warning")
    assert "source 0 frame 2" in warning.text
    assert "third" in warning.text
    assert "Traceback" in warning.debug


def test_a_failing_element_may_be_disabled(run: Any, model: Any) -> None:
    one = run(f"{source(6)} ! hrinfer on-error=disable model={model(BAD_THIRD)} ! {OUT}").to_end()
    assert [frame.frame_number for frame in one.out.frames] == list(range(6))
    # What was in flight already may still be written.
    assert [frame.n_objects for frame in one.out.frames][:3] == [1, 1, 0]
    assert one.out.frames[-1].n_objects == 0
    assert len(one.of("warning")) == 1


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", "model"),
        ("model=/nowhere/x.onnx", "x.onnx"),
        ("model=/nowhere/x.py:Model", "x.py"),
        ("model={model} labels=/nowhere/labels.txt", "labels.txt"),
        ("model={model} on-error=ignore", "on-error"),
        ("model={model} filter-out-class-ids=a;b", "list of numbers"),
    ],
)
def test_what_cannot_start_says_why(run: Any, model: Any, options: str, expected: str) -> None:
    one = run(f"{source(1)} ! hrinfer name=pgie {options.format(model=model(EMPTY))} ! {OUT}")
    error = one.to_error()
    assert error.element == "pgie"
    assert expected in error.text


def test_an_error_while_loading_has_the_traceback(run: Any, model: Any) -> None:
    broken = model(f"def load(self, options):\n    raise KeyError('weights')\n{EMPTY}")
    error = run(f"{source(1)} ! hrinfer name=pgie model={broken} ! {OUT}").to_error()
    assert "weights" in error.text
    assert "Traceback" in error.debug


def test_interval_skips_batches(run: Any, model: Any) -> None:
    one = run(f"{source(6)} ! hrinfer interval=2 model={model(BOX)} ! {OUT}").to_end()
    assert [frame.n_objects for frame in one.out.frames] == [1, 0, 0, 1, 0, 0]
    assert [frame.infer_skipped for frame in one.out.frames] == [False, True, True, False, True, True]


def test_filtered_classes_confidence_and_labels(run: Any, model: Any) -> None:
    three = model(
        "def infer(self, frames):\n"
        "    return [Detections([[0, 0, 9, 9]] * 3, [0.9, 0.9, 0.2], [0, 1, 1]) for _ in frames]"
    )
    one = run(
        f"{source(1)} ! hrinfer unique-id=5 model={three} filter-out-class-ids=0 confidence=0.1 ! {OUT}"
    ).to_end()
    found = list(one.out.frames[0].object_items)
    assert [(obj.label, obj.unique_component_id) for obj in found] == [("b", 5), ("b", 5)]
    assert [round(obj.confidence, 3) for obj in found] == [0.9, 0.2]


def test_a_second_detector_looks_into_the_objects_of_the_first(run: Any, model: Any) -> None:
    part = model(
        "def infer(self, frames):\n    assert [(f.width, f.height) for f in frames] == [(32, 22)]\n"
        "    return [Detections([[1, 2, 5, 6]], [0.8], [0])]"
    )
    one = run(
        f"{source(2)} ! hrinfer model={model(BOX)} ! hrinfer process-mode=2 unique-id=2 operate-on-gie-id=1"
        f" operate-on-class-ids=1 model={part} ! {OUT}"
    ).to_end()
    for frame in one.out.frames:
        whole, inner = frame.object_items
        assert (inner.rect_params.left, inner.rect_params.top, inner.rect_params.width) == (9, 10, 4)
        assert inner.parent == whole
        assert inner.unique_component_id == 2


def test_a_second_classifier_names_the_objects(run: Any, model: Any) -> None:
    names = model("def classify(self, frames):\n    return [(1, 0.7, 'b') for _ in frames]", "Classifier")
    one = run(
        f"{source(1)} ! hrinfer model={model(BOX)} ! hrinfer process-mode=2 unique-id=4 model={names} ! {OUT}"
    ).to_end()
    ((classifier,),) = [list(obj.classifier_items) for obj in one.out.frames[0].object_items]
    assert (classifier.get_n_label(0), classifier.unique_component_id) == ("b", 4)


def test_a_classifier_of_frames_makes_an_object_of_class_minus_one(run: Any, model: Any) -> None:
    names = model("def classify(self, frames):\n    return [(1, 0.7, 'b') for _ in frames]", "Classifier")
    one = run(f"{source(1)} ! hrinfer model={names} ! {OUT}").to_end()
    (obj,) = one.out.frames[0].object_items
    assert obj.class_id == 4294967295
    assert obj.rect_params.width == 64
    assert next(obj.classifier_items).get_n_label(0) == "b"


def test_a_flush_gives_up_what_is_in_flight(run: Any, model: Any) -> None:
    slow = model("def infer(self, frames):\n    time.sleep(0.02)\n    return [Detections.empty()]")
    one = run(f"{source(-1)} ! hrinfer name=i model={slow} ! {OUT}").play()
    one.wait(lambda: len(one.out.pts) > 3)
    for _ in range(5):
        assert one.pipeline.seek_simple(Gst.Format.TIME, Gst.SeekFlags.FLUSH, 0)
        seen = len(one.out.pts)
        one.wait(lambda n=seen: len(one.out.pts) > n + 3)  # type: ignore[misc]
        assert one.out.pts[seen] < 10**9
    one.stop()
    assert one.errors == []
    assert one["i"]._in_flight() == []


def test_objects_keep_their_ids(run: Any, model: Any) -> None:
    one = run(f"{source(10)} ! hrinfer model={model(BOX)} ! nvtracker ! {OUT}").to_end()
    ids = {obj.object_id for frame in one.out.frames[3:] for obj in frame.object_items}
    assert len(ids) == 1
    assert next(one.out.frames[-1].object_items).nv_bbox_info["width"] > 20


@pytest.mark.parametrize(
    ("library", "warned"),
    [
        ("", 0),
        ("/opt/nvidia/deepstream/deepstream/lib/libnvds_nvmultiobjecttracker.so", 0),
        ("/x/libmine.so", 1),
    ],
)
def test_a_low_level_tracker_that_is_not_used_is_said(run: Any, library: str, warned: int) -> None:
    given = f"ll-lib-file={library}" if library else ""
    one = run(f"{source(1)} ! nvtracker {given} ! {OUT}").to_end()
    assert len(one.of("warning")) == warned
    assert all(
        "/x/libmine.so is not used" in told.text and "cascade" in told.text for told in one.of("warning")
    )


@pytest.mark.parametrize("given", ["NV12", "I420", "RGB", "BGR", "RGBA", "BGRx", "GRAY8"])
def test_the_overlay_draws_in_every_format(run: Any, model: Any, given: str) -> None:
    boxes = model(BOX)
    one = run(
        f"videotestsrc num-buffers=2 pattern=black ! video/x-raw,format={given},width=64,height=48 ! m.sink_0"
        f" nvstreammux name=m ! hrinfer model={boxes} ! nvdsosd ! {OUT}"
    ).to_end()
    for batch in one.out.payloads:
        frame = batch.surfaces[0].frame()
        assert frame.format == given
        plane = frame.planes[0]
        assert np.unique(plane[8:30, 8:40].reshape(-1)).size > 1
        assert np.unique(plane[40:, 50:].reshape(-1)).size <= 2, "nothing is drawn outside of the box"


def test_frames_that_others_hold_are_not_drawn_on(run: Any, model: Any) -> None:
    """As a decoder holds its reference frames."""
    one = run(
        f"videotestsrc num-buffers=3 pattern=black ! video/x-raw,format=I420,width=64,height=48 ! tee name=t"
        f" t. ! queue ! m.sink_0 nvstreammux name=m ! hrinfer model={model(BOX)} ! nvdsosd"
        " ! fakesink name=drawn sync=false"
    )
    held: list[Any] = []

    def keep(_pad: Any, info: Any) -> Any:
        held.append(info.get_buffer())
        return Gst.PadProbeReturn.OK

    one["t"].get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, keep)
    one.to_end()
    assert [set(buffer.extract_dup(0, 64 * 48)) for buffer in held] == [{16}] * 3
    assert all(payload.surfaces[0].frame().planes[0].max() > 16 for payload in one.out.payloads)
    held.clear()


def test_displays_that_nobody_appended_are_drawn(run: Any) -> None:
    from headrace import osd
    from headrace.gst import payload

    one = run(f"{source(2)} ! identity name=i ! nvdsosd ! {OUT}")

    def add(_pad: Any, info: Any) -> Any:
        batch: Any = payload.find(hash(info.get_buffer()))
        display = batch.meta.acquire_display_meta()
        display.add_rect(osd.Rect(10, 10, 20, 20, border_width=2, border_color=osd.Color(1, 1, 1, 1)))
        return Gst.PadProbeReturn.OK

    one["i"].get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, add)
    one.to_end()
    assert all(batch.surfaces[0].frame().planes[0][10:30, 10:30].max() == 255 for batch in one.out.payloads)


def test_messages_reach_the_file(run: Any, model: Any, tmp_path: Any) -> None:
    path = tmp_path / "events.jsonl"
    one = run(
        f"{source(4)} ! hrinfer model={model(BOX)} ! nvtracker ! nvmsgconv payload-type=1 msg2p-newapi=true"
        f" frame-interval=2 debug-payload-dir={tmp_path} ! nvmsgbroker proto-lib=file conn-str={path} sync=false"
    ).to_end()
    assert one.errors == []
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(lines) == 2
    assert len(list(tmp_path.glob("payload-*.json"))) == 2


@pytest.mark.parametrize(
    ("chain", "name", "expected"),
    [
        ("nvmsgconv name=x ! fakesink", "x", "config"),
        (
            "nvmsgconv name=x payload-type=1 msg2p-newapi=true debug-payload-dir=/nowhere ! fakesink",
            "x",
            "/nowhere",
        ),
        ("nvmsgbroker name=x", "x", "proto-lib"),
        ("nvmsgbroker name=x proto-lib=pigeon conn-str=a", "x", "pigeon"),
        ("nvmsgbroker name=x proto-lib=file conn-str=/nowhere/a/b", "x", "/nowhere"),
        ("nvtracker name=x tracker=dog ! fakesink", "x", "dog"),
        ("nvtracker name=x ll-config-file=/nowhere/t.yml ! fakesink", "x", "/nowhere/t.yml"),
        ("nvdsosd name=x blur-on-gie-class-ids=one ! fakesink", "x", "component:class"),
        ("nvmultistreamtiler name=x ! nvvideoconvert name=x2 src-crop=1:2 ! fakesink", "x2", "src-crop"),
    ],
)
def test_wrong_settings_are_errors(run: Any, chain: str, name: str, expected: str) -> None:
    error = run(f"{source(2)} ! {chain}").to_error()
    assert error.element == name
    assert expected in error.text


def test_the_logger_tells_how_fast_sources_run(run: Any, capfd: pytest.CaptureFixture[str]) -> None:
    run(f"{source(5)} ! nvdslogger show-latency=true fps-measurement-interval-sec=1000 ! {OUT}").to_end()
    rates, ages = capfd.readouterr().out.splitlines()
    assert re.fullmatch(r"\*\*PERF: source 0: [\d.]+ FPS", rates)
    assert re.fullmatch(r"\*\*LATENCY: source 0: [\d.]+ ms", ages)
