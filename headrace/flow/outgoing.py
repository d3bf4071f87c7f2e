"""What user code made, as a GstBuffer for an appsrc."""

from __future__ import annotations

from gi.repository import Gst

from headrace.elements.caps import is_batch
from headrace.gst import payload
from headrace.meta.batch import Batch
from headrace.meta.buffer import Buffer


def gst_buffer(buffer: Buffer, caps: Gst.Caps | None) -> Gst.Buffer:
    """A new GstBuffer of a buffer that is not empty.

    Args:
        buffer: Bytes, or frames as `Tensor.wrap` makes them.
        caps: What the element that gets it promised: with ``memory:NVMM`` frames ride as a batch, otherwise the
            pixels of the first frame are copied.
    """
    batch, data = buffer._batch, buffer._bytes
    if batch is None:
        made = Gst.Buffer.new_wrapped(b"" if data is None else data.tobytes())
    elif caps is not None and is_batch(caps):
        made = Gst.Buffer.new()
        payload.attach(hash(made), batch)
    else:
        made = Gst.Buffer.new_wrapped(_pixels(batch))
    if buffer.timestamp != Gst.CLOCK_TIME_NONE:
        made.pts = buffer.timestamp
    return made


def _pixels(batch: Batch) -> bytes:
    return b"".join(plane.tobytes() for plane in batch.surfaces[0].frame().planes)
