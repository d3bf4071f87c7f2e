"""nvdsanalytics in a pipeline: what it writes, draws and says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from walker import WALKER

from headrace.errors import PipelineError
from headrace.flow import BatchMetadataOperator, Pipeline, Probe
from headrace.meta.user import MetaType

RULES = """
[property]
enable=1
config-width=1280
config-height=960
osd-mode={osd}
[roi-filtering-stream-0]
enable=1
roi-Left=0;0;400;0;400;960;0;960
[overcrowding-stream-0]
enable=1
roi-All=0;0;1280;0;1280;960;0;960
object-threshold=1
[line-crossing-stream-0]
enable=1
line-crossing-Gate=380;480;420;480;400;0;400;960
[direction-detection-stream-0]
enable=1
direction-East=100;480;400;480
"""


class Record(BatchMetadataOperator):
    """The analytics metas of each frame, and what is to be drawn."""

    def __init__(self) -> None:
        self.frames: list[Any] = []
        self.objects: list[Any] = []
        self.shapes: list[tuple[int, int, list[str]]] = []
        self.texts: list[str] = []

    def handle_metadata(self, batch_meta: Any) -> None:
        for frame in batch_meta.frame_items:
            self.frames += [m.data for m in frame.user_meta_items(MetaType.FRAME_ANALYTICS)]
            for found in frame.object_items:
                self.objects += [m.data for m in found.user_meta_items(MetaType.OBJ_ANALYTICS)] or [None]
                self.texts.append(found.text_params.display_text)
        displays = batch_meta.displays
        self.shapes.append(
            (
                sum(d.n_lines for d in displays),
                sum(d.n_arrows for d in displays),
                [text.display_text for d in displays for text in d.texts],
            )
        )


def play(folder: Path, rules: str, tracker: bool = True) -> Record:
    (folder / "walker.py").write_text(WALKER)
    config = folder / "rules.txt"
    config.write_text(rules)
    pipeline, record = Pipeline("analytics"), Record()
    pipeline.add("videotestsrc", "source", {"num-buffers": 60, "pattern": "black"})
    pipeline.add(
        "capsfilter", "caps", {"caps": "video/x-raw,format=I420,width=640,height=480,framerate=30/1"}
    )
    pipeline.add("nvstreammux", "mux", {"batch-size": 1})
    pipeline.add("hrinfer", "infer", {"model": f"{folder}/walker.py:Walker"})
    pipeline.add("nvtracker" if tracker else "identity", "tracker")
    pipeline.add("nvdsanalytics", "analytics", {"config-file": str(config)}).add("fakesink", "sink")
    pipeline.link("source", "caps").link(("caps", "mux"), ("", "sink_%u"))
    pipeline.link("mux", "infer", "tracker", "analytics", "sink")
    pipeline.attach("analytics", Probe("record", record)).start().wait()
    return record


def test_a_walker_is_counted(tmp_path: Path) -> None:
    record = play(tmp_path, RULES.format(osd=2))
    last = record.frames[-1]
    assert len(record.frames) == 60
    assert last.obj_lc_cum_cnt == {"Gate": 1}
    assert sum(frame.obj_lc_curr_cnt["Gate"] for frame in record.frames) == 1
    assert [frame.obj_in_roi_cnt["Left"] for frame in record.frames[10:]] == [1] * 15 + [0] * 35
    assert last.oc_status == {"All": True}
    assert last.obj_cnt == {0: 1}
    assert last.unique_id == 17
    statuses = [info.lc_status for info in record.objects if info and info.lc_status]
    assert statuses == [["Gate"]]
    assert record.objects[-1].dir_status == "East"
    assert record.objects[-1].oc_status == ["All"]
    assert any("LC:Gate" in text for text in record.texts)


@pytest.mark.parametrize(
    ("osd", "lines", "arrows", "texts"),
    [
        (0, 0, 0, []),
        (1, 9, 2, ["Left", "All", "Gate", "East"]),
        (2, 9, 2, ["Left=0", "All=1", "Gate=1", "East"]),
    ],
)
def test_what_is_drawn(tmp_path: Path, osd: int, lines: int, arrows: int, texts: list[str]) -> None:
    assert play(tmp_path, RULES.format(osd=osd)).shapes[-1] == (lines, arrows, texts)


def test_without_a_tracker_regions_count_and_lines_do_not(tmp_path: Path, caplog: Any) -> None:
    record = play(tmp_path, RULES.format(osd=1), tracker=False)
    assert record.frames[20].obj_in_roi_cnt["Left"] == 1
    assert record.frames[-1].obj_lc_cum_cnt == {"Gate": 0}
    assert "put nvtracker before" in caplog.text


@pytest.mark.parametrize(
    ("rules", "says"), [("[property]\n", "config-width"), ("nonsense", "rules.txt is not a key file")]
)
def test_a_broken_file_ends_the_start(tmp_path: Path, rules: str, says: str) -> None:
    with pytest.raises(PipelineError, match=says):
        play(tmp_path, rules)
