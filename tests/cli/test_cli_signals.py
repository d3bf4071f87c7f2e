"""Ctrl-C and SIGTERM leave whole files behind."""

import json
import signal

import cv2
import pytest

ENDLESS = "sim://plaza?objects=1&width=64&height=48&frames=-1"


@pytest.mark.parametrize(
    ("number", "code", "live"),
    [(signal.SIGINT, 130, False), (signal.SIGTERM, 143, False), (signal.SIGINT, 130, True)],
)
def test_a_signal_finishes_video_events_and_detections(
    started, models, wait_for, tmp_path, number, code, live
):
    process = started(
        "run", ENDLESS, "--model", models("Slow"), "--out", "o.mp4", "--events", "e.jsonl", "--detections", "d.jsonl",
        "--summary", "s.json", *(["--live"] if live else []),
    )  # fmt: skip
    found = tmp_path / "d.jsonl"
    wait_for(lambda: found.exists() and found.read_bytes().count(b"\n") >= 10, process)
    process.send_signal(number)
    _, said = process.communicate(timeout=120)
    assert process.returncode == code, said
    lines = [json.loads(line) for line in (tmp_path / "d.jsonl").read_text().splitlines()]
    summary = json.loads((tmp_path / "s.json").read_text())
    assert summary["frames"] == len(lines) >= 10
    assert summary["interrupted"]
    capture, pictures = cv2.VideoCapture(str(tmp_path / "o.mp4")), 0
    while capture.grab():
        pictures += 1
    assert len(lines) - 1 <= pictures <= len(lines)
    events = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    assert [event["event"]["type"] for event in events] == ["entry", "exit"]
    assert "error:" not in said


def test_a_second_ctrl_c_ends_a_run_that_is_stuck(started, models, wait_for, tmp_path):
    process = started("run", ENDLESS, "--model", models("Stuck"))
    wait_for((tmp_path / "called").exists, process)
    process.send_signal(signal.SIGINT)
    assert "once more to abort" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert process.returncode == 130
