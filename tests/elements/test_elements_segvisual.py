"""nvsegvisual: size, format and colours of what comes out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gi.repository import Gst

from headrace.draw import class_color
from headrace.gst import payload
from headrace.meta import MetaType, Segmentation, UserMetadata

SOURCE = (
    "videotestsrc num-buffers=2 pattern=white ! video/x-raw,format=RGB,width=64,height=48"
    " ! m.sink_0 nvstreammux name=m batch-size=1 ! identity name=i"
)
OUT = "fakesink name=sink sync=false"


def segmented(one: Any) -> Any:
    """Attach a class map, left half class 3, to each frame where it passes the identity."""

    def attach(_pad: Any, info: Any) -> Any:
        classes = np.full((6, 8), -1, np.int32)
        classes[:, :4] = 3
        batch = payload.find(hash(info.get_buffer()))
        batch.meta.frames[0].append(UserMetadata(MetaType.SEGMENTATION, Segmentation(1, classes)))
        return Gst.PadProbeReturn.OK

    one["i"].get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, attach)
    return one


def picture(one: Any) -> np.ndarray:
    [surface] = one.out.payloads[0].surfaces
    return surface.frame().planes[0]


COLOR = np.array(class_color(3)) * 255


def test_classes_are_painted_in_the_size_that_was_set(run: Any) -> None:
    one = segmented(run(f"{SOURCE} ! nvsegvisual width=128 height=96 batch-size=1 ! {OUT}")).to_end()
    assert "format=(string)RGBA" in one.out.caps[0]
    assert "width=(int)128" in one.out.caps[0]
    shown = picture(one)
    assert shown.shape == (96, 128, 4)
    np.testing.assert_allclose(shown[50, 10], COLOR, atol=1)
    assert shown[50, 100].tolist() == [0, 0, 0, 255]


def test_the_frame_is_the_background_if_wanted(run: Any) -> None:
    one = segmented(run(f"{SOURCE} ! nvsegvisual original-background=true alpha=0.5 ! {OUT}")).to_end()
    shown = picture(one)
    np.testing.assert_allclose(shown[20, 5, :3], (COLOR[:3] + 255) / 2, atol=2)
    assert shown[20, 60].tolist() == [255, 255, 255, 255]


def test_frames_without_a_segmentation_show_what_was_filmed(run: Any) -> None:
    one = run(f"{SOURCE} ! nvsegvisual width=32 height=24 ! {OUT}").to_end()
    assert picture(one)[10, 10].tolist() == [255, 255, 255, 255]


@pytest.mark.parametrize("format", ["NV12", "I420", "RGB"])
def test_downstream_may_want_another_format(run: Any, format: str) -> None:
    caps = f"video/x-raw(memory:NVMM),format={format}"
    one = segmented(run(f"{SOURCE} ! nvsegvisual ! {caps} ! {OUT}")).to_end()
    assert one.out.payloads[0].surfaces[0].layout.format == format


def test_the_metadata_stays(run: Any) -> None:
    one = segmented(run(f"{SOURCE} ! nvsegvisual ! {OUT}")).to_end()
    assert [next(frame.segmentation_items).data.width for frame in one.out.frames] == [8, 8]
    assert len(one.out.pts) == 2
