"""A converter that is left out where it would only pass frames on: they go from C to C then, without Python."""

from __future__ import annotations

from gi.repository import Gst

from headrace.elements.base.negotiation import Understood
from headrace.gst.face import Face


class Bypass:
    """Leads a bin's frames past its converter for as long as what is behind takes them as they come.

    Whether that is so is looked at with the first frame after caps: in such a probe GStreamer lets pads be linked
    anew, and sends their sticky events again. The converter is put back when the outside is unlinked, and in front of
    caps that the outside does not take.

    Args:
        owner: The bin, which gets the errors.
        source: The source pad that is linked to the converter.
        converter: Has pads ``sink`` and ``src``.
        ghost: Shows the converter's source pad to the outside.
    """

    def __init__(self, owner: Face, source: Gst.Pad, converter: Gst.Element, ghost: Gst.GhostPad) -> None:
        self._source, self._ghost = source, ghost
        self._sink, self._out = converter.get_static_pad("sink"), converter.get_static_pad("src")
        self._first = owner.guarded(self._first_frame, Gst.PadProbeReturn.OK)
        self._due = False
        source.add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, owner.guarded(self._event, Gst.PadProbeReturn.OK))
        ghost.connect("linked", owner.guarded(self._linked))
        ghost.connect("unlinked", owner.guarded(self._unlinked))

    @property
    def active(self) -> bool:
        """Whether frames go past the converter now."""
        return bool(self._ghost.get_target() == self._source)

    def _event(self, _pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        event = info.get_event()
        if event.type == Gst.EventType.CAPS:
            if self.active and not self._suits(event.parse_caps()):
                self._restore()
            self._look_again()
        return Gst.PadProbeReturn.OK

    def _linked(self, _ghost: Gst.Pad, _peer: Gst.Pad) -> None:
        self._look_again()

    def _unlinked(self, _ghost: Gst.Pad, _peer: Gst.Pad) -> None:
        if self.active:
            self._restore()

    def _look_again(self) -> None:
        if not self._due:
            self._due = True
            self._source.add_probe(Gst.PadProbeType.BUFFER, self._first)

    def _first_frame(self, _pad: Gst.Pad, _info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        self._due = False
        caps = self._source.get_current_caps()
        if not self.active and caps is not None and self._suits(caps):
            self._source.unlink(self._sink)
            self._ghost.set_target(self._source)
        return Gst.PadProbeReturn.REMOVE

    def _suits(self, caps: Gst.Caps) -> bool:
        peer = self._ghost.get_peer()
        if peer is None or not peer.query_accept_caps(caps):
            return False
        behind = Understood.behind(self._ghost, caps)
        return behind.any_planes and behind.unbatched

    def _restore(self) -> None:
        self._ghost.set_target(self._out)
        self._source.link(self._sink)
