"""User code that raises, returns nonsense, exits or never returns: named on the bus, and the process lives on."""

import json
import re
import subprocess
import sys
import textwrap
import time

import pytest
from chains import Chain, write_model
from waiting import wait_until

from headrace.errors import PipelineError
from headrace.flow import BatchMetadataOperator, BufferOperator, Probe

FRAMES = 60
BOX = "Detections([[10, 10, 50, 50]], [0.9], [0])"
FINDS = f"def infer(self, frames):\n    return [{BOX} for _ in frames]\n"
# Frames before the N-th are answered; from there on `then` happens.
COUNTS = f"""
count = 0
def infer(self, frames):
    self.count += 1
    if self.count > 20:
        {{then}}
    return [{BOX} for _ in frames]
"""


def infer(tmp_path, body, **options):
    return "hrinfer", {"model": write_model(tmp_path, body), "threads": 1, **options}


def test_a_model_that_finds_something(clip, tmp_path):
    played = Chain([clip], infer(tmp_path, FINDS)).play()
    assert played.error is None
    assert [len(seen.found) for seen in played.frames[0]] == [1] * FRAMES


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("def load(self, options):\n    raise RuntimeError('no licence')", "no licence"),
        ("def load(self, options):\n    raise SystemExit(3)", "SystemExit: 3"),
        ("def load(self, options):\n    raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("def __init__(self):\n    self.nothing.there", "nothing"),
        ("import nothing_of_this_name", "nothing_of_this_name"),
        ("def load(self, options)\n    pass", "SyntaxError"),
    ],
    ids=["raise", "exit", "interrupt", "init", "import", "syntax"],
)
def test_a_model_that_does_not_load_is_named(clip, tmp_path, body, says):
    element = infer(tmp_path, f"{FINDS}\n{body}")
    played = Chain([clip], element).play()
    assert played.error is not None
    assert played.error.element == "hrinfer"
    assert says in str(played.error)
    assert "model.py" in played.error.debug
    assert played.frames == {}


@pytest.mark.parametrize(
    ("then", "says"),
    [
        ("raise ValueError('bad weather')", "bad weather"),
        ("raise SystemExit('enough')", "enough"),
        ("import sys; sys.exit()", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("return None", "returned NoneType"),
        ("return []", "0 results for 1 frames"),
        ("return [None] * len(frames)", "expected headrace.Detections"),
        ("return [Detections([[0, 0, float('nan'), 9]])]", "not finite"),
        ("return [Detections([[0, 0, 9, 9]], [0.9], [7])]", "no label"),
        ("return [Detections([[0, 0, 9, 9]], [0.9], [-2])]", "negative"),
        ("return [Detections([[0, 0, 9, 9]], [0.9, 0.8])]", "2 entries for 1 boxes"),
    ],
)
def test_a_model_that_fails_at_a_frame_is_an_error_that_names_it(clip, tmp_path, then, says):
    played = Chain([clip], infer(tmp_path, COUNTS.format(then=then))).play()
    assert played.error is not None
    assert played.error.element == "hrinfer"
    assert says in str(played.error)
    assert "source 0 frame 20" in str(played.error)
    if "raise" in then:
        assert "Traceback" in played.error.debug
        assert "model.py" in played.error.debug
    assert [seen.number for seen in played.frames[0]] == list(range(20))


def test_a_batch_of_several_sources_names_them(clip, tmp_path):
    played = Chain([clip, clip], infer(tmp_path, COUNTS.format(then="raise ValueError('bad')"))).play()
    assert re.search(r"source 0 frame \d+", str(played.error))
    assert re.search(r"source 1 frame \d+", str(played.error))


def test_on_error_drop_goes_on_without_the_batch(clip, tmp_path):
    body = COUNTS.format(then="if self.count % 2: raise ValueError('odd one')")
    chain = Chain([clip], infer(tmp_path, body, **{"on-error": "drop"}))
    played = chain.play()
    assert played.error is None
    numbers = [seen.number for seen in played.frames[0]]
    assert numbers == [n for n in range(FRAMES) if n < 20 or n % 2]
    assert len(played.warnings()) == 20
    assert "source 0 frame 20" in played.warnings()[0].text
    assert "odd one" in played.warnings()[0].text
    assert "20 so far" in played.warnings()[-1].text
    assert sum(chain.pipeline["hrinfer"].element.dropped.values()) == 20


def test_on_error_disable_goes_on_without_the_model(clip, tmp_path):
    body = COUNTS.format(then="raise ValueError('worn out')")
    played = Chain([clip], infer(tmp_path, body, **{"on-error": "disable"})).play()
    assert played.error is None
    assert len(played.frames[0]) == FRAMES
    assert [len(seen.found) for seen in played.frames[0]] == [1] * 20 + [0] * (FRAMES - 20)
    assert "worn out" in played.warnings()[0].text
    assert "disabled" in played.warnings()[0].text


def test_an_unknown_policy_is_refused(clip, tmp_path):
    played = Chain([clip], infer(tmp_path, FINDS, **{"on-error": "ignore"})).play()
    assert played.error is not None
    assert "stop, drop, disable" in str(played.error)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("", "no model"),
        ("missing.onnx", "missing.onnx"),
        ("missing.py:Model", "missing.py"),
        ("no.such.module:Model", "no.such.module"),
    ],
)
def test_a_model_that_is_not_there_is_named(clip, model, says):
    played = Chain([clip], ("hrinfer", {"model": model})).play()
    assert played.error is not None
    assert played.error.element == "hrinfer"
    assert says in str(played.error)


def test_a_corrupt_model_file_is_named(clip, tmp_path):
    (tmp_path / "broken.onnx").write_bytes(bytes(range(256)) * 10)
    played = Chain([clip], ("hrinfer", {"model": str(tmp_path / "broken.onnx")})).play()
    assert played.error is not None
    assert played.error.element == "hrinfer"
    assert "broken.onnx" in str(played.error)
    assert played.error.debug == ""  # a mistake that the text explains needs no traceback


def test_a_wrong_number_of_labels_is_refused(clip, tmp_path):
    (tmp_path / "labels.txt").write_text("cat\ndog\n")
    played = Chain([clip], infer(tmp_path, FINDS, labels=str(tmp_path / "labels.txt"))).play()
    assert played.error is not None
    assert played.error.element == "hrinfer"
    assert "2" in str(played.error)
    assert "1 classes" in str(played.error)


class Raises(BatchMetadataOperator):
    def __init__(self, error):
        self.error, self.count = error, 0

    def handle_metadata(self, batch_meta):
        self.count += 1
        if self.count > 10:
            raise self.error


@pytest.mark.parametrize(
    "error", [ValueError("bad sum"), SystemExit("bad sum"), KeyboardInterrupt("bad sum")]
)
def test_a_probe_that_raises_is_an_error_of_its_element(clip, error):
    chain = Chain([clip])
    chain.pipeline.attach("mux", Probe("faulty", Raises(error)))
    played = chain.play()
    assert played.error is not None
    assert played.error.element == "mux"
    assert "faulty" in str(played.error)
    assert "bad sum" in str(played.error)
    assert "source 0 frame 10" in str(played.error)
    assert "handle_metadata" in played.error.debug


class Drops(BufferOperator):
    def handle_buffer(self, buffer):
        return False


def test_a_probe_that_drops_everything_still_lets_the_stream_end(clip):
    chain = Chain([clip])
    chain.pipeline.attach("mux", Probe("all", Drops()))
    assert chain.play().error is None


def events(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def published(path, **options):
    converter = ("nvmsgconv", {"payload-type": 1, "msg2p-newapi": True, "frame-interval": 1})
    return converter, ("nvmsgbroker", {"proto-lib": "file", "conn-str": str(path), "sync": False, **options})


def test_events_before_the_error_are_all_there(clip, tmp_path):
    converter, broker = published(tmp_path / "events.jsonl")
    body = COUNTS.format(then="raise ValueError('bad weather')")
    played = Chain([clip], infer(tmp_path, body), converter, sink=broker).play()
    assert played.error is not None
    found = events(tmp_path / "events.jsonl")
    assert [len(event["objects"]) for event in found] == [1] * 20


def test_a_killed_process_leaves_whole_lines(clip, tmp_path):
    path = tmp_path / "events.jsonl"
    # What is written was written before: the process is killed when there are lines that could be cut.
    there = f"while len(open({str(path)!r}).readlines()) < 15: time.sleep(0.01)"
    then = f"import os, time\n        {there}\n        os._exit(9)"
    program = f"""
        from pathlib import Path
        from chains import Chain
        import test_faults_user_code as t
        tmp = Path({str(tmp_path)!r})
        converter, broker = t.published({str(path)!r})
        body = t.COUNTS.format(then={then!r})
        Chain([{str(clip)!r}], t.infer(tmp, body), converter, sink=broker).play()
    """
    done = run_python(program)
    assert done.returncode == 9
    assert 15 <= len(events(path)) <= 20


def run_python(program):
    folders = [p for p in sys.path if p.endswith(("tests/faults", "tests/support"))]
    head = f"import sys; sys.path[:0] = {folders + [p for p in sys.path if p]!r}\n"
    return subprocess.run(
        [sys.executable, "-c", head + textwrap.dedent(program)],
        capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip


FOREVER = COUNTS.format(then="import time\n        while True: time.sleep(0.01)")


def test_a_model_that_never_returns_can_be_quit(clip, tmp_path):
    chain = Chain([clip], infer(tmp_path, FOREVER)).start()
    wait_until(lambda: len(chain.collect.frames.get(0, [])) == 20)
    chain.pipeline.stop()  # end of stream cannot pass the model
    chain.pipeline.quit()
    played = chain.wait()
    assert played.error is not None
    assert played.error.element == "hrinfer"
    assert "has not returned" in str(played.error)


def test_a_process_with_a_model_that_never_returns_can_end(clip, tmp_path):
    program = f"""
        from pathlib import Path
        import threading, time
        from chains import Chain
        import test_faults_user_code as t
        chain = Chain([{str(clip)!r}], t.infer(Path({str(tmp_path)!r}), t.FOREVER)).start()
        t.wait_until(lambda: len(chain.collect.frames.get(0, [])) == 20)
        chain.pipeline.quit()
        print(chain.wait().error)
    """
    done = run_python(program)
    assert done.returncode == 0, done.stderr
    assert "has not returned" in done.stdout


def test_a_probe_that_never_returns_is_reported_with_where_it_is(clip, monkeypatch):
    class Forever(BatchMetadataOperator):
        go_on, called = True, False

        def handle_metadata(self, batch_meta):
            self.called = True
            while self.go_on:
                time.sleep(0.01)

    monkeypatch.setattr("headrace.flow.pipeline._PATIENCE", 1.0)
    chain, forever = Chain([clip]), Forever()
    chain.pipeline.attach("mux", Probe("stuck", forever))
    chain.start()
    wait_until(lambda: forever.called)
    chain.pipeline.quit()
    played = chain.wait()
    forever.go_on = False
    assert isinstance(played.error, PipelineError)
    assert "has not returned" in str(played.error)
    assert "handle_metadata" in played.error.debug
