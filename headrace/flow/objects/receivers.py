"""Receiver: hands the buffers that reach an appsink to user code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gi.repository import Gst

from headrace.elements.base.caps import FRAME_CAPS, layout_of
from headrace.flow.objects.operators import BufferRetriever
from headrace.flow.objects.signals import SignalHandler
from headrace.meta.buffer import Buffer


class Receiver(SignalHandler):
    """Answers ``new-sample`` of an ``appsink`` whose ``emit-signals`` is set.

    Args:
        name: Unique on its element.
        retriever: The user code; called on the streaming thread, kept alive.

    Raises:
        TypeError: The retriever is of another kind.

    Example:
        >>> Receiver("take", BufferRetriever()).name
        'take'
    """

    def __init__(self, name: str, retriever: Any) -> None:
        if not isinstance(retriever, BufferRetriever):
            raise TypeError(f"receiver {name!r} needs a BufferRetriever, not {type(retriever).__name__}")
        super().__init__(name)
        self.retriever = retriever

    def handlers(self) -> Mapping[str, Callable[..., Any]]:
        """Answers ``new-sample``."""
        return {"new-sample": self._new_sample}

    def set(self, properties: Mapping[str, Any], name: str = "") -> None:
        """Set properties of the user code."""
        self.retriever.set(properties, name or self.name)

    def after_error(self, keep: bool) -> Any:
        """Whether the stream goes on."""
        return Gst.FlowReturn.OK if keep else Gst.FlowReturn.ERROR

    def _new_sample(self, sink: Gst.Element) -> Gst.FlowReturn:
        sample = sink.emit("pull-sample")
        if sample is None:
            return Gst.FlowReturn.EOS
        caps = sample.get_caps()
        layout = layout_of(caps) if caps is not None and FRAME_CAPS.can_intersect(caps) else None
        result = self.retriever.consume(Buffer.at(hash(sample.get_buffer()), layout))
        return self.after_error(result is None or result >= 0)
