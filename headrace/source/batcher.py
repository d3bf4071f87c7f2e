"""Frames of many sources collected into batches: queues, round robin, time-outs, end of stream."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")

#: Frames that wait per source. Two let a decoder work while a batch is built; more only add memory and latency.
QUEUE_DEPTH = 2


class Flushing(Exception):  # noqa: N818 - a state, not a fault
    """The batcher was stopped, or the source removed, while a caller waited."""


class SourceQueue(Generic[Item]):
    """Waiting frames of one source.

    Attributes:
        waiting: Frames not yet in a batch, oldest first.
        live: Whether a full queue drops its oldest frame instead of blocking the source.
        ended: Whether the source has sent its end of stream.
        drops: Number of dropped frames by reason.
    """

    def __init__(self, live: bool) -> None:
        self.waiting: deque[Item] = deque()
        self.live = live
        self.ended = False
        self.end_reported = False
        self.removed = False
        self.drops: Counter[str] = Counter()


class Batcher(Generic[Item]):
    """Collects frames of several sources into batches, fairly.

    Sources push from their own threads; one thread calls `collect`. Files block when their queue is full, so that
    nothing is lost; live sources drop their oldest frame and count it.

    Args:
        on_source_end: Called on the collecting thread, with the source's index, after its last frame was collected.

    Example:
        >>> batcher = Batcher()
        >>> batcher.add(0), batcher.add(1)
        (None, None)
        >>> batcher.push(0, "a"), batcher.push(1, "b")
        (None, None)
        >>> batcher.collect(2)
        [(0, 'a'), (1, 'b')]
    """

    def __init__(self, on_source_end: Callable[[int], None] = lambda index: None) -> None:
        self._changed = threading.Condition()
        self._sources: dict[int, SourceQueue[Item]] = {}
        self._flushing = False
        self._next = 0
        self._on_source_end = on_source_end
        self.drops: Counter[tuple[int, str]] = Counter()

    def add(self, index: int, live: bool = False) -> None:
        """Add a source; at any time."""
        with self._changed:
            self._sources[index] = SourceQueue(live)
            self._changed.notify_all()

    def remove(self, index: int) -> None:
        """Remove a source with the frames that wait; a blocked `push` of it raises `Flushing`."""
        with self._changed:
            queue = self._sources.pop(index, None)
            if queue is not None:
                queue.removed = True
                self._count_drops(index, queue, "source removed", len(queue.waiting))
            self._changed.notify_all()

    def push(self, index: int, item: Item) -> None:
        """Hand over a frame; blocks while the queue of a file is full.

        Raises:
            Flushing: Stopped, or the source is gone.
        """
        with self._changed:
            queue = self._sources.get(index)
            if queue is None or self._flushing:
                raise Flushing
            while len(queue.waiting) >= QUEUE_DEPTH:
                if queue.live:
                    queue.waiting.popleft()
                    self._count_drops(index, queue, "live source faster than the pipeline", 1)
                    continue
                self._changed.wait()
                if self._flushing or queue.removed:
                    raise Flushing
            queue.waiting.append(item)
            self._changed.notify_all()

    def _count_drops(self, index: int, queue: SourceQueue[Item], reason: str, count: int) -> None:
        if count:
            queue.drops[reason] += count
            self.drops[index, reason] += count

    def end(self, index: int, ended: bool = True) -> None:
        """Mark a source as ended (or, with ``False``, as started again)."""
        with self._changed:
            queue = self._sources.get(index)
            if queue is not None:
                queue.ended = ended
                queue.end_reported = queue.end_reported and ended
            self._changed.notify_all()

    def set_live(self, index: int, live: bool) -> None:
        """Switch a source between blocking and dropping."""
        with self._changed:
            if index in self._sources:
                self._sources[index].live = live

    def flush(self, on: bool = True) -> None:
        """Stop (or start again): waiting frames are given up and blocked callers released."""
        with self._changed:
            self._flushing = on
            for queue in self._sources.values():
                queue.waiting.clear()
                queue.ended = queue.end_reported = False
            self._changed.notify_all()

    @property
    def n_sources(self) -> int:
        """Number of sources, ended ones included."""
        return len(self._sources)

    def collect(self, batch_size: int = 0, timeout: float | None = None) -> list[tuple[int, Item]]:
        """Wait for the next batch.

        Args:
            batch_size: Frames of a full batch; 0 means one for each source.
            timeout: Seconds after its first frame when a batch goes out although it is not full; ``None`` waits.

        Returns:
            Frames as ``(source index, item)``; empty when every source has ended.

        Raises:
            Flushing: Stopped.
        """
        batch: list[tuple[int, Item]] = []
        taken: Counter[int] = Counter()
        deadline: float | None = None
        while True:
            with self._changed:
                # An end is told before the next batch is begun: then the batch with the last frame has been pushed.
                ended = [] if batch else self._newly_ended()
                _, full = (0, False) if ended else self._fill(batch, taken, batch_size)
                everything_ended = bool(self._sources) and all(q.ended for q in self._sources.values())
                if batch and deadline is None and timeout is not None:
                    deadline = time.monotonic() + timeout
                late = deadline is not None and time.monotonic() >= deadline
                done = full or late or (everything_ended and not self._pending() and not ended)
                if not done and not ended:
                    self._wait(deadline)
                    continue
            for index in ended:
                self._on_source_end(index)
            if done:
                return batch

    def _fill(self, batch: list[tuple[int, Item]], taken: Counter[int], batch_size: int) -> tuple[int, bool]:
        """Move waiting frames into the batch, one source after the other, each up to its fair share."""
        if self._flushing:
            raise Flushing
        active = sorted(i for i, queue in self._sources.items() if queue.waiting or not queue.ended)
        size = batch_size or max(len(active), 1)
        share = -(-size // max(len(active), 1))
        order = [i for i in active if i >= self._next] + [i for i in active if i < self._next]
        moved = True
        while moved and len(batch) < size:
            moved = False
            for index in order:
                queue = self._sources[index]
                if len(batch) < size and queue.waiting and taken[index] < share:
                    batch.append((index, queue.waiting.popleft()))
                    taken[index] += 1
                    self._next = index + 1
                    moved = True
        if batch:
            self._changed.notify_all()
        return size, len(batch) >= size

    def _pending(self) -> bool:
        return any(queue.waiting for queue in self._sources.values())

    def _newly_ended(self) -> list[int]:
        fresh = [i for i, q in self._sources.items() if q.ended and not q.waiting and not q.end_reported]
        for index in fresh:
            self._sources[index].end_reported = True
        return fresh

    def _wait(self, deadline: float | None) -> None:
        self._changed.wait(None if deadline is None else max(deadline - time.monotonic(), 0.0))
        if self._flushing:
            raise Flushing
