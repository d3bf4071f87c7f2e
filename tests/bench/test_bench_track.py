"""headrace bench track: from files of detections to results, scores and frames per second."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from headrace.bench.track import bench_track, read_sequences
from headrace.cli import app
from headrace.errors import ConfigError
from headrace.track import TrackerOptions


def write_sequence(folder: Path, name: str = "WALK", frames: int = 30) -> None:
    """Two people who walk past each other: detections and truth."""
    rows, truth = [], []
    for n in range(1, frames + 1):
        for person, x in ((1, 10 + 5 * n), (2, 300 - 5 * n)):
            rows.append(f"{n},-1,{x},{50 * person},30,80,0.9,-1,-1,-1")
            truth.append(f"{n},{person},{x},{50 * person},30,80,1,-1,-1,-1")
    (folder / "det").mkdir(exist_ok=True)
    (folder / "det" / f"{name}.txt").write_text("\n".join(reversed(rows)) + "\n")
    there = folder / "gt" / "MOT15-train" / name / "gt"
    there.mkdir(parents=True)
    (there / "gt.txt").write_text("\n".join(truth) + "\n")


def test_results_have_the_benchmarks_format_and_every_rate_is_told(tmp_path: Path) -> None:
    write_sequence(tmp_path)
    report = bench_track(
        tmp_path / "det", tmp_path / "out", "cascade", TrackerOptions(probation_age=0), None, streams=3
    )
    rows = np.loadtxt(tmp_path / "out" / "WALK.txt", delimiter=",")
    assert rows.shape == (60, 10)
    assert set(rows[:, 1]) == {1, 2}
    assert rows[0, 0] == 1
    assert report.scores == {}
    assert min(report.rates["WALK"], report.rates["all"], report.together) > 0
    assert "| WALK | 30 |" in report.text()
    assert "3 streams in a batch" in report.text()


def test_perfect_tracks_score_a_hundred(tmp_path: Path) -> None:
    pytest.importorskip("trackeval")
    write_sequence(tmp_path)
    write_sequence(tmp_path, "STROLL", 20)
    options = TrackerOptions(probation_age=0)
    report = bench_track(tmp_path / "det", tmp_path / "out", "cascade", options, tmp_path / "gt", streams=2)
    for name in ("WALK", "STROLL", "all"):
        assert report.scores[name]["HOTA"] == pytest.approx(100, abs=3)
        assert report.scores[name]["IDSW"] == 0


def test_the_command_prints_a_table(tmp_path: Path) -> None:
    write_sequence(tmp_path)
    told = CliRunner().invoke(
        app, ["bench", "track", "--detections", str(tmp_path / "det"), "--results", str(tmp_path / "out")]
    )
    assert told.exit_code == 0, told.output
    assert "| cascade | frames | frames/s |" in told.output


@pytest.mark.parametrize(
    ("arguments", "needles"),
    [
        (["--results", "{t}/out"], ["--detections"]),
        (["--detections", "{t}/none", "--results", "{t}/out"], ["none", "MOT format"]),
        (["--detections", "{t}/bad.txt", "--results", "{t}/out"], ["bad.txt", "MOT format"]),
        (
            ["--detections", "{t}/det", "--results", "{t}/out", "--tracker", "cascad"],
            ["did you mean 'cascade'"],
        ),
    ],
)
def test_mistakes_are_told(tmp_path: Path, arguments: list[str], needles: list[str]) -> None:
    write_sequence(tmp_path)
    (tmp_path / "bad.txt").write_text("1,2,three\n")
    told = CliRunner().invoke(app, ["bench", "track", *(part.format(t=tmp_path) for part in arguments)])
    assert told.exit_code != 0
    assert all(needle in told.output for needle in needles), told.output


def test_without_trackeval_the_way_to_get_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trackeval", None)
    write_sequence(tmp_path)
    with pytest.raises(ConfigError, match=r"pip install headrace\[eval\]"):
        bench_track(
            tmp_path / "det", tmp_path / "out", "cascade", TrackerOptions(), tmp_path / "gt", streams=1
        )
    assert not hasattr(np, "float"), "NumPy is left as it was"


def test_both_layouts_are_read_and_frames_are_counted_from_one(tmp_path: Path) -> None:
    write_sequence(tmp_path)
    other = tmp_path / "mot" / "SEQ-1" / "det"
    other.mkdir(parents=True)
    (other / "det.txt").write_text("3,-1,1,2,3,4,0.5\n1,-1,1,2,3,4,nan\n")
    frames = read_sequences(tmp_path / "mot")["SEQ-1"]
    assert [len(found) for found in frames] == [1, 0, 1]
    (other / "det.txt").write_text("0,-1,1,2,3,4,0.5\n")
    with pytest.raises(ConfigError, match="numbered from 1"):
        read_sequences(tmp_path / "mot")
