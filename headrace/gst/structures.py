"""Structures of caps, events and messages, on every version of GStreamer's Python overrides."""

from __future__ import annotations

from typing import Any

from gi.repository import Gst


def structure_of(holder: Any, *index: int) -> Any:
    """The structure of an event or message (or ``None``), or the one at an index of caps.

    ``get_structure`` gives the structure itself up to GStreamer 1.24, and a context manager around it from 1.26 on.

    Args:
        holder: Caps, event, query or message.
        *index: For caps, which structure.
    """
    found = holder.get_structure(*index)
    if found is None or isinstance(found, Gst.Structure):
        return found
    inner = found.__enter__()
    # A copy: inside the manager it is a bare pointer into the holder, who may be gone by the time it is used.
    return None if inner is None else inner.copy()
