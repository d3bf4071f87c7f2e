"""Errors end with their exit code and one readable line, never with success or a traceback."""

import json

import pytest

SCENE = "sim://plaza?objects=1&width=48&height=32&frames=20"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["missing.mp4", "--model", "models.py:Two"], 1, ["source0", "missing.mp4 does not exist"]),
        (["empty.mp4", "--model", "models.py:Two"], 1, ["source0", "empty.mp4 is empty"]),
        (["text.mp4", "--model", "models.py:Two"], 1, ["source0", "text.mp4"]),
        ([SCENE, "text.mp4", "--model", "models.py:Two"], 1, ["source1", "text.mp4"]),
        (["sim://mars", "--model", "models.py:Two"], 1, ["source0", "mars", "plaza"]),
        (["ftp://a/b.mp4", "--model", "models.py:Two"], 1, ["source0", "ftp"]),
        ([SCENE, "--model", "missing.onnx"], 1, ["infer", "missing.onnx does not exist"]),
        ([SCENE, "--model", "text.onnx"], 1, ["infer", "text.onnx"]),
        ([SCENE, "--model", "models.py:Unloadable"], 1, ["infer", "no weights today"]),
        ([SCENE, "--model", "models.py:Third"], 1, ["infer", "source 0 frame 2", "broken on purpose"]),
        ([SCENE, "--model", "models.py:Two", "--labels", "one.txt"], 1, ["infer", "labels", "1", "2"]),
        ([SCENE, "--model", "models.py:Two", "--out", "none/o.mp4"], 1, ["none/o.mp4"]),
        ([SCENE, "--model", "models.py:Two", "--detections", "none/d"], 1, ["cannot write none/d"]),
        ([SCENE, "--model", "models.py:Two", "--events", "none/e"], 1, ["cannot write none/e"]),
        ([SCENE, "--model", "models.py:Two", "--summary", "none/s"], 1, ["cannot write none/s"]),
        ([SCENE, "--model", "models.py:Two", "--detections", "/dev/full"], 1, ["/dev/full", "No space left"]),
        ([SCENE, "--model", "models.py:Two", "--events", "/dev/full"], 1, ["events", "No space left"]),
        ([SCENE, "--model", "models.py:Two", "--tracker", "cascad"], 2, ["cascad", "did you mean 'cascade'"]),
        ([SCENE, "--model", "models.py:Two", "--confidence", "3"], 2, ["confidence '3'", "less than or equal to 1"]),
        ([SCENE, "--model", "models.py:Two", "--nms", "much"], 2, ["nms 'much'", "number"]),
        ([SCENE, "--model", "models.py:Two", "--tiles", "0x2"], 2, ["tiles '0x2'"]),
        ([SCENE, "--model", "models.py:Two", "--on-error", "cry"], 2, ["on-error 'cry'"]),
        (["text.mp4", "--model", "models.py:Two", "--out", "text.mp4"], 2, ["text.mp4 would overwrite the input"]),
        ([SCENE, "--model", "models.py:Two", "--config", "missing.yaml"], 2, ["missing.yaml cannot be read"]),
        ([SCENE, "--model", "models.py:Two", "--config", "typo.yaml"], 2, ["'confidance'", "mean 'confidence'"]),
        ([SCENE], 2, ["model is missing"]),
        (["--model", "models.py:Two"], 2, ["no input"]),
    ],
)  # fmt: skip
def test_one_line_and_the_exit_code(headrace, models, tmp_path, words, code, said):
    models("")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("this is no video\n" * 20)
    (tmp_path / "text.onnx").write_text("this is no model")
    (tmp_path / "one.txt").write_text("car\n")
    (tmp_path / "typo.yaml").write_text("confidance: 0.5\n")
    done = headrace("run", *words)
    assert done.returncode == code, done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert all(part in errors[0] for part in said), errors[0]
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_an_option_that_does_not_exist_is_answered_with_the_nearest(headrace):
    done = headrace("run", SCENE, "--modle", "m.onnx")
    assert done.returncode == 2
    assert "--model" in done.stderr


def test_verbose_shows_the_traceback_of_user_code(headrace, models):
    done = headrace("run", SCENE, "--model", models("Third"), "-v")
    assert done.returncode == 1
    assert 'raise ValueError("broken on purpose")' in done.stderr


@pytest.mark.parametrize(
    ("policy", "frames", "objects", "dropped"),
    [("drop", 19, [38], 1), ("disable", 20, [4, 6, 8], 0), ("stop", 2, [4], None)],
)
def test_what_happens_after_a_model_failed(headrace, models, tmp_path, policy, frames, objects, dropped):
    done = headrace(
        "run",
        SCENE,
        "--model",
        models("Third"),
        "--on-error",
        policy,
        "--summary",
        "s.json",
        "--detections",
        "d.jsonl",
    )
    assert done.returncode == (1 if policy == "stop" else 0), done.stderr
    summary = json.loads((tmp_path / "s.json").read_text())
    assert summary["frames"] == frames
    assert summary["sources"][0]["objects"] in objects  # what was under way when it failed is still finished
    if dropped is not None:
        assert summary["dropped"] == dropped
        assert "warning: infer: source 0 frame 2: ValueError: broken on purpose" in done.stderr
    else:
        assert "broken on purpose" in summary["error"]
    lines = [json.loads(line) for line in (tmp_path / "d.jsonl").read_text().splitlines()]
    assert len(lines) == frames


def test_a_password_in_an_address_is_never_shown(headrace, models, tmp_path):
    done = headrace(
        "run", "rtsp://admin:secret@127.0.0.1:1/cam", "--model", models("Two"), "-v", "--summary", "s.json",
        "--events", "e.jsonl",
    )  # fmt: skip
    assert done.returncode == 1
    assert "source0" in done.stderr
    assert "secret" not in done.stderr + (tmp_path / "s.json").read_text()
