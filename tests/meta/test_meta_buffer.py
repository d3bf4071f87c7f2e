"""Buffers: what is seen of a GstBuffer, and the way back to one."""

from __future__ import annotations

import gc
import logging
from typing import Any

import numpy as np
import pytest
from gi.repository import Gst, GstVideo

import headrace  # noqa: F401 - initialises GStreamer
from headrace.errors import FrameError
from headrace.frames import ColorFormat, Frame, Tensor
from headrace.frames.surface import SurfaceLayout, write_frame
from headrace.gst import payload
from headrace.gst.native import buffer_struct
from headrace.meta import Batch, BatchMetadata, osd
from headrace.meta.buffer import Buffer


def solid(format: Any, width: int = 6, height: int = 4, value: int = 100) -> Frame:
    frame = Frame.empty(format, width, height)
    for plane in frame.planes:
        plane[...] = value
    return frame


def gst_batch(*frames: Frame) -> Any:
    meta = BatchMetadata.new(len(frames))
    buffer = Gst.Buffer.new()
    buffer.pts = 40
    payload.attach(hash(buffer), Batch(meta, [write_frame(frame) for frame in frames]))
    return buffer


def plain(frame: Frame) -> Any:
    """A GstBuffer that is one frame, with GstVideoMeta."""
    buffer = Buffer(frame).to_gst(batch=False)
    kind = GstVideo.VideoFormat.from_string(frame.format)
    GstVideo.buffer_add_video_meta(buffer, GstVideo.VideoFrameFlags.NONE, kind, frame.width, frame.height)
    return buffer


@pytest.mark.parametrize("format", ["NV12", "I420", "RGB", "BGR", "RGBA", "BGRx", "GRAY8"])
@pytest.mark.parametrize("make", [gst_batch, plain])
def test_frames_of_every_format_come_as_rgb(format: Any, make: Any) -> None:
    buffer = Buffer(make(solid(format, value=128)))
    tensor = buffer.extract(0)
    assert (tensor.shape, tensor.dtype, tensor.format) == ((4, 6, 3), np.uint8, "HWC")
    assert abs(tensor.numpy().astype(int) - 128).max() <= 3
    assert (buffer.batch_size, bool(buffer)) == (1, True)
    frame = buffer.frame
    assert frame is not None
    assert (frame.format, frame.width, frame.height) == (format, 6, 4)


def test_writing_into_an_rgb_frame_of_a_batch_is_seen() -> None:
    made = gst_batch(solid("RGB"), solid("RGB"))
    Buffer(made).extract(1).numpy()[0, 0] = (1, 2, 3)
    assert Buffer(made).extract(1).numpy()[0, 0].tolist() == [1, 2, 3]
    assert Buffer(made).extract(0).numpy()[0, 0].tolist() == [100, 100, 100]
    assert (Buffer(made).batch_size, Buffer(made).timestamp, Buffer(made).frame) == (2, 40, None)
    with pytest.raises(FrameError, match="no frame 2 in a batch of 2"):
        Buffer(made).extract(2)


def test_a_plain_frame_is_only_read() -> None:
    tensor = Buffer(plain(solid("RGB"))).extract(0)
    assert not tensor.numpy().flags.writeable


def test_a_tensor_outlives_its_buffer() -> None:
    tensors = [Buffer(make(solid("RGB", value=77))).extract(0) for make in (gst_batch, plain)]
    gc.collect()
    churn = [Buffer(solid("RGB", value=9)) for _ in range(50)]
    assert all((tensor.numpy() == 77).all() for tensor in tensors)
    del churn


def test_a_plain_frame_needs_its_layout_when_it_does_not_say() -> None:
    made = Buffer(solid("NV12")).to_gst(batch=False)
    assert Buffer(made).extract(0).format == "N"
    layout = SurfaceLayout.dense("NV12", 6, 4)
    assert Buffer.at(hash(made), layout).extract(0).shape == (4, 6, 3)


def test_a_format_that_cannot_be_given_is_an_empty_tensor_and_an_error(caplog: Any) -> None:
    made = Gst.Buffer.new_allocate(None, 64, None)
    kind = GstVideo.VideoFormat.YUY2
    GstVideo.buffer_add_video_meta(made, GstVideo.VideoFrameFlags.NONE, kind, 4, 4)
    with caplog.at_level(logging.ERROR):
        assert not Buffer(made).extract(0)
    assert "NV12" in caplog.text


def test_data_that_is_no_picture_comes_as_bytes() -> None:
    made = Gst.Buffer.new_wrapped(b"hello")
    buffer = Buffer(made)
    assert (bytes(buffer.extract(0).numpy()), buffer.batch_size, buffer.batch_meta) == (b"hello", 1, None)
    assert not Buffer(Gst.Buffer.new()).extract(0)


@pytest.mark.parametrize("nothing", [None, 42, object(), "text"])
def test_other_objects_are_empty_buffers(nothing: Any) -> None:
    buffer = Buffer(nothing)
    assert (bool(buffer), buffer.batch_size, buffer.batch_meta, buffer.frame) == (False, 0, None, None)
    assert (buffer.timestamp, buffer.measure_latency(), buffer.get_chunk_id(0)) == (2**64 - 1, [], -1)
    with pytest.raises(FrameError, match="end of the stream"):
        buffer.to_gst()


def test_a_wrapped_tensor_goes_back_as_a_batch_of_one() -> None:
    pixels = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    made = Tensor(pixels).wrap(ColorFormat.RGB).to_gst()
    seen = Buffer(made)
    assert np.array_equal(seen.extract(0).numpy(), pixels)
    frame = next(seen.batch_meta.frame_items)
    assert (frame.pipeline_width, frame.pipeline_height, frame.source_width) == (7, 5, 7)
    assert buffer_struct(hash(made)).mini_object.refcount == 1, "an appsrc can have it for itself"


def test_plain_memory_lies_as_caps_say() -> None:
    pixels = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    made = Tensor(pixels).wrap(ColorFormat.RGB).to_gst(batch=False)
    data = np.frombuffer(made.extract_dup(0, made.get_size()), np.uint8)
    assert np.array_equal(data.reshape(5, 24)[:, :21].reshape(5, 7, 3), pixels)
    assert payload.find(hash(made)) is None


@pytest.mark.parametrize(
    "data", [b"0123456789ab" * 2, bytearray(24), list(range(24)), np.arange(24, dtype=np.uint8)]
)
def test_bytes_become_what_caps_say(data: Any) -> None:
    buffer = Buffer(data)
    assert buffer.to_gst().get_size() == 24
    framed = Buffer(buffer.to_gst(layout=SurfaceLayout.dense("RGB", 4, 2)))
    assert framed.extract(0).shape == (2, 4, 3)
    assert bytes(framed.extract(0).numpy().reshape(-1)) == bytes(data)
    with pytest.raises(FrameError, match="holds 24"):
        buffer.to_gst(layout=SurfaceLayout.dense("RGB", 40, 20))
    assert Buffer(b"").to_gst(layout=SurfaceLayout.dense("RGB", 4, 2)).get_size() == 0


def test_a_batch_is_handed_on_with_its_own_metadata() -> None:
    made = gst_batch(solid("RGB", value=1), solid("RGB", value=2))
    copy = Buffer(made).to_gst()
    seen = Buffer(copy)
    assert (seen.batch_size, seen.timestamp, copy.pts) == (2, 40, 40)
    seen.extract(1).numpy()[:] = 9
    seen.batch_meta.frames[0].append(seen.batch_meta.acquire_object_meta())
    assert Buffer(made).extract(1).numpy().max() == 2
    assert Buffer(made).batch_meta.frames[0].n_objects == 0


def test_latency_is_measured_where_the_environment_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    made = gst_batch(solid("RGB"), solid("RGB"))
    frames = Buffer(made).batch_meta.frames
    frames[1].arrival, frames[1].frame_number = 1, 8
    assert Buffer(made).measure_latency() == []
    monkeypatch.setenv("NVDS_ENABLE_LATENCY_MEASUREMENT", "1")
    ((told),) = Buffer(made).measure_latency()
    assert (told["source_id"], told["frame_num"]) == (1, 8)
    assert told["latency"] > 0


def test_chunks_are_named_by_an_extra() -> None:
    made = gst_batch(solid("RGB"))
    assert Buffer(made).get_chunk_id(0) == -1
    Buffer(made).batch_meta.frames[0].extras["chunk_id"] = 5
    assert (Buffer(made).get_chunk_id(0), Buffer(made).get_chunk_id(7)) == (5, -1)


def test_metadata_of_a_buffer_is_live() -> None:
    made = gst_batch(solid("RGB"))
    meta = Buffer(made).batch_meta
    display = meta.acquire_display_meta()
    display.add_text(osd.Text("x"))
    assert Buffer(made).batch_meta.displays == [display]
