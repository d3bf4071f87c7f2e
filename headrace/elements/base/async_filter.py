"""Filters whose work overlaps with everything else: submit a batch, then finish the older one."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any, Protocol

from gi.repository import Gst

from headrace.elements.base.filter import Filter
from headrace.gst import payload
from headrace.gst.buffer import BufferRef
from headrace.gst.face import USER_ERRORS
from headrace.gst.native import FLOW_EOS, FLOW_FLUSHING, FLOW_OK, make_writable
from headrace.meta.batch import Batch
from headrace.profiling import span

#: Batches between submission and output. One runs while the one before it is written and pushed.
IN_FLIGHT = 2
#: Batches of files: one more waits, as the time of neither half is always the same.
_OF_FILES = 3


class Pending(Protocol):
    """Work that was submitted, as a `concurrent.futures.Future` is."""

    def result(self) -> Any:
        """Wait for it."""
        ...

    def done(self) -> bool:
        """Whether `result` would return or raise at once."""
        ...

    def cancel(self) -> bool:
        """Give it up if it has not begun."""
        ...

    def add_done_callback(self, call: Callable[[Any], Any]) -> None:
        """Call when it is done, on any thread."""
        ...


@dataclass(slots=True)
class _Item:
    """A batch on its way, or an event that must keep its place among the batches."""

    buffer: BufferRef | None = None
    batch: Batch | None = None
    pending: Pending | None = None
    event: Gst.Event | None = None
    error: BaseException | None = None
    frames: int = 0
    since: float = 0.0  # when work on it began, and nothing before it was waited for any more

    def ready(self) -> bool:
        """Whether nothing has to be waited for."""
        return self.pending is None or self.pending.done()


class AsyncFilter(Filter):
    """A filter in two halves, `submit` on the streaming thread and `finish` on the source pad's own.

    Batches and serialized events leave in the order in which they came; end of stream comes after the last
    batch. Of live sources `IN_FLIGHT` batches are between the halves, so that none waits for long; of files, which
    lose nothing by waiting, three, and more if they have fewer than `wanted_frames` together. What there is no room
    for is not put into batches, but waits in front of the muxer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.live = False
        lock = threading.Lock()
        self._first_ready, self._room = threading.Condition(lock), threading.Condition(lock)
        self._items: deque[_Item] = deque()
        self._finishing: list[int] = []  # frames of the batch that is finished and pushed
        self._first = True
        self._flow = FLOW_FLUSHING
        self.run_task(self.src_pad, self._loop, self._activated)

    def submit(self, batch: Batch) -> Pending | None:
        """Begin work on a batch; ``None`` when there is nothing to do for it."""
        raise NotImplementedError

    def finish(self, batch: Batch, pending: Any) -> None:
        """Wait for what `submit` returned and write its result into the batch."""
        raise NotImplementedError

    def wanted_frames(self) -> int:
        """Frames between the halves that keep whoever works on them busy."""
        return 0

    @property
    def is_busy(self) -> bool:
        """Whether something that was submitted has not come back yet; any thread may ask."""
        with self._room:
            return not all(item.ready() for item in self._items)

    def _activated(self, active: bool) -> None:
        self._first = True
        self._reset(FLOW_OK if active else FLOW_FLUSHING)

    def _reset(self, flow: int) -> None:
        """Go on with this flow value; what waits is given up, freed after the lock."""
        with self._room:
            self._flow = flow
            given_up, self._items = self._items, deque()
            self._room.notify_all()
            self._first_ready.notify_all()
        for item in given_up:
            if item.pending is not None:
                item.pending.cancel()

    def _in_flight(self) -> list[int]:
        """Frames of each batch between submission and output."""
        return [item.frames for item in self._items if item.buffer is not None] + self._finishing

    def _has_room(self) -> bool:
        """Whether another batch may be submitted."""
        frames = self._in_flight()
        if self.live or len(frames) < IN_FLIGHT:
            return len(frames) < IN_FLIGHT
        return len(frames) < _OF_FILES or sum(frames) < self.wanted_frames()

    def _wait_for_room(self) -> int:
        if self._first:
            self._first, latency = False, Gst.Query.new_latency()
            self.live = bool(self.sink_pad.peer_query(latency) and latency.parse_latency()[0])
        with self._room:
            while self._flow == FLOW_OK and not self._has_room():
                self._room.wait()
            return self._flow

    def _put(self, item: _Item) -> int:
        with self._room:
            if self._flow != FLOW_OK:
                return self._flow
            pending = item.pending
            self._items.append(item)
        # The other thread is woken when there is something to do for it, not before: each time costs.
        if pending is not None:
            pending.add_done_callback(self._wake)
        else:
            self._wake()
        return FLOW_OK

    def _wake(self, _pending: Any = None) -> None:
        with self._first_ready:
            if self._items and self._items[0].ready():
                self._first_ready.notify()

    def _chain(self, _pad: Gst.Pad, buffer: int) -> int:
        item = _Item(held := BufferRef(make_writable(buffer)))
        flow = self._wait_for_room()
        if flow != FLOW_OK:
            return flow
        batch = payload.find(held.address)
        if isinstance(batch, Batch) and not self.disabled:
            item.batch, item.frames = batch, len(batch.meta.frames)
            started = time.perf_counter()
            try:
                with span(self, batch.meta.frames, "submit"):
                    item.pending = self.submit(batch)
            except USER_ERRORS as error:  # handled in its place among the batches, by `failed`
                item.error = error
            item.since = time.perf_counter()
            self.busy_seconds += item.since - started
        flow = self._put(item)
        # Frames are chosen for a batch when there is room for it, not before: live ones would grow old here.
        return self._wait_for_room() if flow == FLOW_OK else flow

    def handle_event(self, pad: Gst.Pad, event: Gst.Event) -> bool:
        """Serialized events wait for the batches before them; a flush gives those up."""
        if event.type == Gst.EventType.FLUSH_START:
            self._reset(FLOW_FLUSHING)
            result = bool(self.src_pad.push_event(event))
            self.src_pad.pause_task()  # waits for the turn under way: nothing old comes after the flush
            return result
        if event.type == Gst.EventType.FLUSH_STOP:
            result = bool(self.src_pad.push_event(event))
            self._reset(FLOW_OK)
            self.restart_task(self.src_pad)
            return result
        if Gst.EventType.get_flags(event.type) & Gst.EventTypeFlags.SERIALIZED:
            flow = self._put(_Item(event=event))
            # Downstream has had enough: no batch waits that an event could overtake, and end of stream must arrive.
            return bool(self.src_pad.push_event(event)) if flow == FLOW_EOS else flow == FLOW_OK
        return bool(super().handle_event(pad, event))

    def _loop(self) -> bool:
        begun = time.perf_counter()
        with self._first_ready:
            # User code may never return: a flush ends the waiting, too.
            while self._flow == FLOW_OK and not (self._items and self._items[0].ready()):
                self._first_ready.wait()
            if self._flow != FLOW_OK:
                return False
            item = self._items.popleft()
            item.since = max(item.since, begun)
            self._finishing = [item.frames] if item.buffer is not None else []
        if item.event is not None:
            self.announce_source(item.event)
            self.src_pad.push_event(item.event)
            return True
        try:
            flow = self._finish(item)
        finally:
            self._finishing = []
        with self._room:
            self._room.notify()
            if flow == FLOW_OK or self._flow != FLOW_OK:
                return self._flow == FLOW_OK
        self._reset(flow)
        return False

    def _finish(self, item: _Item) -> int:
        """Finish one batch and push it; returns the flow value."""
        if item.batch is not None:
            flow = self._complete(item, item.batch)
            if flow is not None:
                return flow
        self.count(item.batch, time.perf_counter() - item.since)
        # The payload goes with the buffer: a reference kept here while it is downstream would delay its end.
        item.batch, buffer = None, item.buffer
        flow = self.push(self.src_pad, buffer.steal() if buffer is not None else 0)
        self.report_flow(flow)
        return flow

    def _complete(self, item: _Item, batch: Batch) -> int | None:
        """Write the result or deal with an error; returns a flow value if the batch is not to go on."""
        # Taken out of the item, which the error's traceback knows: a cycle would keep the batch.
        error, item.error = item.error, None
        pending, item.pending = item.pending, None
        try:
            if error is None and pending is not None:
                with span(self, batch.meta.frames, "write"):
                    self.finish(batch, pending)
        except CancelledError:
            return FLOW_FLUSHING
        except USER_ERRORS as failure:
            pending = None  # it holds the error, whose traceback holds this frame
            return self.failed(failure, batch)
        return self.failed(error, batch) if error is not None else None
