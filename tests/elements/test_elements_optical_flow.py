"""nvof and nvofvisual in a pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np

from headrace.meta import MetaType

SOURCES = (
    "videotestsrc num-buffers=3 pattern=ball ! video/x-raw,format=NV12,width=160,height=120 ! m.sink_0"
    " videotestsrc num-buffers=3 pattern=black ! video/x-raw,format=NV12,width=160,height=120 ! m.sink_1"
    " nvstreammux name=m batch-size=2 width=160 height=120 batched-push-timeout=2000000"
)
OUT = "fakesink name=sink sync=false"


def test_every_frame_but_the_first_of_a_source_has_its_motion(run: Any) -> None:
    one = run(f"{SOURCES} ! nvof preset-level=1 ! {OUT}").to_end()
    flows: dict[int, list[Any]] = {0: [], 1: []}
    for frame in one.out.frames:
        found = [meta.data for meta in frame.user_meta_items(MetaType.OPTICAL_FLOW)]
        assert len(found) == (frame.frame_number > 0)
        flows[frame.source_id] += found
    assert [flow.frame_number for flow in flows[0]] == [1, 2]
    assert {(flow.rows, flow.cols) for flow in flows[0] + flows[1]} == {(30, 40)}
    assert max(np.abs(flow.vectors).max() for flow in flows[0]) > 1
    assert max(np.abs(flow.vectors).max() for flow in flows[1]) < 0.1


def test_motion_is_painted(run: Any) -> None:
    one = run(f"{SOURCES} ! nvof ! nvofvisual ! {OUT}").to_end()
    assert "format=(string)RGBA" in one.out.caps[0]
    shown = {
        (frame.source_id, frame.frame_number): surface.frame().planes[0]
        for batch in one.out.payloads
        for frame, surface in zip(batch.meta.frames, batch.surfaces, strict=True)
    }
    assert shown[0, 1].shape == (120, 160, 4)
    assert shown[0, 1][..., :3].max() > 40
    assert shown[1, 2][..., :3].max() < 10
