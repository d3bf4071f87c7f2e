"""Frames of many sources collected into batches: queues, round robin, time-outs, end of stream."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")

#: Frames that wait per source. Two let a decoder work while a batch is built; more only add memory and
#: latency.
QUEUE_DEPTH = 2

#: Frames that a batch of files should have at least: what Python does for a batch costs hardly more for four frames
#: than for one, and files lose nothing by waiting for each other. More than four gain little and hold more memory.
_FILE_BATCH = 4


def file_batch(sources: int) -> int:
    """Frames that a batch of so many files should have.

    Example:
        >>> file_batch(1), file_batch(6)
        (4, 6)
    """
    return max(sources, _FILE_BATCH)


class Flushing(Exception):
    """The batcher was stopped, or the source flushed or removed, while a caller waited."""


class SourceQueue(Generic[Item]):
    """Waiting frames of one source.

    Attributes:
        index: The source's number.
        waiting: Frames not yet in a batch, oldest first.
        space: Notified when there is room for a frame again, or nothing to wait for any more.
        live: Whether a full queue drops its oldest frame instead of blocking the source.
        ended: Whether the source has sent its end of stream.
        end_reported: Whether that was passed on, after its last frame.
        flushing: Whether frames are refused for now.
        removed: Whether the source is gone.
        held: Its frames in the batch that is being collected.
    """

    __slots__ = ("end_reported", "ended", "flushing", "held", "index", "live", "removed", "space", "waiting")

    def __init__(self, index: int, live: bool, lock: threading.Lock) -> None:
        self.index, self.live = index, live
        self.waiting: deque[Item] = deque()
        self.space = threading.Condition(lock)
        self.held = 0
        self.ended = self.end_reported = self.flushing = self.removed = False


class Batcher(Generic[Item]):
    """Collects frames of several sources into batches, fairly.

    Sources push from their own threads; one thread calls `collect`. Files block when their queue is full, so
    that nothing is lost; live sources drop their oldest frame and count it.

    A batch with a time-out waits for no source that is late: it goes as soon as a live source that has given its
    frames has the next one. Otherwise that frame, and all that follow, would wait for as long as a frame takes.

    Args:
        on_source_end: Called on the collecting thread, with the source's index, after the batch with its last
            frame has been dealt with.

    Attributes:
        drops: Number of dropped frames by source and reason.

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
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._sources: dict[int, SourceQueue[Item]] = {}
        self._flushing = self._interrupted = False
        self._next = 0
        #: Frames to come before it is worth waking `collect`, which costs more than a frame.
        self._missing = 0
        #: Frames that a batch takes of a source.
        self._share = 1
        self._on_source_end = on_source_end
        self.drops: Counter[tuple[int, str]] = Counter()

    def add(self, index: int, live: bool = False) -> None:
        """Add a source; at any time."""
        with self._lock:
            sources = {**self._sources, index: SourceQueue(index, live, self._lock)}
            self._sources = dict(sorted(sources.items()))
            self._changed.notify_all()

    def remove(self, index: int) -> None:
        """Remove a source with the frames that wait; a blocked `push` of it raises `Flushing`."""
        with self._lock:
            queue = self._sources.pop(index, None)
            if queue is not None:
                queue.removed = True
                self._count_drops(index, "source removed", len(queue.waiting))
                queue.space.notify_all()
            self._changed.notify_all()

    def push(self, index: int, item: Item) -> None:
        """Hand over a frame; blocks while the queue of a file is full.

        Raises:
            Flushing: Stopped, or the source is flushed or gone.
        """
        with self._lock:
            queue = self._sources.get(index)
            if queue is None:
                raise Flushing
            while True:
                if self._flushing or queue.flushing or queue.removed:
                    raise Flushing
                if len(queue.waiting) < QUEUE_DEPTH:
                    break
                if queue.live:
                    queue.waiting.popleft()
                    self._count_drops(index, "live source faster than the pipeline", 1)
                else:
                    queue.space.wait()
            wanted = queue.held + len(queue.waiting) < self._share
            queue.waiting.append(item)
            self._missing -= wanted
            # A frame beyond its source's share ends the waiting for others, if it is live.
            if self._missing <= 0 or len(queue.waiting) >= QUEUE_DEPTH if wanted else queue.live:
                self._changed.notify_all()

    def _count_drops(self, index: int, reason: str, count: int) -> None:
        if count:
            self.drops[index, reason] += count

    def end(self, index: int, ended: bool = True) -> None:
        """Mark a source as ended (or, with ``False``, as started again)."""
        with self._lock:
            queue = self._sources.get(index)
            if queue is not None:
                queue.ended = ended
                queue.end_reported = queue.end_reported and ended
            self._changed.notify_all()

    def set_live(self, index: int, live: bool) -> None:
        """Switch a source between blocking and dropping."""
        with self._lock:
            if index in self._sources:
                self._sources[index].live = live

    def flush_source(self, index: int, on: bool) -> None:
        """Refuse frames of one source and give up those that wait (or, with ``False``, take frames again)."""
        with self._lock:
            queue = self._sources.get(index)
            if queue is not None:
                self._reset(queue)
                queue.flushing = on
            self._changed.notify_all()

    def flush(self, on: bool = True) -> None:
        """Stop (or start again): waiting frames are given up and blocked callers released."""
        with self._lock:
            self._flushing = on
            for queue in self._sources.values():
                self._reset(queue)
            self._changed.notify_all()

    def interrupt(self, on: bool) -> None:
        """Stop `collect` alone (or, with ``False``, allow it again): sources go on filling their queues."""
        with self._lock:
            self._interrupted = on
            self._changed.notify_all()

    def _reset(self, queue: SourceQueue[Item]) -> None:
        queue.waiting.clear()
        queue.ended = queue.end_reported = queue.flushing = False
        queue.space.notify_all()

    def wait_for_source(self) -> None:
        """Wait while there is no source that could send frames.

        Raises:
            Flushing: Stopped.
        """
        with self._lock:
            while all(queue.ended for queue in self._sources.values()):
                if self._flushing or self._interrupted:
                    raise Flushing
                self._changed.wait()

    def collect(self, batch_size: int = 0, timeout: float | None = None) -> list[tuple[int, Item]]:
        """Wait for the next batch.

        Args:
            batch_size: Frames of a full batch; 0 means one for each source.
            timeout: Seconds after its first frame when a batch goes out although it is not full; ``None``
                waits.

        Returns:
            Frames as ``(source index, item)``; empty when every source has ended.

        Raises:
            Flushing: Stopped.
        """
        batch: list[tuple[SourceQueue[Item], Item]] = []
        deadline: float | None = None
        try:
            while True:
                with self._lock:
                    full = self._fill(batch, batch_size)
                    ended = self._newly_ended()
                    if batch and deadline is None and timeout is not None:
                        deadline = time.monotonic() + timeout
                    done = full or self._late(deadline) or self._nothing_comes(batch)
                    if not done and not ended:
                        if not batch and timeout is not None:
                            self._missing = 1  # the first frame starts the clock
                        self._changed.wait(
                            None if deadline is None else max(deadline - time.monotonic(), 0.0)
                        )
                        continue
                for index in ended:
                    self._on_source_end(index)
                if done:
                    return [(queue.index, item) for queue, item in batch]
        finally:
            for queue, _ in batch:
                queue.held = 0

    def _late(self, deadline: float | None) -> bool:
        """Whether the open batch has waited long enough."""
        if deadline is None:
            return False
        overtaken = any(queue.held and queue.waiting and queue.live for queue in self._sources.values())
        return overtaken or time.monotonic() >= deadline

    def _fill(self, batch: list[tuple[SourceQueue[Item], Item]], batch_size: int) -> bool:
        """Move waiting frames into the batch, one source after the other, each up to its fair share.

        Returns:
            Whether the batch is full.
        """
        if self._flushing or self._interrupted:
            raise Flushing
        self._forget_removed(batch)
        while True:
            # Anew each round: a source whose last frame was just taken leaves its share to the others.
            active = [queue for queue in self._sources.values() if queue.waiting or not queue.ended]
            of_ended = len(batch) - sum(queue.held for queue in active)
            size = batch_size or self._size(batch, active, of_ended)
            self._share = share = -(-(size - of_ended) // max(len(active), 1))
            self._missing = size - len(batch)
            ready = [queue for queue in active if queue.waiting and queue.held < share]
            if not ready or self._missing <= 0:
                return self._missing <= 0
            if ready[0].index < self._next:
                ready.sort(key=lambda queue: queue.index < self._next)
            for queue in ready[: self._missing]:
                batch.append((queue, queue.waiting.popleft()))
                queue.held += 1
                if (
                    not queue.waiting
                ):  # waking a blocked source costs more than a frame: once for all its room
                    queue.space.notify()
                self._next = queue.index + 1

    def _size(
        self, batch: list[tuple[SourceQueue[Item], Item]], active: list[SourceQueue[Item]], of_ended: int
    ) -> int:
        """Frames of a batch with one for each source that may send any, or has one in it."""
        sources = {queue.index for queue in active}
        return max(len(sources | {queue.index for queue, _ in batch} if of_ended else sources), 1)

    def _forget_removed(self, batch: list[tuple[SourceQueue[Item], Item]]) -> None:
        gone = [queue.index for queue, _ in batch if queue.removed]
        for index in gone:
            self._count_drops(index, "source removed", 1)
        if gone:
            batch[:] = [entry for entry in batch if not entry[0].removed]

    def _nothing_comes(self, batch: list[tuple[SourceQueue[Item], Item]]) -> bool:
        """Whether every source has ended and is empty; without any source, one is waited for."""
        queues = self._sources.values()
        return bool(batch or queues) and all(queue.ended and not queue.waiting for queue in queues)

    def _newly_ended(self) -> list[int]:
        """Sources that have ended and whose last frame is not in the open batch."""
        fresh = [
            queue
            for queue in self._sources.values()
            if queue.ended and not queue.waiting and not queue.end_reported and not queue.held
        ]
        for queue in fresh:
            queue.end_reported = True
        return [queue.index for queue in fresh]
