"""A live source that is opened again when nothing comes from it."""

from __future__ import annotations

import math
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

from gi.repository import Gst

from headrace.errors import SourceError

#: Text by which programs know this error.
EXCEEDED = "Reconnection attempts exceeded for all sources or EOS received."


class Reconnector:
    """Opens a source again after seconds without a frame, and after its errors and ends.

    Args:
        owner: The source: gets errors and warnings.
        reopen: Its method that opens the address anew; called on this object's thread.
        interval: Seconds without a frame before the source is opened again; 0 for never.
        first: The same before the first frame; 0 for ``interval``.
        attempts: How often in a row without a frame; -1 for ever.
    """

    def __init__(
        self, owner: Any, reopen: Callable[[], None], interval: float, first: float, attempts: int
    ) -> None:
        self._owner, self._reopen = weakref.ref(owner), weakref.WeakMethod(reopen)
        self._interval, self._first = interval or math.inf, first or interval or math.inf
        self._attempts = attempts
        self._probe = owner.guarded(self._passing, Gst.PadProbeReturn.OK)
        self._last: float | None = None
        self._tried = 0
        self._closed = threading.Event()
        self._opening = threading.RLock()
        self._reason = ""
        threading.Thread(target=self._watch, name="headrace-reconnect", daemon=True).start()

    def watch(self, pad: Gst.Pad) -> None:
        """Listen on the pad that frames go through; the source's end stops there."""
        pad.add_probe(Gst.PadProbeType.BUFFER | Gst.PadProbeType.EVENT_DOWNSTREAM, self._probe)

    def lost(self, reason: str) -> bool:
        """The source has failed or ended; returns whether it will be opened again."""
        if self._closed.is_set():
            return False
        self._reason = reason
        return True

    def close(self) -> None:
        """The run has ended: once this returns nothing is opened any more."""
        self._closed.set()
        with self._opening:
            pass

    def _passing(self, _pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        if info.type & Gst.PadProbeType.BUFFER:
            self._last, self._tried = time.monotonic(), 0
        elif info.get_event().type == Gst.EventType.EOS and self.lost("the stream ended"):
            return Gst.PadProbeReturn.DROP
        return Gst.PadProbeReturn.OK

    def _watch(self) -> None:
        opened, seen = time.monotonic(), False
        while not self._closed.wait(min(self._interval, self._first) / 4):
            seen = seen or self._last is not None
            patience = self._interval if seen else self._first
            if time.monotonic() - max(opened, self._last or opened) < patience:
                continue
            if not self._again():
                return
            opened = time.monotonic()

    def _again(self) -> bool:
        owner, reopen = self._owner(), self._reopen()
        if owner is None or reopen is None:
            return False
        if 0 <= self._attempts <= self._tried:
            owner.post_error(SourceError(EXCEEDED), self._reason)
            return False
        self._tried += 1
        owner.post_warning(
            f"{self._reason or 'nothing comes from the source'}: it is opened again ({self._tried})"
        )
        self._reason = ""
        with self._opening:
            # Opened after the end, it would play on in a source that has stopped.
            if self._closed.is_set():
                return False
            reopen()
        return True
