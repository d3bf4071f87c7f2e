"""How many frames come in a batch: asked upstream before the first comes, and answered by the muxer."""

from __future__ import annotations

from typing import Any

from gi.repository import Gst

from headrace.gst.structures import structure_of

_QUERY = "headrace-batch"
_FRAMES = "frames"


def ask_batch_size(pad: Gst.Pad) -> int:
    """The greatest number of frames in a batch that comes to a sink pad, 0 where nobody upstream knows.

    May be asked as soon as the pads are linked, in any state.
    """
    query = Gst.Query.new_custom(Gst.QueryType.CUSTOM, Gst.Structure.new_empty(_QUERY))
    if not pad.peer_query(query):
        return 0
    return int(structure_of(query).get_value(_FRAMES) or 0)


def asks_batch_size(query: Gst.Query) -> bool:
    """Whether a query is what `ask_batch_size` sends."""
    if query.type != Gst.QueryType.CUSTOM:
        return False
    structure = structure_of(query)
    return structure is not None and structure.get_name() == _QUERY


def answer_batch_size(query: Gst.Query, frames: int) -> None:
    """Write the answer into a query that `asks_batch_size`."""
    held: Any = query.writable_structure()
    # A structure up to GStreamer 1.24, a context manager around it from 1.26 on.
    structure = held if isinstance(held, Gst.Structure) else held.__enter__()
    structure.set_value(_FRAMES, frames)
    if structure is not held:
        held.__exit__(None, None, None)
