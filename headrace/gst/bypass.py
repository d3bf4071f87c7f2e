"""Buffers that pass an element in C while Python has nothing to do with them."""

from __future__ import annotations

import ctypes
import threading
from typing import Any

from gi.repository import Gst

from headrace.gst.native import CHAIN_FUNCTION, gst

_PASS = ctypes.cast(gst.gst_proxy_pad_chain_default, CHAIN_FUNCTION)


class Bypass:
    """A wire between an element's sink and source pad, which buffers take while it is open.

    Python called for each frame costs little; but only one thread at a time runs Python, and a process with many
    sources has a streaming thread for each, all of which would wait for each other. Events and queries are not touched.

    The pads are ghost pads without targets. Inside of each is a proxy pad, and these two are linked: what the sink
    pad's own functions do not take goes from one to the other.

    Args:
        sink: Sink pad.
        source: Source pad.
        chain: The sink pad's chain function in Python, which buffers go to otherwise.

    Attributes:
        is_open: Whether buffers pass.
    """

    def __init__(self, sink: Gst.GhostPad, source: Gst.GhostPad, chain: Any) -> None:
        self._sink, self._chain = sink, chain
        sink.get_internal().link_full(source.get_internal(), Gst.PadLinkCheck.NOTHING)
        self._lock = threading.Lock()
        self.is_open = False

    def open(self) -> None:
        """Let buffers pass from the next one on; from any thread."""
        self._set(_PASS, True)

    def close(self) -> None:
        """Give buffers to the chain function again; from any thread."""
        self._set(self._chain, False)

    def _set(self, function: Any, is_open: bool) -> None:
        with self._lock:
            if self.is_open != is_open:
                gst.gst_pad_set_chain_function_full(hash(self._sink), function, None, None)
                self.is_open = is_open
