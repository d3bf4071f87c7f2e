"""What user code made, as a GstBuffer for an appsrc."""

from __future__ import annotations

from gi.repository import Gst

from headrace.elements.caps import is_batch, layout_of
from headrace.elements.conversion import single_frame
from headrace.gst import payload
from headrace.meta.batch import Batch
from headrace.meta.buffer import Buffer


def gst_buffer(buffer: Buffer, caps: Gst.Caps | None) -> Gst.Buffer:
    """A new GstBuffer of a buffer that is not empty.

    Args:
        buffer: Bytes, or frames as `Tensor.wrap` makes them.
        caps: What the element that gets it promised: with ``memory:NVMM`` frames ride as a batch, otherwise the
            pixels of the first frame are copied.

    Raises:
        FrameError: The caps promise frames that Headrace does not handle.
    """
    batch, data = buffer._batch, b"" if buffer._bytes is None else buffer._bytes.tobytes()
    if caps is None or not is_batch(caps):
        made = Gst.Buffer.new_wrapped(data if batch is None else _pixels(batch))
    elif batch is None and not data:
        return Gst.Buffer.new()
    else:
        made = Gst.Buffer.new()
        payload.attach(hash(made), batch if batch is not None else _batch_of(data, caps))
    if buffer.timestamp != Gst.CLOCK_TIME_NONE:
        made.pts = buffer.timestamp
    return made


def _pixels(batch: Batch) -> bytes:
    return b"".join(plane.tobytes() for plane in batch.surfaces[0].frame().planes)


def _batch_of(data: bytes, caps: Gst.Caps) -> Batch:
    """Bytes that are a picture as the caps say, as a batch of one."""
    return single_frame(hash(Gst.Buffer.new_wrapped(data)), layout_of(caps), None)
