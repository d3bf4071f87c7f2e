"""Probes on pads, with errors that are seen."""

from __future__ import annotations

import weakref
from collections.abc import Callable

from gi.repository import Gst

from headrace.elements.base.filter import where
from headrace.errors import PipelineError
from headrace.flow.linking import pads_of
from headrace.flow.objects.operators import Probe
from headrace.gst.face import USER_ERRORS
from headrace.gst.threads import keep_thread_state
from headrace.meta.buffer import Buffer

#: Told of an error in user code: element, whose code and at which frame, error. Returns whether the buffer goes on.
Failed = Callable[[Gst.Element, str, BaseException], bool]


def attach_probe(element: Gst.Element, probe: Probe, tips: str, failed: Failed) -> None:
    """Call a probe for each buffer that leaves (or, for sinks, reaches) an element.

    Args:
        element: Where.
        probe: What is called, on the streaming thread.
        tips: Name of a pad; empty for the last source pad, or the sink pad of a sink.
        failed: A method told of errors. Neither it nor the probe is kept alive: the caller does that, because
            a pad that held them would hold the pipeline that holds the pad, which Python's collector cannot see.

    Raises:
        PipelineError: There is no such pad.
    """
    pad = _pad(element, tips)
    if pad is None:
        names = ", ".join(pad.get_name() for pad in pads_of(element)) or "none"
        name = element.get_name()
        raise PipelineError(
            f"Probe failure: element {name!r} has no pad {tips or 'to probe'!r}; pads: {names}", name
        )

    user, report = weakref.ref(probe), weakref.WeakMethod(failed)

    def on_buffer(pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        keep_thread_state()
        code, tell = user(), report()
        if code is None or tell is None:
            return Gst.PadProbeReturn.REMOVE
        buffer = Buffer(info.get_buffer())
        try:
            keep = code.handle(buffer)
        except USER_ERRORS as error:
            keep = tell(pad.get_parent_element(), place_of(code.name, buffer), error)
        return Gst.PadProbeReturn.OK if keep else Gst.PadProbeReturn.DROP

    pad.add_probe(Gst.PadProbeType.BUFFER, on_buffer)


def place_of(name: str, buffer: Buffer) -> str:
    """Whose code, and at which frame, for messages."""
    meta = buffer.batch_meta
    return f"probe {name!r}" + (f", {where(meta)}" if meta is not None else "")


def _pad(element: Gst.Element, tips: str) -> Gst.Pad | None:
    if tips:
        return element.get_static_pad(tips)
    pads = pads_of(element)
    sources = [pad for pad in pads if pad.direction == Gst.PadDirection.SRC]
    return (sources or pads or [None])[-1]
