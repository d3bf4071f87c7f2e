"""Settings of elements elsewhere in the pipeline, as the control interface asks for them."""

from __future__ import annotations

from typing import Any

from gi.repository import Gst

from headrace.errors import SourceError

_ENCODERS = ("nvv4l2h264enc", "nvv4l2h265enc")


def set_in_pipeline(inside: Gst.Element, kind: str, name: str, value: Any) -> None:
    """Set a property of all elements of a kind.

    Args:
        inside: An element of the pipeline.
        kind: Name of a factory, or ``encoder`` for all of those.
        name: The property.
        value: Its value; text is parsed for any type.

    Raises:
        SourceError: The pipeline has no such element.
    """
    factories = _ENCODERS if kind == "encoder" else (kind,)
    top = inside
    while (parent := top.get_parent()) is not None:
        top = parent
    found = [element for element in _all_in(top) if element.get_factory().get_name() in factories]
    if not found:
        raise SourceError(f"there is no {kind} in the pipeline")
    for element in found:
        if element.find_property(name) is None:
            raise SourceError(f"{element.get_name()} has no property {name}")
        Gst.util_set_object_arg(element, name, str(value))


def _all_in(bin: Gst.Element) -> list[Gst.Element]:
    found: list[Gst.Element] = []
    iterator = bin.iterate_recurse()
    while True:
        step, element = iterator.next()
        if step == Gst.IteratorResult.RESYNC:
            found.clear()
            iterator.resync()
        elif step != Gst.IteratorResult.OK:
            return found
        elif element.get_factory() is not None:
            found.append(element)
