"""Branches that share a batch, and pipelines that are started and freed many times."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
from gi.repository import Gst
from memory_growth import growth
from waiting import wait_until

from headrace.gst import payload

BATCHES = (
    "videotestsrc num-buffers={n} pattern=white ! video/x-raw,format={f},width=64,height=48"
    " ! m.sink_0 nvstreammux name=m"
)


WRITERS = [
    "nvdsosd",
    "nvvideoconvert ! video/x-raw(memory:NVMM),format=RGBA",
    "nvvideoconvert ! video/x-raw(memory:NVMM),format=NV12,width=32,height=32",
    "nvvideoconvert ! video/x-raw,format=I420",
    "nvstreamdemux name=d d.src_0 ! nvdsosd",
    "nvmultistreamtiler width=128 height=96 ! nvdsosd",
]


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("pixels", ["NV12", "RGB"])
def test_a_writer_on_one_branch_is_not_seen_on_the_other(
    run: Any, model: Any, writer: str, pixels: str
) -> None:
    boxes = model(
        "def infer(self, frames):\n    return [Detections([[4, 4, 60, 40]], [0.9], [0])] * len(frames)"
    )
    tracker = "! nvtracker" if "video/x-raw,format" not in writer else ""
    one = run(
        BATCHES.format(n=4, f=pixels) + f" ! hrinfer model={boxes} ! tee name=t"
        f" t. ! queue ! {writer} {tracker} ! fakesink name=changed sync=false"
    )
    queue = Gst.ElementFactory.make("queue")
    sink = Gst.ElementFactory.make("fakesink", "plain")
    sink.set_property("sync", False)
    one.pipeline.add(queue)
    one.pipeline.add(sink)
    assert one["t"].link(queue)
    assert queue.link(sink)
    one.record(sink, hold=True)  # what nobody holds any more may be changed in place
    one.to_end()
    plain = one.outputs["plain"]
    assert len(plain.payloads) == len(one.outputs["changed"].payloads) == 4
    for batch, other in zip(plain.payloads, one.outputs["changed"].payloads, strict=True):
        assert batch.meta is not other.meta
        (frame,) = batch.meta.frames
        (found,) = list(frame.object_items)
        assert (found.rect_params.left, found.rect_params.width) == (4, 56)
        assert found.object_id == 2**64 - 1
        picture = batch.surfaces[0].frame()
        assert (picture.format, picture.width, picture.height) == (pixels, 64, 48)
        assert np.unique(picture.planes[0]).size == 1, "the other branch drew on these pixels"


def test_payloads_are_freed_when_the_pipeline_is(run: Any) -> None:
    one = run(BATCHES.format(n=5, f="NV12") + " ! nvtracker ! nvdsosd ! fakesink sync=false")
    alive: list[weakref.ref[Any]] = []

    def note(_pad: Any, info: Any) -> Any:
        batch: Any = payload.find(hash(info.get_buffer()))
        alive.append(weakref.ref(batch.surfaces[0].buffer))
        return Gst.PadProbeReturn.OK

    one["m"].get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, note)
    one.to_end()
    one.out.payloads.clear()
    assert len(alive) == 5
    assert [ref() for ref in alive] == [None] * 5


ALL = (
    "hrsimsrc scene=sim://crossroad?frames=2&width=64&height=48 ! m.sink_0"
    " nvstreammux name=m batch-size=1 ! hrinfer model={model} ! nvtracker ! nvdslogger"
    " ! nvmsgconv payload-type=1 msg2p-newapi=true ! nvmultistreamtiler width=64 height=48"
    " ! nvdsosd ! tee name=t t. ! queue ! nvvideoconvert ! video/x-raw,format=RGB ! fakesink sync=false"
    " t. ! queue ! nvstreamdemux name=d d.src_0 ! nvmsgbroker proto-lib=file conn-str={out} sync=false"
)


def cycle(line: str, gone: list[int]) -> None:
    """Start, play and free a pipeline; adds to the list for each of its elements that is freed."""
    pipeline = Gst.parse_launch(line)
    for element in [*pipeline.children]:
        element.weak_ref(gone.append, 1)
    del element
    pipeline.set_state(Gst.State.PLAYING)
    bus = pipeline.get_bus()
    message = bus.timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    assert message is not None
    assert message.type == Gst.MessageType.EOS, message.parse_error()
    pipeline.set_state(Gst.State.NULL)


@pytest.fixture
def no_collector() -> Any:
    """Nothing is freed by Python's collector, which comes when it likes: there are no cycles."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_every_element_is_freed(model: Any, tmp_path: Any, no_collector: Any) -> None:
    line = ALL.format(
        model=model("def infer(self, frames):\n    return [Detections.empty() for _ in frames]"),
        out=tmp_path / "e",
    )
    children = len(Gst.parse_launch(line).children)
    gone: list[int] = []
    for _ in range(3):
        cycle(line, gone)
    # A thread of GStreamer's that has brought the pipeline to PLAYING may let go of it last.
    wait_until(lambda: len(gone) == 3 * children, 60)


def test_1000_runs_keep_memory_flat() -> None:
    assert growth("pipelines") < 3_000_000


@pytest.mark.parametrize(("element", "name"), [("nvstreammux", "sink_0"), ("nvstreamdemux", "src_0")])
@pytest.mark.parametrize("released", [True, False])
def test_pads_of_sources_that_left_are_freed(
    element: str, name: str, released: bool, no_collector: Any
) -> None:
    pipeline = Gst.Pipeline()
    owner = Gst.ElementFactory.make(element)
    pipeline.add(owner)
    pad = owner.request_pad_simple(name)
    gone: list[str] = []
    pad.weak_ref(gone.append, name)
    if released:
        owner.release_request_pad(pad)
    else:
        del owner, pipeline
    del pad
    assert gone == [name]


@pytest.mark.parametrize("again", [3])
def test_a_pipeline_can_run_again(run: Any, model: Any, tmp_path: Any, again: int) -> None:
    one = run(
        ALL.format(
            model=model("def infer(self, frames):\n    return [Detections.empty() for _ in frames]"),
            out=tmp_path / "e",
        )
    )
    for n in range(1, again + 1):
        one.to_end()
        assert len(one.out.pts) == 2 * n
        assert one.out.pts[-2] == 0
    assert [frame.frame_number for frame in one.out.frames] == [0, 1] * again
