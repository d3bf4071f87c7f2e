"""hranalytics in a pipeline: events, messages and what programs read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from walker import WALKER

from headrace.errors import PipelineError
from headrace.flow import BatchMetadataOperator, Pipeline, Probe
from headrace.meta.user import MetaType

RULES = """
frame: [1280, 960]
site: hall
labels: [walker]
zones: {left: [[0, 0], [400, 0], [400, 960], [0, 960]]}
lines: {gate: [[400, 960], [400, 0]]}
rules:
  - {rule: zone}
  - {rule: line, classes: [walker]}
  - {rule: dwell, seconds: 0.4}
  - {rule: trajectory, points: 4}
  - {rule: mine.py:on_batch}
"""
MINE = """
def on_batch(batch):
    for seen in batch:
        for index in range(len(seen.ids)):
            if seen.frame_number == 20:
                seen.emit("twenty", index, left=bool(seen.inside("left")[index]), label=seen.labels[index])
"""


class Record(BatchMetadataOperator):
    def __init__(self) -> None:
        self.events: list[Any] = []
        self.frames: list[Any] = []
        self.ways: list[Any] = []
        self.statuses: list[str] = []
        self.shapes = 0

    def handle_metadata(self, batch_meta: Any) -> None:
        for frame in batch_meta.frame_items:
            self.events += [item.data for item in frame.user_meta_items(MetaType.ANALYTICS_EVENT)]
            self.frames += [item.as_nvdsanalytics_frame() for item in frame.nvdsanalytics_frame_items]
            self.ways += [item.data for item in frame.user_meta_items(MetaType.TRAJECTORIES)]
            for found in frame.object_items:
                self.statuses += [
                    item.as_nvdsanalytics_obj().obj_status for item in found.nvdsanalytics_obj_items
                ]
        self.shapes += len(batch_meta.displays)


def play(
    folder: Path, element: str, key: str, rules: str = RULES, payload: int = 1
) -> tuple[Record, list[Any]]:
    (folder / "walker.py").write_text(WALKER)
    (folder / "mine.py").write_text(MINE)
    (folder / "rules.yaml").write_text(rules)
    (folder / "msgconv.txt").write_text("[sensor0]\nenable=1\ntype=Camera\nid=door-cam\n")
    out = folder / "events.jsonl"
    out.unlink(missing_ok=True)
    pipeline, record = Pipeline("rules"), Record()
    pipeline.add("videotestsrc", "source", {"num-buffers": 60, "pattern": "black"})
    caps = "video/x-raw,format=I420,width=640,height=480,framerate=30/1"
    pipeline.add("capsfilter", "caps", {"caps": caps})
    pipeline.add("nvstreammux", "mux", {"batch-size": 1})
    pipeline.add("hrinfer", "infer", {"model": f"{folder}/walker.py:Walker"})
    pipeline.add("nvtracker", "tracker").add(element, "rules", {key: str(folder / "rules.yaml")})
    pipeline.add("nvmsgconv", "conv", {"payload-type": payload, "config": str(folder / "msgconv.txt")})
    pipeline.add("nvmsgbroker", "broker", {"proto-lib": "file", "conn-str": str(out)})
    pipeline.link("source", "caps").link(("caps", "mux"), ("", "sink_%u"))
    pipeline.link("mux", "infer", "tracker", "rules", "conv", "broker")
    pipeline.attach("rules", Probe("record", record)).start().wait()
    return record, [json.loads(line) for line in out.read_text().splitlines()]


@pytest.mark.parametrize(
    ("element", "key"), [("hranalytics", "config-file-path"), ("nvdsanalytics", "config-file")]
)
def test_what_a_walker_does(tmp_path: Path, element: str, key: str) -> None:
    record, messages = play(tmp_path, element, key)
    assert [event.type for event in record.events] == ["enter", "dwell", "twenty", "exit", "cross"]
    assert [message["event"]["type"] for message in messages] == ["enter", "dwell", "twenty", "exit", "cross"]
    cross = messages[4]
    assert cross["sensorId"] == "door-cam"
    event = cross["event"]
    assert (event["line"], event["direction"], event["site"]) == ("gate", "in", "hall")
    assert (event["object"], event["label"], event["count"]) == ("1", "walker", 1)
    assert messages[2]["event"]["left"] is True
    assert messages[2]["event"]["rule"] == "on_batch"
    assert record.frames[-1].obj_lc_cum_cnt == {"gate": 1}
    assert record.frames[10].obj_in_roi_cnt == {"left": 1}
    assert "ROI:left" in record.statuses
    assert record.ways[-1].points.shape == (1, 4, 2)
    assert record.shapes == 60


def test_a_replay_gives_the_same_ids(tmp_path: Path) -> None:
    first, second = (play(tmp_path, "hranalytics", "config-file-path", payload=0)[1] for _ in range(2))
    ids = [message["messageid"] for message in first]
    assert ids == [message["messageid"] for message in second]
    assert ids == [message["event"]["id"] for message in first]
    assert len(set(ids)) == 5


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("mine.py:on_batch", "mine.py:nothing", "nothing"),
        ("{rule: zone}", "{rule: zoen}", "did you mean 'zone'"),
        ("seen.frame_number", "seen.frame", "mine.py"),
    ],
)
def test_mistakes_end_the_pipeline_with_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, says: str
) -> None:
    monkeypatch.setitem(globals(), "MINE", MINE.replace(old, new))
    with pytest.raises(PipelineError, match=says):
        play(tmp_path, "hranalytics", "config-file-path", RULES.replace(old, new))
