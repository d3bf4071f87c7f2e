"""Who works on which frame, from when to when: spans that elements and models note while somebody records.

Nothing is recorded, and next to nothing is spent, unless a `Recorder` is started.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

#: Source and number of a frame.
Key = tuple[int, int]

#: Spans that are kept, the latest: those of some 15,000 frames, about 50 MB.
KEPT = 200_000

_OFF: AbstractContextManager[None] = nullcontext()


class Span(NamedTuple):
    """A step of work on some frames by one thread.

    Attributes:
        step: What was done, by an element as ``element: part``.
        frames: The frames.
        thread: The system's number of the thread.
        begin: `time.monotonic_ns` at the beginning.
        end: The same at the end.
        cpu: Nanoseconds of processor time of this thread within; what other threads did for it is not in it.
    """

    step: str
    frames: tuple[Key, ...]
    thread: int
    begin: int
    end: int
    cpu: int


class Recorder:
    """Collects the spans of the whole process between `start` and `stop`; any thread may note one.

    Only one records at a time: the latest that was started.

    Attributes:
        spans: What was noted, in order of the ends; the latest `KEPT`.
        threads: Name of each thread that noted something, by the system's number.

    Example:
        >>> recorder = Recorder()
        >>> recorder.start()
        >>> with span("count", [(0, 7)]):
        ...     pass
        >>> recorder.stop()
        >>> [(one.step, one.frames) for one in recorder.spans]
        [('count', ((0, 7),))]
    """

    def __init__(self, kept: int = KEPT) -> None:
        self.spans: deque[Span] = deque(maxlen=kept)
        self.threads: dict[int, str] = {}
        self._keys: dict[int, Key] = {}

    def start(self) -> None:
        """Record from now on."""
        global _recorder
        _recorder = self

    def stop(self) -> None:
        """Record no more; harmless when called again."""
        global _recorder
        if _recorder is self:
            _recorder = None

    def follow(self, pictures: Iterable[object], frames: Iterable[Any]) -> None:
        """Know these pictures, which live on until they are followed no more, as those of these frames."""
        for picture, frame in zip(pictures, frames, strict=True):
            self._keys[id(picture)] = frame.pad_index, frame.frame_number

    def note(self, step: Any, part: str, frames: Iterable[Any], begin: int, cpu: int) -> None:
        """Keep a span that ends now; arguments as for `span`."""
        end, spent = time.monotonic_ns(), time.thread_time_ns() - cpu
        name = step if isinstance(step, str) else step.get_name()
        keys = tuple(key for key in map(self._key, frames) if key is not None)
        thread = threading.get_native_id()
        if thread not in self.threads:
            self.threads[thread] = _thread_name(thread)
        self.spans.append(Span(f"{name}: {part}" if part else name, keys, thread, begin, end, spent))

    def _key(self, frame: Any) -> Key | None:
        if isinstance(frame, tuple):
            return frame
        number = getattr(frame, "frame_number", None)
        return self._keys.get(id(frame)) if number is None else (frame.pad_index, number)


_recorder: Recorder | None = None


def span(step: Any, frames: Iterable[Any], part: str = "") -> AbstractContextManager[None]:
    """The body of the ``with`` statement is a step of work on these frames; nothing happens unless somebody records.

    Args:
        step: A name, or an element, which is asked for its name.
        frames: `Key` of each, or metadata of frames, or pictures that somebody told of by `follow`; looked at when
            the step ends. What is not known is left out.
        part: What the element does, where it does several things.
    """
    recorder = _recorder
    return _OFF if recorder is None else _Noting(recorder, step, frames, part)


def follow(pictures: Iterable[object], frames: Sequence[Any]) -> None:
    """Let models' spans be told by frame: these pictures, to be given to a model, are those of these frames.

    Args:
        pictures: The very objects that the model will be given; they must live until it is done.
        frames: The metadata of each.
    """
    if _recorder is not None:
        _recorder.follow(pictures, frames)


class _Noting(AbstractContextManager[None]):
    __slots__ = ("_begin", "_cpu", "_frames", "_part", "_recorder", "_step")

    def __init__(self, recorder: Recorder, step: Any, frames: Iterable[Any], part: str) -> None:
        self._recorder, self._step, self._frames, self._part = recorder, step, frames, part

    def __enter__(self) -> None:
        self._cpu, self._begin = time.thread_time_ns(), time.monotonic_ns()

    def __exit__(self, *_: object) -> None:
        self._recorder.note(self._step, self._part, self._frames, self._begin, self._cpu)


def _thread_name(thread: int) -> str:
    """Python's name of its own threads, the system's of those of GStreamer, which tells the pad."""
    name = threading.current_thread().name
    if name.startswith("Dummy-"):
        comm = Path(f"/proc/self/task/{thread}/comm")
        return comm.read_text().strip() if comm.exists() else name
    return name
