"""Filters whose work overlaps with everything else: submit a batch, then finish the older one."""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from typing import Any, Protocol

from gi.repository import Gst

from headrace.elements.filter import Filter
from headrace.gst import payload
from headrace.gst.native import FLOW_ERROR, FLOW_FLUSHING, FLOW_OK, make_writable
from headrace.meta.batch import Batch

#: Batches between submission and output. One runs while the one before it is written and pushed.
IN_FLIGHT = 2


class Pending(Protocol):
    """Work that was submitted, as a `concurrent.futures.Future` is."""

    def result(self) -> Any:
        """Wait for it."""
        ...


@dataclass(slots=True)
class _Item:
    """A batch on its way, or an event that must keep its place among the batches."""

    buffer: int = 0
    batch: Batch | None = None
    pending: Pending | None = None
    event: Gst.Event | None = None
    error: Exception | None = field(default=None)


class AsyncFilter(Filter):
    """A filter in two halves, `submit` on the streaming thread and `finish` on the source pad's own.

    Batches and serialized events leave in the order in which they came; end of stream comes after the last batch.
    """

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()
        self._items: deque[_Item] = deque()
        self._batches = 0
        self._flow = FLOW_FLUSHING
        self.run_task(self.src_pad, self._loop, self._activated)

    def submit(self, batch: Batch) -> Pending | None:
        """Begin work on a batch; ``None`` when there is nothing to do for it."""
        raise NotImplementedError

    def finish(self, batch: Batch, pending: Pending) -> None:
        """Wait for the work and write its result into the batch."""
        raise NotImplementedError

    def _activated(self, active: bool) -> None:
        with self._changed:
            self._flow = FLOW_OK if active else FLOW_FLUSHING
            self._clear()

    def _clear(self) -> None:
        for item in self._items:
            if item.buffer:
                self.drop(item.buffer)
        self._items.clear()
        self._batches = 0
        self._changed.notify_all()

    def _put(self, item: _Item) -> int:
        with self._changed:
            while item.buffer and self._batches >= IN_FLIGHT and self._flow == FLOW_OK:
                self._changed.wait()
            if self._flow != FLOW_OK:
                if item.buffer:
                    self.drop(item.buffer)
                return self._flow
            self._items.append(item)
            self._batches += bool(item.buffer)
            self._changed.notify_all()
        return FLOW_OK

    def _chain(self, _pad: Gst.Pad, buffer: int) -> int:
        buffer = make_writable(buffer)
        batch = payload.find(buffer)
        item = _Item(buffer)
        if isinstance(batch, Batch) and not self.disabled:
            item.batch = batch
            started = time.perf_counter()
            try:
                item.pending = self.submit(batch)
            except Exception as error:  # noqa: BLE001 - handled in its place among the batches, by `failed`
                item.error = error
            self.busy_seconds += time.perf_counter() - started
        return self._put(item)

    def handle_event(self, pad: Gst.Pad, event: Gst.Event) -> bool:
        """Serialized events wait for the batches before them; a flush gives those up."""
        if event.type == Gst.EventType.FLUSH_START:
            with self._changed:
                self._flow = FLOW_FLUSHING
                self._clear()
            return bool(self.src_pad.push_event(event))
        if event.type == Gst.EventType.FLUSH_STOP:
            with self._changed:
                self._flow = FLOW_OK
            result = bool(self.src_pad.push_event(event))
            self.restart_task(self.src_pad)
            return result
        if event.is_serialized():
            return self._put(_Item(event=event)) == FLOW_OK
        return bool(super().handle_event(pad, event))

    def _loop(self) -> bool:
        with self._changed:
            while not self._items and self._flow == FLOW_OK:
                self._changed.wait()
            if self._flow != FLOW_OK:
                return False
            item = self._items.popleft()
        if item.event is not None:
            self.announce_source(item.event)
            self.src_pad.push_event(item.event)
            return True
        flow = self._finish(item)
        with self._changed:
            self._batches -= 1
            if flow != FLOW_OK and self._flow == FLOW_OK:
                self._flow = flow
                self._clear()
            self._changed.notify_all()
            return self._flow == FLOW_OK

    def _finish(self, item: _Item) -> int:
        """Finish one batch and push it; returns the flow value."""
        buffer, batch, started = item.buffer, item.batch, time.perf_counter()
        try:
            if item.error is not None:
                raise item.error
            if batch is not None and item.pending is not None:
                self.finish(batch, item.pending)
        except CancelledError:
            self.drop(buffer)
            return FLOW_FLUSHING
        except Exception as error:
            flow = self.failed(error, batch) if batch is not None else FLOW_ERROR
            if flow is not None:
                item.batch = batch = None
                self.drop(buffer)
                return flow
        self.count(batch, time.perf_counter() - started)
        item.batch = item.pending = batch = None
        return self.push(self.src_pad, buffer)
