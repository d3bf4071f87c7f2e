"""Python thread states of GStreamer's streaming threads."""

from __future__ import annotations

import ctypes
import sys
import threading

#: Seconds after which a busy Python thread lets others run. With CPython's 5 ms one busy thread delays each
#: streaming callback by 22 ms (median); with 0.5 ms by 0.7 ms.
SWITCH_INTERVAL = 0.0005

_kept = threading.local()
_ensure = ctypes.pythonapi.PyGILState_Ensure


def keep_thread_state() -> None:
    """Keep the calling thread's Python thread state for the thread's whole life.

    A callback into Python from a foreign thread otherwise creates and destroys a thread state each time
    (12.8 µs, and 50 µs with eight threads); one reference more, never given back, makes it 1.5 µs.
    Call it first thing in every function that GStreamer calls on a streaming thread.
    """
    if not getattr(_kept, "done", False):
        _kept.done = True
        _ensure()
        shorten_switch_interval()


def is_streaming(thread: threading.Thread) -> bool:
    """Whether a thread is GStreamer's: Python did not start it, and stands a dummy in for it."""
    return thread.name.startswith("Dummy-")


def shorten_switch_interval() -> None:
    """Let streaming threads get the GIL within `SWITCH_INTERVAL` seconds; done for each thread."""
    if sys.getswitchinterval() > SWITCH_INTERVAL:
        sys.setswitchinterval(SWITCH_INTERVAL)
