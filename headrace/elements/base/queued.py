"""The common part of bins that are a queue and an element with the same properties."""

from __future__ import annotations

from typing import Any, ClassVar

from gi.repository import GObject, Gst

from headrace.elements.base.filter import BATCH_TEMPLATES
from headrace.elements.base.parts import chain, make
from headrace.gst.face import Face


class Queued(Face, Gst.Bin):
    """Face of a queue with an element behind it, which so works on a thread of its own.

    A subclass names the element's factory as ``inner_factory`` and takes over its options and properties.
    """

    inner_factory: ClassVar[str] = ""
    __gsttemplates__ = BATCH_TEMPLATES

    def __init__(self) -> None:
        super().__init__()
        self.inner = make(self.inner_factory, "element")
        # Few: batches hold the decoders' frames.
        queue = make("queue", "queue", {"max-size-buffers": 4, "max-size-bytes": 0, "max-size-time": 0})
        chain(self, queue, self.inner)
        for name, part in (("sink", queue), ("src", self.inner)):
            target, pad_template = part.get_static_pad(name), self.template(name)
            self.add_pad(Gst.GhostPad.new_from_template(name, target, pad_template))

    def do_get_property(self, spec: GObject.ParamSpec) -> Any:
        """GObject vmethod: the element's own value."""
        return self.inner.get_property(spec.name)

    def do_set_property(self, spec: GObject.ParamSpec, value: Any) -> None:
        """GObject vmethod: the element checks and keeps it."""
        self.inner.set_property(spec.name, value)
