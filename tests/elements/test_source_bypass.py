"""nvurisrcbin's converter: in the way only where it has something to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gi.repository import Gst

MUX = "m.sink_0 nvstreammux name=m batch-size=1"
SINK = "fakesink name=sink sync=false"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    line = "videotestsrc num-buffers=30 ! video/x-raw,format=I420,width=64,height=48,framerate=25/1 ! x264enc"
    pipeline = Gst.parse_launch(f"{line} ! h264parse ! mp4mux ! filesink location={path}")
    pipeline.set_state(Gst.State.PLAYING)
    pipeline.get_bus().timed_pop_filtered(20 * Gst.SECOND, Gst.MessageType.EOS)
    pipeline.set_state(Gst.State.NULL)
    return path


def converted(one: Any) -> int:
    """How many buffers come to the converter."""
    return len(one.through)


def watch_converter(one: Any) -> Any:
    one.through = []

    def added(_bin: Any, _parent: Any, part: Any) -> None:
        if part.get_name() == "nvurisrc_bin_nvvidconv_elem":

            def count(*_: Any) -> Any:
                one.through.append(1)
                return Gst.PadProbeReturn.OK

            part.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, count)

    one.pipeline.connect("deep-element-added", added)
    return one


def test_frames_for_a_muxer_go_past_it(run: Any, clip: Path) -> None:
    one = watch_converter(run(f"nvurisrcbin name=s uri={clip} ! {MUX} ! {SINK}"))
    one.to_end()
    assert len(one.out.pts) == 30
    assert one["s"].bypass.active
    assert converted(one) == 0
    assert [frame.frame_number for frame in one.out.frames] == list(range(30))


def test_past_queues_and_in_a_second_run_too(run: Any, clip: Path) -> None:
    one = watch_converter(run(f"nvurisrcbin name=s uri={clip} ! queue ! {MUX} ! {SINK}"))
    one.to_end()
    one.to_end()
    assert len(one.out.pts) == 60
    assert converted(one) == 0


@pytest.mark.parametrize(
    "behind",
    [
        f"video/x-raw(memory:NVMM),format=RGBA ! {MUX} ! {SINK}",
        f"nvdsosd ! {SINK}",
        f"video/x-raw,format=NV12 ! videoconvert ! {SINK}",
        f"tee name=t t. ! queue ! {MUX} ! {SINK} t. ! queue ! nvdsosd ! fakesink sync=false",
    ],
)
def test_others_get_what_it_makes(run: Any, clip: Path, behind: str) -> None:
    one = watch_converter(run(f"nvurisrcbin name=s uri={clip} ! {behind}"))
    one.to_end()
    assert len(one.outputs["sink"].pts) == 30
    assert not one["s"].bypass.active
    assert converted(one) == 30


def test_it_is_back_when_the_source_is_linked_elsewhere(run: Any, clip: Path) -> None:
    one = run(f"nvurisrcbin name=s uri={clip} file-loop=true ! {MUX} ! {SINK}")
    one.play().wait(lambda: len(one.out.pts) > 5)
    source, mux = one["s"], one["m"]
    assert source.bypass.active
    pad, sink = source.get_static_pad("vsrc_0"), mux.get_static_pad("sink_0")
    gone = []

    def blocked(*_: Any) -> Any:
        pad.unlink(sink)
        gone.append(source.bypass.active)
        pad.link(sink)
        return Gst.PadProbeReturn.REMOVE

    pad.add_probe(Gst.PadProbeType.IDLE, blocked)
    seen = len(one.out.pts)
    one.wait(lambda: len(one.out.pts) > seen + 20)
    assert gone == [False]
    assert source.bypass.active
    one.stop()
    assert one.errors == []
