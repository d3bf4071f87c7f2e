"""What ``headrace run`` writes."""

import json
import signal

import cv2
import pytest

SMALL = "sim://plaza?seed=3&objects=2&width=64&height=48&frames={}"


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def frames_of(path):
    capture, count = cv2.VideoCapture(str(path)), 0
    while capture.grab():
        count += 1
    return count, (int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)))


def test_every_output_of_one_source(headrace, models, tmp_path):
    uri = SMALL.format(40)
    done = headrace(
        "run", uri, "--model", models("Two"), "--out", "o.mp4", "--events", "e.jsonl", "--detections", "d.jsonl",
        "--summary", "s.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = lines_of(tmp_path / "d.jsonl")
    assert [line["frame"] for line in found] == list(range(40))
    assert list(found[0]) == ["source", "frame", "pts", "width", "height", "objects"]
    assert (found[0]["source"], found[0]["width"], found[0]["height"]) == (0, 64, 48)
    assert found[30]["pts"] == 1_000_000_000
    car, person = found[20]["objects"]
    assert list(car) == ["class_id", "label", "confidence", "id", "box"]
    assert (car["class_id"], car["label"], car["box"]) == (0, "car", [8.0, 8.0, 28.0, 28.0])
    assert car["confidence"] == pytest.approx(0.9, abs=1e-4)
    assert isinstance(car["id"], int)
    assert person == {
        "class_id": 1,
        "label": "person",
        "confidence": 0.3,
        "id": None,
        "box": [30.0, 32.0, 50.0, 43.5],
    }

    summary = json.loads((tmp_path / "s.json").read_text())
    assert list(summary)[:5] == ["frames", "seconds", "fps", "dropped", "sources"]
    assert (summary["frames"], summary["dropped"]) == (40, 0)
    assert summary["fps"] == pytest.approx(40 / summary["seconds"], rel=0.02)
    source = summary["sources"][0]
    assert list(source)[:3] == ["uri", "frames", "objects"]
    assert (source["uri"], source["frames"], source["objects"]) == (uri, 40, 80)

    events = lines_of(tmp_path / "e.jsonl")
    assert [event["event"]["type"] for event in events] == ["entry", "exit"]
    assert {event["object"]["id"] for event in events} == {str(car["id"])}
    assert events[0]["sensor"]["description"] == uri
    assert frames_of(tmp_path / "o.mp4") == (40, (64, 48))
    assert "40 frames" in done.stderr
    assert done.stdout == ""


def test_sources_of_different_size_and_length_keep_their_order_and_pixels(headrace, models, tmp_path):
    inputs = [
        SMALL.format(30),
        "sim://highway?width=80&height=36&frames=12",
        "sim://plaza?width=33&height=17&frames=1",
    ]
    done = headrace(
        "run", "--tiles", *inputs, "--model", models("Two"), "--out", "o.mp4", "--detections", "d.jsonl",
        "--summary", "s.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = lines_of(tmp_path / "d.jsonl")
    for source, (count, size) in enumerate([(30, (64, 48)), (12, (80, 36)), (1, (33, 17))]):
        mine = [line for line in found if line["source"] == source]
        assert [line["frame"] for line in mine] == list(range(count))
        assert {(line["width"], line["height"]) for line in mine} == {size}
    summary = json.loads((tmp_path / "s.json").read_text())
    assert [source["frames"] for source in summary["sources"]] == [30, 12, 1]
    assert frames_of(tmp_path / "o.mp4") == (30, (1280, 720))


@pytest.mark.parametrize(
    ("tiles", "size"),
    [(["--tiles", "2x2@320x240"], (320, 240)), (["--tiles", "@160x120"], (160, 120)), ([], (66, 48))],
)
def test_picture_size_is_what_was_asked_for_or_even(headrace, models, tmp_path, tiles, size):
    scene = "sim://plaza?width=65&height=47&frames=3"
    done = headrace("run", scene, "--model", models("Two"), "--out", "o.mp4", *tiles)
    assert done.returncode == 0, done.stderr
    assert frames_of(tmp_path / "o.mp4") == (3, size)


def test_without_a_tracker_no_object_has_an_id(headrace, models, tmp_path):
    done = headrace(
        "run", SMALL.format(12), "--model", models("Two"), "--tracker", "none", "--detections", "d.jsonl"
    )
    assert done.returncode == 0, done.stderr
    assert {thing["id"] for line in lines_of(tmp_path / "d.jsonl") for thing in line["objects"]} == {None}


def test_options_from_yaml_and_the_command_line_wins(headrace, models, tmp_path):
    (tmp_path / "c.yaml").write_text(
        f"inputs: ['{SMALL.format(8)}']\nmodel: {models('Two')}\nconfidence: 0.5\non-error: drop\ndetections: y.jsonl\n"
    )
    done = headrace("run", "--config", "c.yaml", "--detections", "d.jsonl")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "y.jsonl").exists()
    assert [len(line["objects"]) for line in lines_of(tmp_path / "d.jsonl")] == [1] * 8


def test_a_second_run_replaces_the_files_of_the_first(headrace, models, tmp_path):
    for count in (25, 20):
        done = headrace(
            "run",
            SMALL.format(count),
            "--model",
            models("Two"),
            "--events",
            "e.jsonl",
            "--detections",
            "d.jsonl",
        )
        assert done.returncode == 0, done.stderr
    assert len(lines_of(tmp_path / "d.jsonl")) == 20
    assert len(lines_of(tmp_path / "e.jsonl")) == 2


def test_live_runs_at_the_pace_of_the_source_and_counts_what_it_drops(headrace, models, tmp_path):
    scene = "sim://plaza?width=32&height=32&frames=60&fps=200"
    done = headrace("run", scene, "--model", models("Late"), "--live", "--summary", "s.json", "-v")
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "s.json").read_text())
    assert summary["dropped"] > 0
    assert summary["frames"] + summary["dropped"] == 60
    assert sum(drop["frames"] for drop in summary["drops"]) == summary["dropped"]
    assert "live source faster than the pipeline" in done.stderr


def test_a_file_is_decoded_whole_and_a_cut_one_as_far_as_it_goes_with_a_warning(headrace, models, tmp_path):
    made = headrace("run", SMALL.format(90), "--model", models("Two"), "--out", "whole.mp4")
    assert made.returncode == 0, made.stderr
    _fast_start(tmp_path)
    whole = headrace("run", "fast.mp4", "--model", models("Two"), "--detections", "whole.jsonl")
    assert whole.returncode == 0, whole.stderr
    assert len(lines_of(tmp_path / "whole.jsonl")) == 90
    assert "warning" not in whole.stderr
    data = (tmp_path / "fast.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(data[: len(data) * 3 // 5])
    cut = headrace("run", "cut.mp4", "--model", models("Two"), "--detections", "cut.jsonl")
    assert cut.returncode == 0, cut.stderr
    assert 5 < len(lines_of(tmp_path / "cut.jsonl")) < 90
    assert "warning: source0" in cut.stderr
    assert "cut.mp4" in cut.stderr


def _fast_start(folder):
    """Write the same stream with its index in front, so that a cut file can still be opened."""
    from gi.repository import Gst

    import headrace.gst  # noqa: F401 - initialises GStreamer

    pipeline = Gst.parse_launch(
        f"filesrc location={folder}/whole.mp4 ! qtdemux ! h264parse ! mp4mux faststart=true ! "
        f"filesink location={folder}/fast.mp4"
    )
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(
        120 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR
    )
    pipeline.set_state(Gst.State.NULL)
    assert message is not None
    assert message.type == Gst.MessageType.EOS


def test_a_candidate_in_the_shadow_is_reported(started, models, wait_for, tmp_path):
    words = ("--set", f"shadow={models('Compared')}", "--summary", "s.json")
    process = started("run", SMALL.format(-1), "--model", models("Slow"), *words)
    wait_for((tmp_path / "compared").exists, process)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    summary = json.loads((tmp_path / "s.json").read_text())
    shadow = summary["shadow"]
    assert shadow["batches"] > 0
    assert shadow["pictures"] + shadow["not_compared"] <= summary["frames"]
    assert f"{shadow['pictures']} pictures compared with the model, F1" in " ".join(said.split())
