"""What trackers tell of earlier frames: those of late reports, of hidden objects, and whole tracks that have ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from headrace.meta.tracking import TargetBatch, TargetFrame, TargetObject, TargetStream

#: `tracker_state` of a frame: on probation, seen, or not seen (contract: configs, lifecycle).
TENTATIVE, ACTIVE, INACTIVE = range(3)


@dataclass(frozen=True, slots=True)
class Glimpse:
    """One track in one frame.

    Attributes:
        uid: Number of the track among all there ever were.
        source: Its source.
        track_id: Its id, 0 while it is on probation.
        class_id: Its class.
        missed: Frames since it was detected last.
        ltwh: Left, top, width, height in pixels.
        confidence: The tracker's, 0-1.
    """

    uid: int
    source: int
    track_id: int
    class_id: int
    missed: int
    ltwh: tuple[float, float, float, float]
    confidence: float


@dataclass(slots=True)
class _Entry:
    source: int
    frames: deque[TargetFrame]
    pending: deque[TargetFrame]
    age: int = 0
    track_id: int = 0
    class_id: int = 0


@dataclass
class Misc:
    """What is told with a batch; each is empty when there is nothing to tell.

    Attributes:
        past: Frames of objects that were not reported then and are now: on probation, or hidden.
        terminated: Objects whose tracks have ended, with their latest frames.
        shadow: Objects that are not seen now, where the tracker believes them.
    """

    past: TargetBatch = field(default_factory=TargetBatch)
    terminated: TargetBatch = field(default_factory=TargetBatch)
    shadow: TargetBatch = field(default_factory=TargetBatch)


class Trajectories:
    """Remembers the latest frames of every track; used by one thread.

    Args:
        length: Frames of a track that are kept.

    Example:
        >>> memory = Trajectories(10)
        >>> for number, track_id in ((7, 0), (8, 41)):
        ...     told = memory.note({3: number}, [Glimpse(0, 3, track_id, 2, 0, (1.0, 2.0, 3.0, 4.0), 0.9)])
        >>> [(one.unique_id, [frame.frame_num for frame in one.frames]) for one in told.past.streams[0].objects]
        [(41, [7])]
        >>> [one.unique_id for one in memory.note({3: 9}, []).terminated.streams[0].objects]
        [41]
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._known: dict[int, _Entry] = {}

    def __len__(self) -> int:
        return len(self._known)

    def note(self, numbers: dict[int, int], tracks: Sequence[Glimpse]) -> Misc:
        """Take all tracks of the sources of a batch.

        Args:
            numbers: Source to the number of its frame.
            tracks: Theirs; one that was there before and is missing has ended.

        Returns:
            What there is to tell with this batch.
        """
        misc = Misc()
        for one in tracks:
            self._take(misc, numbers[one.source], one)
        here = {one.uid for one in tracks}
        gone = [uid for uid, entry in self._known.items() if entry.source in numbers and uid not in here]
        for uid in gone:
            entry = self._known.pop(uid)
            if entry.track_id:
                _tell(misc.terminated, entry, list(entry.frames))
        return misc

    def forget(self, source: int) -> None:
        """A source has gone: its tracks are no longer told of."""
        self._known = {uid: entry for uid, entry in self._known.items() if entry.source != source}

    def _take(self, misc: Misc, number: int, one: Glimpse) -> None:
        entry = self._known.get(one.uid)
        if entry is None:
            entry = _Entry(one.source, deque(maxlen=self._length), deque(maxlen=self._length))
            self._known[one.uid] = entry
        entry.track_id, entry.class_id, entry.age = one.track_id, one.class_id, entry.age + 1
        state = TENTATIVE if not one.track_id else INACTIVE if one.missed else ACTIVE
        frame = TargetFrame(number, one.ltwh, one.confidence, entry.age - 1, state)
        entry.frames.append(frame)
        if state == ACTIVE and entry.pending:
            _tell(misc.past, entry, list(entry.pending))
            entry.pending.clear()
        elif state != ACTIVE:
            entry.pending.append(frame)
        if state == INACTIVE:
            _tell(misc.shadow, entry, [frame])


def _tell(batch: TargetBatch, entry: _Entry, frames: list[TargetFrame]) -> None:
    stream = next((one for one in batch.streams if one.stream_id == entry.source), None)
    if stream is None:
        stream = TargetStream(entry.source, entry.source)
        batch.streams.append(stream)
    stream.objects.append(TargetObject(entry.track_id, entry.class_id, frames=frames))
