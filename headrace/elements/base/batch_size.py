"""How many frames come in a batch: asked upstream before the first comes, and answered by the muxer."""

from __future__ import annotations

from gi.repository import GObject, Gst

from headrace.gst.native import GValue, gobject, gst_quick
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
    # The binding gives a copy of the structure, up to GStreamer 1.24.
    structure = gst_quick.gst_query_writable_structure(hash(query))
    value = GValue()
    gobject.g_value_init(value, hash(GObject.TYPE_INT))
    gobject.g_value_set_int(value, frames)
    gst_quick.gst_structure_take_value(structure, _FRAMES.encode(), value)
