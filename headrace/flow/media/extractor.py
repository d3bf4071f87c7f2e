"""MediaExtractor: frames of parts of files or streams, as tensors in queues (contract §7)."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from headrace.errors import HeadraceError, PipelineError
from headrace.flow.media.frame_reader import FrameReader
from headrace.frames.tensor import Tensor

_log = logging.getLogger(__name__)
_POLL = 0.1
_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class MediaChunk:
    """A part of a file or stream; times in ns.

    Attributes:
        source: Address or path.
        start_pts: Time of the first frame wanted.
        duration: How much of it; -1 for all.
        interval: Time from one frame to the next; 0 for every frame.

    Example:
        >>> MediaChunk("a.mp4", interval=500_000_000).duration
        -1
    """

    source: str
    start_pts: int = 0
    duration: int = -1
    interval: int = 0


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """A frame.

    Attributes:
        tensor: RGB, ``(height, width, 3)`` uint8; owns its memory.
        timestamp: Time in its file or stream in ns.
    """

    tensor: Tensor
    timestamp: int


Frames = queue.Queue[VideoFrame | None]


class MediaExtractor:
    """Decodes chunks on threads of its own into queues, each of which ends with ``None``.

    Args:
        chunks: What to extract; without them they are given one by one with `append`.
        batch_size: Chunks that each thread works at together.
        scaling: Width and height of the frames; ``None`` or zeros for their own.
        n_thread: Threads.
        q_size: Frames that a queue holds; no frame is lost, decoding waits.
        enable_seek: Whether to go to the start of a chunk at once instead of decoding all before it.
        blocking: Whether a chunk whose queue is full keeps its turn; otherwise other chunks go on meanwhile.

    Example:
        >>> with MediaExtractor([MediaChunk("sim://plaza?frames=5")], scaling=(320, 180)) as extractor:
        ...     (frames,) = extractor()
        ...     shapes = [frame.tensor.shape for frame in iter(frames.get, None)]
        >>> len(shapes), shapes[0]
        (5, (180, 320, 3))
    """

    def __init__(
        self,
        chunks: Sequence[MediaChunk] | None = None,
        batch_size: int = 0,
        scaling: tuple[int, int] | None = (1920, 1080),
        n_thread: int = 1,
        q_size: int = 1,
        enable_seek: bool = False,
        blocking: bool = False,
    ) -> None:
        self._chunks = list(chunks) if chunks else None
        self._size = scaling or (0, 0)
        self._q_size = max(q_size, 1)
        self._seek = enable_seek
        self._blocking = blocking
        self._turns = threading.Semaphore(max(n_thread, 1) * max(batch_size, 1))
        self._closed = threading.Event()
        self._threads: list[threading.Thread] = []

    def __call__(self) -> list[Frames]:
        """Begin; returns a queue for each chunk."""
        return [self._begin(chunk) for chunk in self._chunks or ()]

    def append(self, chunk: MediaChunk) -> Frames:
        """Begin with one more chunk; returns its queue.

        Raises:
            PipelineError: The extractor was made with its chunks, or is closed.
        """
        if self._chunks is not None:
            raise PipelineError("this extractor was made with its chunks; make one without them to append")
        return self._begin(chunk)

    def close(self) -> None:
        """Let go of everything; queues that have not ended end now."""
        self._closed.set()
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def __enter__(self) -> MediaExtractor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self, chunk: MediaChunk) -> Frames:
        if self._closed.is_set():
            raise PipelineError("the extractor is closed; make another one")
        frames: Frames = queue.Queue(self._q_size)
        name = f"headrace-extract-{next(_numbers)}"
        thread = threading.Thread(target=self._extract, args=(chunk, frames), name=name, daemon=True)
        self._threads = [*(one for one in self._threads if one.is_alive()), thread]
        thread.start()
        return frames

    def _extract(self, chunk: MediaChunk, frames: Frames) -> None:
        try:
            while not self._turns.acquire(timeout=_POLL):
                if self._closed.is_set():
                    return
            try:
                self._read(chunk, frames)
            finally:
                self._turns.release()
        except HeadraceError as error:
            _log.error("%s: %s", chunk.source, error)
        finally:
            self._end(frames)

    def _read(self, chunk: MediaChunk, frames: Frames) -> None:
        wanted = chunk.start_pts
        end = None if chunk.duration < 0 else chunk.start_pts + chunk.duration
        with FrameReader(chunk.source, self._size, chunk.start_pts if self._seek else 0) as reader:
            for timestamp, tensor in reader.read(self._closed):
                if end is not None and timestamp >= end:
                    return
                if timestamp < wanted:
                    continue
                if chunk.interval > 0:
                    wanted += ((timestamp - wanted) // chunk.interval + 1) * chunk.interval
                self._put(frames, VideoFrame(tensor(), timestamp))

    def _put(self, frames: Frames, frame: VideoFrame) -> None:
        """Put a frame in, waiting for room."""
        try:
            frames.put_nowait(frame)
            return
        except queue.Full:
            waits: Any = None if self._blocking else self._turns
        if waits is not None:
            waits.release()
        try:
            self._wait_for_room(frames, frame)
        finally:
            if waits is not None:
                waits.acquire()

    def _wait_for_room(self, frames: Frames, frame: VideoFrame | None) -> None:
        while not self._closed.is_set():
            try:
                frames.put(frame, timeout=_POLL)
                return
            except queue.Full:
                continue

    def _end(self, frames: Frames) -> None:
        self._wait_for_room(frames, None)
        if not self._closed.is_set():
            return
        with frames.mutex:  # nobody takes the rest: the end stands for it
            frames.queue.clear()
            frames.queue.append(None)
            frames.not_empty.notify_all()
