"""A payload's life on a buffer: attached, found, forked with copies, freed with the buffer."""

from __future__ import annotations

import ctypes
import gc
import weakref

import pytest
from gi.repository import Gst
from memory_growth import growth
from waiting import wait_until

from headrace.gst import payload
from headrace.gst.buffer import BufferRef
from headrace.gst.native import gst
from headrace.meta.batch import Batch, BatchMetadata
from headrace.meta.detections import Detections

# Without it ctypes would cut addresses to 32 bits, which holds for the main thread's heap only.
gst.gst_buffer_copy_deep.restype = ctypes.c_void_p
gst.gst_buffer_copy_deep.argtypes = [ctypes.c_void_p]

VIDEO = "video/x-raw,format=I420,width=64,height=48,framerate=25/1"


class Rider:
    """A payload that can be watched."""

    def __init__(self, generation: int = 0) -> None:
        self.generation = generation

    def fork(self) -> Rider:
        return Rider(self.generation + 1)


def with_rider(size: int = 16) -> tuple[BufferRef, weakref.ref[Rider]]:
    rider = Rider()
    buffer = BufferRef.allocate(size)
    buffer.address = payload.attach(buffer.address, rider)
    return buffer, weakref.ref(rider)


def test_a_payload_is_found_and_freed_exactly_with_its_buffer() -> None:
    buffer, alive = with_rider()
    assert payload.find(buffer.address) is alive()
    second = BufferRef.of(buffer.address)
    del buffer
    assert alive() is not None
    del second
    assert alive() is None


def test_a_buffer_without_payload_has_none() -> None:
    assert payload.find(BufferRef.allocate(4).address) is None


def test_attaching_again_replaces_and_detaching_frees() -> None:
    buffer, first = with_rider()
    second = Rider()
    buffer.address = payload.attach(buffer.address, second)
    assert first() is None
    assert payload.find(buffer.address) is second
    payload.detach(buffer.address)
    assert payload.find(buffer.address) is None


def test_attaching_to_a_shared_buffer_leaves_the_other_holder_alone() -> None:
    buffer, first = with_rider()
    other = BufferRef.of(buffer.address)
    buffer.address = payload.attach(buffer.steal(), Rider(7))
    assert buffer.address != other.address
    assert payload.find(other.address) is first()
    assert payload.find(buffer.address).generation == 7  # type: ignore[union-attr]


@pytest.mark.parametrize("copy", ["share", "deep"])
def test_a_copy_has_a_fork_of_its_own(copy: str) -> None:
    buffer, first = with_rider()
    copied = buffer.share() if copy == "share" else BufferRef(gst.gst_buffer_copy_deep(buffer.address))
    rider = payload.find(copied.address)
    assert rider is not first()
    assert rider.generation == 1  # type: ignore[union-attr]
    alive = weakref.ref(rider)
    del rider, buffer
    assert first() is None
    assert alive() is not None
    del copied
    assert alive() is None


def test_a_copied_batch_has_tables_of_its_own() -> None:
    meta = BatchMetadata.new(1)
    meta.frames[0].add_detections(Detections([[0, 0, 9, 9]], [0.5], [1]))
    buffer = BufferRef.allocate(4)
    buffer.address = payload.attach(buffer.address, Batch(meta))
    second = buffer.share()
    copied = payload.find(second.address)
    assert isinstance(copied, Batch)
    next(copied.meta.frames[0].object_items).rect_params.left = 5
    assert next(meta.frames[0].object_items).rect_params.left == 0


def test_a_fork_that_fails_leaves_a_valid_copy_without_payload(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def fork(self) -> Broken:
            raise RuntimeError("no fork today")

    buffer = BufferRef.allocate(4)
    buffer.address = payload.attach(buffer.address, Broken())
    copied = buffer.share()
    assert payload.find(copied.address) is None
    assert "no fork today" in caplog.text


@pytest.mark.parametrize(
    "chain",
    [
        "queue",
        "tee name=t t. ! queue ! fakesink t. ! queue",
        "videoconvert ! video/x-raw,format=RGB",
        "videoscale ! video/x-raw,width=32,height=24",
        "videoconvert ! x264enc tune=zerolatency",
        "queue ! videoconvert ! video/x-raw,format=NV12 ! videoscale ! video/x-raw,width=96 ! queue",
    ],
)
def test_a_payload_survives(chain: str) -> None:
    pipeline = Gst.parse_launch(
        f"videotestsrc num-buffers=5 ! {VIDEO} ! identity name=in ! {chain} ! appsink name=out sync=false"
    )
    attached: list[weakref.ref[Rider]] = []

    def attach(_pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        rider = Rider()
        attached.append(weakref.ref(rider))
        # The probe's wrapper holds the buffer too; the payload is set where it is.
        payload._set(hash(info.get_buffer()), rider)
        return Gst.PadProbeReturn.OK

    pipeline.get_by_name("in").get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, attach)
    pipeline.set_state(Gst.State.PLAYING)
    found = []
    out = pipeline.get_by_name("out")
    while (sample := out.emit("try-pull-sample", 60 * Gst.SECOND)) is not None:
        found.append(payload.find(hash(sample.get_buffer())))
        del sample
    pipeline.set_state(Gst.State.NULL)
    assert len(found) == 5
    assert all(isinstance(rider, Rider) for rider in found)
    forks = [weakref.ref(rider) for rider in found]
    found.clear()
    del pipeline, out
    assert len(attached) == 5
    # A thread of GStreamer's that has brought the pipeline to PLAYING may let go of it last.
    wait_until(lambda: gc.collect() >= 0 and not any(ref() for ref in attached + forks), 60)


@pytest.mark.parametrize("what", ["payloads", "batches"])
def test_payloads_that_come_and_go_keep_memory_flat(what: str) -> None:
    assert growth(what) < 2_000_000
