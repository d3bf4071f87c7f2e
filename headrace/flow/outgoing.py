"""What user code made, as a GstBuffer for an appsrc."""

from __future__ import annotations

from gi.repository import Gst

from headrace.elements.caps import is_batch, layout_of
from headrace.meta.buffer import Buffer


def gst_buffer(buffer: Buffer, caps: Gst.Caps | None) -> Gst.Buffer:
    """A new GstBuffer of a buffer that is not empty.

    Args:
        buffer: Bytes, or frames as `Tensor.wrap` makes them.
        caps: What the element that gets it promised: with ``memory:NVMM`` frames ride as a batch, otherwise plainly.

    Raises:
        FrameError: The caps promise frames that Headrace does not handle, or more bytes than there are.
    """
    if caps is None or not is_batch(caps):
        return buffer.to_gst(batch=False)
    return buffer.to_gst(layout=layout_of(caps))
