"""nvurisrcbin's converter: in the way only where it has something to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gi.repository import Gst

MUX = "m.sink_0 nvstreammux name=m batch-size=1"
SINK = "fakesink name=sink sync=false"


def converter(one: Any) -> Any:
    return one["s"].get_by_name("nvurisrc_bin_nvvidconv_elem")


def test_frames_for_a_muxer_go_past_it(run: Any, small_clip: Path) -> None:
    one = run(f"nvurisrcbin name=s uri={small_clip} ! {MUX} ! {SINK}")
    one.play().wait(lambda: len(one.out.pts) == 30)
    assert converter(one).bypass.is_open
    assert [frame.frame_number for frame in one.out.frames] == list(range(30))


def test_past_queues_and_in_a_second_run_too(run: Any, small_clip: Path) -> None:
    one = run(f"nvurisrcbin name=s uri={small_clip} ! queue ! {MUX} ! {SINK}")
    one.to_end()
    one.play().wait(lambda: len(one.out.pts) == 60)
    assert converter(one).bypass.is_open


@pytest.mark.parametrize(
    "behind",
    [
        f"video/x-raw(memory:NVMM),format=RGBA ! {MUX} ! {SINK}",
        f"nvdsosd ! {SINK}",
        f"video/x-raw,format=NV12 ! videoconvert ! {SINK}",
        f"tee name=t t. ! queue ! {MUX} ! {SINK} t. ! queue ! nvdsosd ! fakesink sync=false",
    ],
)
def test_others_get_what_it_makes(run: Any, small_clip: Path, behind: str) -> None:
    one = run(f"nvurisrcbin name=s uri={small_clip} ! {behind}")
    one.play().wait(lambda: len(one.outputs["sink"].pts) == 30)
    assert not converter(one).bypass.is_open


def test_it_is_back_when_something_is_set(run: Any, small_clip: Path) -> None:
    one = run(f"nvurisrcbin name=s uri={small_clip} file-loop=true ! {MUX} ! {SINK}")
    one.play().wait(lambda: len(one.out.pts) > 5)
    convert = converter(one)
    assert convert.bypass.is_open
    convert.set_property("flip-method", 2)
    seen = len(one.out.pts)
    one.wait(lambda: len(one.out.pts) > seen + 35)
    assert not convert.bypass.is_open
    one.stop()
    assert one.errors == []


def test_it_is_back_when_the_source_is_linked_elsewhere(run: Any, small_clip: Path) -> None:
    one = run(f"nvurisrcbin name=s uri={small_clip} file-loop=true ! {MUX} ! {SINK}")
    one.play().wait(lambda: len(one.out.pts) > 5)
    convert, pad = converter(one), one["s"].get_static_pad("vsrc_0")
    gone = []

    def blocked(*_: Any) -> Any:
        sink = pad.get_peer()
        pad.unlink(sink)
        pad.link(sink)
        gone.append(convert.bypass.is_open)
        return Gst.PadProbeReturn.REMOVE

    pad.add_probe(Gst.PadProbeType.IDLE, blocked)
    seen = len(one.out.pts)
    one.wait(lambda: len(one.out.pts) > seen + 20)
    assert gone == [False]
    assert convert.bypass.is_open
    one.stop()
    assert one.errors == []
