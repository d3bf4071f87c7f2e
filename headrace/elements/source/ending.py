"""How a source ended: without a picture, before its time, or as it should."""

from __future__ import annotations

import weakref

from gi.repository import Gst

from headrace.errors import SourceError
from headrace.gst.face import Face

#: A file that ends by more than this part of its length before its end was cut short; indexes are not exact.
_SLACK = 0.05


class EndWatch:
    """Looks at the end of stream of a source, on a pad behind its decoder.

    A source that has not delivered one frame is an error; one that ends long before the end that its header
    names is warned of. A source that was asked to stop is neither.

    Args:
        owner: Face of the source; gets `post_error` and `post_warning`.
        pad: A sink pad, before any queue.
        address: The source, as messages name it.
    """

    def __init__(self, owner: Face, pad: Gst.Pad, address: str) -> None:
        self._owner, self._pad = weakref.ref(owner), pad
        self._address = address
        self._first_probe = owner.guarded(self._first, Gst.PadProbeReturn.REMOVE)
        self.reset()
        pad.add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, owner.guarded(self._event, Gst.PadProbeReturn.OK))

    def reset(self) -> None:
        """Begin a new run."""
        self._any = self._told = self.asked = False
        self._pad.add_probe(Gst.PadProbeType.BUFFER, self._first_probe)

    def _first(self, _pad: Gst.Pad, _info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        self._any = True
        return Gst.PadProbeReturn.REMOVE

    def _event(self, pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        owner = self._owner()
        if (
            info.get_event().type == Gst.EventType.EOS
            and owner is not None
            and not (self.asked or self._told)
        ):
            self._told = True  # once, however often a file is started again
            self._judge(owner, pad)
        return Gst.PadProbeReturn.OK

    def _judge(self, owner: Face, pad: Gst.Pad) -> None:
        if not self._any:
            text = "no frame could be decoded: the file is damaged or cut short"
            owner.post_error(SourceError(text), f"source {self._address}")
            return
        known, length = pad.peer_query_duration(Gst.Format.TIME)
        told, reached = pad.peer_query_position(Gst.Format.TIME)
        if known and told and 0 < reached < length * (1 - _SLACK):
            seconds = f"{reached / Gst.SECOND:.1f} s of {length / Gst.SECOND:.1f} s"
            owner.post_warning(f"source {self._address} ended after {seconds}: the file is cut short")
