"""Attaching user code to elements: probes to pads, handlers to signals."""

from __future__ import annotations

from typing import Any

from gi.repository import Gst

from headrace.errors import PipelineError
from headrace.flow.objects.operators import Probe
from headrace.flow.objects.probing import Failed, attach_probe
from headrace.flow.objects.signals import SignalHandler


def attach_to(element: Gst.Element, what: Any, tips: str, failed: Failed, attached: dict[str, Any]) -> None:
    """Attach an object to an element.

    Args:
        element: Where.
        what: A Probe, Receiver, Feeder or other signal handler.
        tips: Name of a pad, or of signals joined by ``/``; empty for the usual one.
        failed: A method told of errors in user code.
        attached: What the element has already, by name; the object is added.

    Raises:
        PipelineError: The name is taken, the pad or signal does not exist, or the object is of another kind.
    """
    name = element.get_name()
    if not isinstance(what, Probe | SignalHandler):
        raise PipelineError(
            f"Unsupported object type {type(what).__name__} for {name!r}: attach a Probe, Receiver, Feeder or the "
            "name of a built-in object",
            name,
        )
    if what.name in attached:
        raise PipelineError(f"element {name!r} has an object named {what.name!r} already", name)
    if isinstance(what, Probe):
        attach_probe(element, what, tips, failed)
    else:
        what.connect(element, tips, failed)
    attached[what.name] = what
