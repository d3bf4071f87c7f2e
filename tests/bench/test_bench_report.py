import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from headrace.bench.chain import STAGES, launch_line, run
from headrace.bench.cost import StageCost, element_costs
from headrace.bench.memory import MemoryUse, memory_use
from headrace.bench.nullmodel import OBJECTS, PERIOD, SIZE, prepared
from headrace.bench.report import Report
from headrace.bench.secondary import secondary_throughput
from headrace.bench.statistics import Spread
from headrace.bench.swap import Gaps, ModelChange, SwapReport, swap_costs
from headrace.bench.tracking import SCENES, tracking_costs
from headrace.bench.views import ViewCost, view_costs
from headrace.cli.bench import command
from headrace.errors import HeadraceError, PipelineError
from headrace.infer.targets.tiles import TileOptions
from headrace.track import make_tracker


@pytest.fixture
def cli():
    app = typer.Typer()
    app.command()(command)
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


def test_spread_is_median_least_and_greatest():
    spread = Spread.of([4.0, 1.0, 9.0])
    assert spread == (4.0, 1.0, 9.0)
    assert str(spread.scaled(10)) == "40 (10–90)"
    assert str(Spread.of([0.25])) == "0.25 (0.25–0.25)"


def test_prepared_boxes_move_in_the_picture_and_keep_a_tracker_busy():
    tracker = make_tracker("cascade")
    ids = set()
    for found in prepared(seed=1) * 2:
        assert len(found) == OBJECTS
        assert found.xyxy.min() >= 0
        assert (found.xyxy[:, 2:] <= SIZE).all()
        ids.update(tracker.update(found).track_id.tolist())
    assert OBJECTS <= len(ids) < 2 * OBJECTS
    first, *_, last = prepared(seed=1)
    assert len(prepared(seed=1)) == PERIOD
    assert abs(first.xyxy - last.xyxy).max() < 25, "the round closes without a jump"


def test_where_boxes_flicker_more_tracks_wait_than_are_seen():
    tracks = {}
    for name, scene in SCENES.items():
        frames, tracker = scene(), make_tracker("cascade")
        for found in frames:
            tracker.update(found)
        tracks[name] = tracker.tracks / np.mean([len(found) for found in frames])
    assert tracks["steady"] == pytest.approx(1, abs=0.1)
    assert tracks["flickering"] > 1.4


def test_tracking_is_measured_for_every_size_and_scene():
    costs = tracking_costs([1, 3], frames=1, repeats=1)
    assert [(cost.batch_size, cost.boxes) for cost in costs] == [
        (size, name) for size in (1, 3) for name in SCENES
    ]
    assert all(cost.per_frame.median > 0 for cost in costs)


@pytest.mark.parametrize("stages", range(len(STAGES) + 1))
def test_every_chain_runs_to_its_end(stages):
    used = run(launch_line(stages, 2, 5))
    assert used.cpu > 0
    assert used.wall > 0


def test_a_failing_chain_is_no_measurement():
    with pytest.raises(PipelineError, match="no model"):
        run(launch_line(2, 1, 5).replace("model=headrace.bench.nullmodel:NullModel", ""))


def test_costs_name_every_stage_and_add_up():
    said = []
    costs = element_costs([2], frames=20, repeats=1, progress=said.append)
    assert [cost.stage for cost in costs] == [name for name, _ in STAGES]
    assert sum(cost.own.median for cost in costs) == pytest.approx(costs[-1].total.median)
    assert costs[-1].total_per_batch.median == pytest.approx(2 * costs[-1].total.median)
    assert said == ["batch size 2, round 0 of 1", "batch size 2, round 1 of 1"]


def test_memory_is_that_of_a_process_of_its_own():
    (use,) = memory_use([1], frames=5, repeats=1)
    assert 10 < use.before.median < use.after.median


def test_memory_of_a_failing_run_is_an_error(monkeypatch):
    monkeypatch.setattr("headrace.bench.memory._CHILD", "raise SystemExit('out of paper')")
    with pytest.raises(HeadraceError, match="measuring memory failed:\nout of paper"):
        memory_use([1], frames=5, repeats=1)


def test_views_are_walked_object_by_object():
    costs = view_costs(repeats=1)
    assert [cost.api for cost in costs][:1] == ["pyservicemaker"]
    assert {cost.objects for cost in costs} == {30 * OBJECTS}
    assert all(cost.per_object.low > 0 for cost in costs)


def test_views_of_pyds_are_walked_too(monkeypatch):
    class Node:
        def __init__(self, data, next=None):
            self.data, self.next = data, next

    thing = SimpleNamespace(
        class_id=1, object_id=2, confidence=0.5, obj_label="car", rect_params=SimpleNamespace(left=3)
    )
    frame = SimpleNamespace(obj_meta_list=Node(thing, Node(thing)))
    cast = SimpleNamespace(cast=lambda data: data)
    fake = SimpleNamespace(
        gst_buffer_get_nvds_batch_meta=lambda buffer: SimpleNamespace(
            frame_meta_list=Node(frame, Node(frame))
        ),
        NvDsFrameMeta=cast,
        NvDsObjectMeta=cast,
    )
    monkeypatch.setitem(sys.modules, "pyds", fake)
    assert [(cost.api, cost.objects) for cost in view_costs(repeats=1)] == [
        ("pyservicemaker", 600),
        ("pyds", 4),
    ]
    monkeypatch.setitem(sys.modules, "pyds", None)
    assert [cost.api for cost in view_costs(repeats=1)] == ["pyservicemaker"]


def test_the_report_names_machine_command_and_figures():
    spread = Spread(12.0, 11.0, 13.0)
    costs, memory = [StageCost("nvtracker", 4, spread, spread)], [MemoryUse(4, spread, spread)]
    views = [ViewCost("pyds", Spread(1.5, 1.25, 2.0), 600)]
    report = Report({"CPU": "abacus"}, "headrace bench", costs, memory, Spread(0.5, 0.4, 0.6), views)
    text = report.text()
    for part in (
        "`headrace bench`",
        "CPU abacus",
        "nvtracker",
        "48 (44–52)",
        "12 (11–13)",
        "0.50 (0.40–0.60) s",
        "| pyds | 600                  | 1.50 (1.25–2.00) |",
    ):
        assert part in text
    data = json.loads(json.dumps(report.data()))
    assert data["costs"][0] == {
        "stage": "nvtracker",
        "batch_size": 4,
        "own": [12, 11, 13],
        "total": [12, 11, 13],
    }
    assert data["startup"] == [0.5, 0.4, 0.6]


def test_the_command_prints_and_writes(cli, tmp_path):
    text, data = tmp_path / "r.md", tmp_path / "r.json"
    options = [
        "--batch-sizes",
        "1",
        "--frames",
        "5",
        "--repeats",
        "1",
        "--text",
        str(text),
        "--json",
        str(data),
    ]
    done = cli("elements", *options)
    assert done.exit_code == 0, done.output
    assert "nvmsgconv" in done.output
    assert "flickering" in done.output
    assert "nvmsgconv" in text.read_text(encoding="utf-8")
    assert len(json.loads(data.read_text(encoding="utf-8"))["costs"]) == len(STAGES)


def test_measuring_on_one_core_says_so():
    """In a process of its own: threads that are started meanwhile would stay on that core."""
    words = ["bench", "elements", "--cores", "1", "--batch-sizes", "1", "--frames", "5", "--repeats", "1"]
    program = [sys.executable, "-c", "from headrace.cli import main; main()"]
    done = subprocess.run([*program, *words], capture_output=True, text=True, check=True)
    assert "cores 1," in done.stdout


@pytest.mark.parametrize("sizes", ["many", "0", "1,,2"])
def test_wrong_sizes_are_refused(cli, sizes):
    done = cli("elements", "--batch-sizes", sizes)
    assert done.exit_code == 2
    assert "--batch-sizes" in done.output


def test_swaps_are_measured(monkeypatch):
    monkeypatch.setattr("headrace.bench.swap._PAUSE", 0.0)
    report = swap_costs(swaps=1, quiet=0.0)
    assert report.quiet.disordered == report.swapping.disordered == 0
    assert report.quiet.batches >= 5
    assert report.quiet.longest >= report.quiet.median > 0
    (change,) = report.changes
    assert change.swaps == 1
    assert change.load.median > 0
    assert change.longest.median > 0
    assert report.swapping.longest >= report.swapping.median > 0
    assert set(report.memory) == {1}


def test_swaps_are_reported():
    quiet, swapping = Gaps(200, 0, 0, 33.3, 34.0, 35.0, 0), Gaps(300, 1, 0, 33.3, 36.0, 41.0, 2)
    change = ModelChange("small", 3, Spread(40, 30, 50), Spread(35, 34, 41))
    report = Report(
        {"CPU": "one"}, "headrace bench swap", swap=SwapReport(quiet, swapping, [change], {20: 250.4})
    )
    lines = [" ".join(line.replace("|", " ").split()) for line in report.text().splitlines()]
    assert "without swaps 200 0 0 33.3 34.0 35.0 0" in lines
    assert "with swaps 300 1 0 33.3 36.0 41.0 2" in lines
    assert "small 3 40 (30–50) 35 (34–41)" in lines
    assert "Resident: 250 MiB after 20 swaps." in lines
    assert report.data()["swap"]["changes"][0]["model"] == "small"


def test_objects_and_tiles_are_measured_against_a_plain_loop(monkeypatch):
    monkeypatch.setattr("headrace.bench.secondary._LARGE", TileOptions((1920, 2160), 0, whole=False))
    cases = secondary_throughput(repeats=1, threads=1, seconds=0.0)
    assert [case.pictures for case in cases] == [4, 16, 64, 8]
    assert all(min(case.packed.low, case.plain.low, case.ratio.low) > 0 for case in cases)
    text = Report({}, "headrace bench secondary", secondary=cases).text()
    assert "| objects of 1080p frames, 16 in each |" in text
