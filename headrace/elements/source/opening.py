"""A file that is opened but never gets to its first picture."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator

from gi.repository import Gst

from headrace.errors import SourceError

#: Seconds between two looks; a source is given up when both find nothing at work.
_PERIOD = 0.5


class OpeningWatch:
    """Reports a file source whose every thread has come to rest before a video stream was found.

    GStreamer's decodebin takes back errors that parts report while it is plugging them together. With a
    damaged file it may so lose the one error there is (seen with 1.22), and the pipeline would wait for ever.

    Args:
        opened: Tells whether a video stream has been found.
        owner: Face, a bin, that reports the error.
        part: Name in it of the element that opens the file; parts are added to that as it goes.
        address: The source, as messages name it.
    """

    def __init__(self, opened: Callable[[], bool], owner: Gst.Bin, part: str, address: str) -> None:
        self._owner, self._part = weakref.ref(owner), part
        self._opened = weakref.WeakMethod(opened)
        self._address = address
        self._closed = threading.Event()
        threading.Thread(target=self._watch, name="headrace-opening", daemon=True).start()

    def close(self) -> None:
        """The run has ended: look no more."""
        self._closed.set()

    def _watch(self) -> None:
        resting = 0
        while resting < 2:
            if self._closed.wait(_PERIOD):
                return
            owner, opened = self._owner(), self._opened()
            if owner is None or opened is None or opened():
                return
            part = owner.get_by_name(self._part)
            resting = 0 if part is None or any(_at_work(part)) else resting + 1
            del owner, opened, part  # not kept while waiting
        owner = self._owner()
        if owner is not None and not self._closed.is_set():
            text = "no video stream could be opened: the file is damaged or cut short"
            owner.post_error(SourceError(text), f"source {self._address}")


def _at_work(source: Gst.Bin) -> Iterator[bool]:
    elements = source.iterate_recurse()
    while True:
        result, element = elements.next()
        if result == Gst.IteratorResult.RESYNC:
            yield True  # parts come or go
            return
        if result != Gst.IteratorResult.OK:
            return
        yield any(pad.get_task_state() == Gst.TaskState.STARTED for pad in element.pads)
