import json
import os
import sys
import time

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from headrace.bench import rounds
from headrace.bench.chart import write_chart
from headrace.bench.clips import bench_clip
from headrace.bench.comparison import Aim, Comparison
from headrace.bench.cpu import CpuOptions, Makers, plans
from headrace.bench.gpu_clip import long_clip
from headrace.bench.hollow import BOXES, hollow_onnx
from headrace.bench.peer_speed import PEER_LIST, peer_speed
from headrace.bench.report import Report
from headrace.bench.rounds import Contender, Measured, Use, measure, side_by_side
from headrace.bench.yolo import yolo_onnx
from headrace.cli.bench import command
from headrace.errors import ConfigError, HeadraceError

COUNTING = """
import signal, sys, time, numpy
signal.alarm(300)  # nobody waits for it any more
done = numpy.memmap(sys.argv[-1], "u8", "r+")
while True:
    time.sleep(0.01)
    done[0] += 1
"""
#: Counts to three, each time when the count before was seen; the last of all may not wait for that.
SEEN = """
import os, signal, sys, time, numpy
signal.alarm(300)
done, seen = numpy.memmap(sys.argv[-1], "u8", "r+"), numpy.memmap({seen!r}, "u8", "r")
for number in (1, 2, 3):
    done[0] = number
    while seen[0] < min(number, {waits}):
        time.sleep(0.001)
os._exit(0)
"""


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def clip(work):
    return bench_clip(work, 4, (320, 192))


@pytest.fixture(scope="module")
def makers(work, clip):
    """With a clip that nobody gets to the end of, even while whoever watches stands still for seconds."""
    with long_clip(clip, 60) as minute, long_clip(minute, 1200) as long:
        yield Makers(yolo_onnx(work / "yolo.onnx", open_size=True), long, "onnxruntime")


@pytest.fixture
def seen(tmp_path, monkeypatch):
    """A file with the number of frames of the contender that were last looked at."""
    path, mark = tmp_path / "seen", rounds._Watch._mark
    count = np.memmap(path, "u8", "w+", shape=1)

    def marked(watch, frames):
        found = mark(watch, frames)
        count[0] = frames
        return found

    monkeypatch.setattr(rounds._Watch, "_mark", marked)
    return str(path)


def program(name, text):
    return Contender(name, [sys.executable, "-c", text])


def measured(name, *fps, cpu=10.0, peak=300.0):
    return Measured(name, [Use(one, cpu, peak, 100) for one in fps])


def test_a_run_is_measured_from_outside():
    began = time.perf_counter()
    # And ended: it would go on for minutes.
    use = measure(program("steady", COUNTING), seconds=0.3, warm=0.05)
    whole = time.perf_counter() - began
    measured = use.frames / use.fps
    assert 0.299 < measured < whole
    assert 1 <= use.frames <= whole / 0.01
    assert 0 <= use.cpu_ms * use.frames <= 1000 * whole
    assert 5 < use.peak_mib < 200


def test_a_clip_that_ends_soon_counts_whole(seen):
    assert measure(program("short", SEEN.format(seen=seen, waits=3)), seconds=60, warm=60).frames == 2


def look_late(monkeypatch, count):
    """Look at this count of a contender when it has ended."""
    mark = rounds._Watch._mark

    def late(watch, frames):
        if frames == count:
            os.waitid(os.P_PID, watch._process.pid, os.WEXITED | os.WNOWAIT)
        return mark(watch, frames)

    monkeypatch.setattr(rounds._Watch, "_mark", late)


def test_a_contender_that_ends_with_its_last_frame_ends_the_run(seen, monkeypatch):
    look_late(monkeypatch, 3)
    assert measure(program("hasty", SEEN.format(seen=seen, waits=2)), seconds=60, warm=0).frames == 1


def test_a_contender_that_ends_before_it_is_seen_twice_has_no_speed(monkeypatch):
    look_late(monkeypatch, 3)
    with pytest.raises(HeadraceError, match="hasty counted 3 frames, too few to measure"):
        measure(
            program("hasty", "import sys, numpy; numpy.memmap(sys.argv[-1], 'u8', 'r+')[0] = 3"), seconds=60
        )


def test_a_contender_that_fails_tells_why_and_the_others_go_on():
    steady, broken = program("steady", COUNTING), program("broken", "raise SystemExit('no luck')")
    with pytest.raises(HeadraceError, match=r"broken counted no frames:\nno luck"):
        measure(broken, 1)
    told = []
    results = side_by_side([broken, steady], repeats=2, seconds=0.1, warm=0, progress=told.append)
    assert not results["broken"].rounds
    assert "no luck" in results["broken"].error
    assert len(results["steady"].rounds) == 2
    assert told[-1] == "round 2 of 2: steady"
    assert "round 2 of 2: broken" not in told


def comparison():
    results = [
        measured("loop", 60, 50, 40, cpu=20.0),
        measured("Headrace", 90, 100, 80, cpu=25.0, peak=460),
        measured("decode", 500, 500, 500, cpu=4.0),
        measured("work", 500, 500, 500, cpu=20.5),
        Measured("lost", (), "no such library"),
    ]
    aims = {"Headrace": Aim("loop", 1.5), "loop": Aim("Headrace", 2.5, inverse=True), "lost": Aim("loop")}
    return Comparison(
        "4 streams",
        results,
        aims,
        {"Headrace": ("Headrace", "decode", "work"), "lost": ("lost", "work")},
        ("Headrace",),
    )


def test_ratios_are_of_each_round():
    one = comparison()
    assert one.ratio("Headrace") == (2.0, 1.5, 2.0)
    assert one.ratio("loop") == (2.0, 1.5, 2.0)
    assert one.ratio("lost") is None
    assert one.ratio("decode") is None
    assert {whose: cost.median for whose, cost in one.own_costs().items()} == {"Headrace": pytest.approx(0.5)}


def test_the_report_has_ratios_aims_and_failures(tmp_path):
    report = Report({"CPU": "abacus"}, "headrace bench cpu", cpu=[comparison()])
    text = report.text()
    assert "2.00 (1.50–2.00) of loop" in text
    assert "≥ 1.5, ≤ 450 MiB" in text
    assert "Headrace: 2.00 (1.50–2.00) of it" in text
    assert "Headrace: 0.50 (0.50–0.50)." in text
    assert "lost failed: no such library" in text
    data = json.loads(json.dumps(report.data()))["cpu"][0]
    assert data["ratios"]["Headrace"] == [2.0, 1.5, 2.0]
    assert data["results"][0]["rounds"][0]["fps"] == 60
    report.write_chart(tmp_path / "chart.png")
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(HeadraceError, match=r"name it \.png"):
        write_chart(tmp_path / "chart.txt", [])


def test_clips_are_rendered_once(work, clip):
    stamp = clip.stat().st_mtime_ns
    assert bench_clip(work, 4, (320, 192)).stat().st_mtime_ns == stamp


@pytest.mark.parametrize("kind", ["all", "model", "prepare"])
def test_the_loop_by_hand_runs(makers, kind):
    assert measure(makers.expert("loop", 2, (320, 192), "f32", kind), 0.3, 0).fps > 0


def test_the_loop_by_hand_runs_with_openvino(makers):
    pytest.importorskip("openvino")
    makers = Makers(makers.model, makers.clip, "openvino")
    assert measure(makers.expert("loop", 2, (320, 192), "f32"), 0.3, 0).fps > 0


@pytest.mark.parametrize("kind", ["decode", "model", "infer", "events"])
def test_headrace_runs(makers, kind):
    hollow = Makers(hollow_onnx(makers.model.parent / "hollow.onnx", (320, 192)), makers.clip, "onnxruntime")
    assert measure(hollow.play("ours", 2, kind, "engine=onnxruntime threads=1"), 0.3, 0).fps > 0


def test_the_hollow_model_finds_boxes(tmp_path):
    from headrace.frames import Frame
    from headrace.infer import FrameBatch, load_model

    model = load_model(hollow_onnx(tmp_path / "hollow.onnx", (320, 192)))
    (result,) = model.results(FrameBatch([Frame.from_array(np.zeros((192, 320, 3), np.uint8), "RGB")]))
    model.close()
    assert len(result.detections) == BOXES


def test_plans_cover_streams_sizes_and_precisions(work, makers):
    options = CpuOptions(
        makers.model,
        makers.clip,
        (1, 4),
        ((320, 320), (640, 384)),
        ("f32", "bf16"),
        work=work,
        engine="openvino",
    )
    titles = [plan.title for plan in plans(options)]
    assert titles[:4] == [
        "1 stream, 320x320, f32, openvino",
        "1 stream, 320x320, bf16, openvino",
        "1 stream, 640x384, f32, openvino",
        "1 stream, 640x384, bf16, openvino",
    ]
    assert len(titles) == 12
    names = {name for plan in plans(options) for name in plan.aims}
    assert names <= {one.name for plan in plans(options) for one in plan.contenders}


def test_bench_peers_from_the_command_line(makers, work, tmp_path):
    app = typer.Typer()
    app.command()(command)
    options = ["peers", "--streams", "1", "--repeats", "1", "--seconds", "1"]
    options += ["--model", str(makers.model), "--clip", str(makers.clip), "--engine", "onnxruntime"]
    done = CliRunner().invoke(app, [*options, "--chart", str(tmp_path / "peers.png")])
    assert done.exit_code == 0, done.output
    assert "opencv: onnxruntime" in done.output
    assert "basetransform: full-size RGB" in done.output
    assert " failed: " not in done.output
    assert (tmp_path / "peers.png").stat().st_size > 1000


def test_peers_are_known_and_their_scripts_are_there(makers):
    from headrace.bench.cpu import PEERS

    assert all((PEERS / peer.script).exists() for peer in PEER_LIST)
    options = CpuOptions(makers.model, makers.clip, engine="onnxruntime")
    with pytest.raises(ConfigError, match="no peer nobody; there are opencv"):
        peer_speed(options, {"nobody": makers.model})


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--sizes", "640"], "write sizes such as"),
        (["--peer", "x"], "write for example"),
        (["--streams", "0"], "one"),
    ],
)
def test_wrong_options_are_refused(arguments, told):
    app = typer.Typer()
    app.command()(command)
    done = CliRunner().invoke(app, ["cpu", *arguments], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert told in done.output
