"""Frames of ordinary elements in a bin, called `memory:NVMM` to the outside."""

from __future__ import annotations

from gi.repository import Gst, GstVideo

from headrace.elements.base.caps import with_cuda, with_feature
from headrace.gst.face import Face

_FIRST = Gst.CapsIntersectMode.FIRST


class NvmmOutput:
    """Renames the caps of a bin's source pad; buffers pass from C to C, untouched.

    The pad is a ghost pad. Inside of it is a proxy pad that hears what the bin's last element says and asks: that
    one speaks of plain frames, the ghost pad of the same frames with DeepStream's feature.

    Args:
        owner: The bin, which gets the errors.
        ghost: Its source pad.

    Attributes:
        takes_cuda: Whether frames in CUDA memory may come, too, which get the same name.
    """

    def __init__(self, owner: Face, ghost: Gst.GhostPad) -> None:
        self._ghost = ghost
        self._named = ghost.get_pad_template_caps()
        self.takes_cuda = False
        event, query = owner.guarded(self._event, False), owner.guarded(self._query, False)
        inner = ghost.get_internal()
        inner.set_event_function_full(lambda pad, _parent, subject: bool(event(pad, subject)))
        inner.set_query_function_full(lambda pad, _parent, subject: bool(query(pad, subject)))
        outer = owner.guarded(self._outer_query, False)
        ghost.set_query_function_full(lambda pad, _parent, subject: bool(outer(pad, subject)))

    def _event(self, inner: Gst.Pad, event: Gst.Event) -> bool:
        if event.type == Gst.EventType.CAPS:
            renamed = Gst.Event.new_caps(with_feature(event.parse_caps(), batch=True))
            return bool(self._ghost.push_event(renamed))
        return bool(inner.event_default(self._ghost, event))

    def _outer_query(self, ghost: Gst.Pad, query: Gst.Query) -> bool:
        if query.type != Gst.QueryType.CAPS:
            return bool(ghost.query_default(ghost.get_parent(), query))
        made = with_feature(ghost.get_internal().peer_query_caps(self._plain(self._named)), batch=True)
        wanted = query.parse_caps()
        query.set_caps_result(made if wanted is None else wanted.intersect_full(made, _FIRST))
        return True

    def _query(self, inner: Gst.Pad, query: Gst.Query) -> bool:
        if query.type == Gst.QueryType.CAPS:
            wanted = query.parse_caps()
            allowed = self.allowed()
            if wanted is not None:
                allowed = wanted.intersect_full(allowed, _FIRST)
            query.set_caps_result(allowed)
        elif query.type == Gst.QueryType.ACCEPT_CAPS:
            query.set_accept_caps_result(query.parse_accept_caps().is_subset(self._plain(self._named)))
        elif query.type == Gst.QueryType.ALLOCATION:
            # Whoever takes this feature is an element of ours, and those find planes wherever they lie.
            query.add_allocation_meta(GstVideo.video_meta_api_get_type(), None)
        else:
            return bool(inner.query_default(self._ghost, query))
        return True

    def allowed(self) -> Gst.Caps:
        """Plain frames that whoever is behind the pad takes under the other name."""
        outside = self._ghost.peer_query_caps(None)
        return self._plain(outside.intersect_full(self._named, _FIRST))

    def _plain(self, named: Gst.Caps) -> Gst.Caps:
        return with_cuda(named) if self.takes_cuda else with_feature(named, batch=False)
