"""What is asked of one source: its tracks, its segments, and when a question is due."""

from __future__ import annotations

from collections.abc import Callable

from headrace.frames import Frame
from headrace.meta.frame import FrameMetadata
from headrace.meta.objects import UNTRACKED
from headrace.vlm.config import Question
from headrace.vlm.facts import FrameFacts, ObjectFacts, facts_of
from headrace.vlm.model import VlmRequest
from headrace.vlm.pictures import jpeg
from headrace.vlm.prompts import Prompt
from headrace.vlm.requests import request_of
from headrace.vlm.rules import Rule
from headrace.vlm.segments import Sample, Segmenter

_NS = 1_000_000_000
_UNSET = 2**64 - 1
#: A track that nobody has seen for so long is forgotten: it would begin to dwell anew.
_FORGOTTEN = 60 * _NS
#: Key of the frame among the tracks.
_FRAME = None
Key = int | None


class SourceWatcher:
    """Looks at the frames of one source and says what is to be asked.

    Rules are checked and pictures taken at the rate of the segment's ``fps``; in between only the tracks are noted.
    What is kept is small: JPEGs of segments that are under way, and times of tracks seen within the last minute.

    Args:
        question: What is asked.

    Attributes:
        untracked: Whether the rule held for objects without a track; there is no asking about those.

    Example:
        >>> import numpy as np
        >>> from headrace.meta import BatchMetadata
        >>> watcher = SourceWatcher(Question(prompt="What is on camera {source}?"))
        >>> picture = Frame.from_array(np.zeros((48, 64, 3), np.uint8), "RGB")
        >>> [request.prompt for request in watcher.look(BatchMetadata.new(1).frames[0], lambda: picture)]
        ['What is on camera 0?']
    """

    def __init__(self, question: Question) -> None:
        self._question, self._settings = question, question.segment
        self._rule, self._prompt = Rule(question.when), Prompt(question.prompt)
        self._interval = round(self._settings.interval * _NS)
        self._length, self._pause = round(self._settings.length * _NS), round(question.pause * _NS)
        self._facts = FrameFacts(0)
        self.untracked = False
        self._reset()

    def _reset(self) -> None:
        self._now = self._next_look = -1
        self._first_seen: dict[int, int] = {}
        self._last_seen: dict[int, int] = {}
        self._segments: dict[Key, Segmenter] = {}
        self._subjects: dict[Key, ObjectFacts | None] = {}
        self._asked: dict[Key, int] = {}

    def look(self, frame: FrameMetadata, picture: Callable[[], Frame]) -> list[VlmRequest]:
        """Take note of a frame.

        Args:
            frame: Its metadata.
            picture: Maps its pixels; called only when a picture is taken, and nothing of it is kept.

        Returns:
            The questions that are due now.
        """
        now = frame.buffer_pts if frame.buffer_pts != _UNSET else frame.arrival
        requests = self.finish() if now < self._now else []  # the source began anew
        self._now = now
        self._note_tracks(frame)
        if now < self._next_look:
            return requests
        # Half an interval: the grid is kept when frames come a little early or late, but never caught up with.
        self._next_look = max(self._next_look + self._interval, now + self._interval // 2)
        self._facts = facts_of(frame, self._first_seen, now)
        camera = _Camera(self._question, picture)
        present = self._present(self._facts)
        for key, (subject, held) in present.items():
            requests += self._feed(key, subject, held, camera)
        for key in self._segments.keys() - present.keys():
            requests += self._ask(key, self._segments[key].due(now))
        self._tidy()
        return requests

    def finish(self) -> list[VlmRequest]:
        """The source has ended: questions about the segments that are under way. Everything is forgotten."""
        segments = [(key, segmenter.finish()) for key, segmenter in self._segments.items()]
        requests = [request for key, samples in segments for request in self._ask(key, samples)]
        self._reset()
        return requests

    def _note_tracks(self, frame: FrameMetadata) -> None:
        table = frame.table
        for number in table.column("object_id")[table.rows_of(frame.batch_id)].tolist():
            if number != UNTRACKED:
                self._first_seen.setdefault(number, self._now)
                self._last_seen[number] = self._now

    def _present(self, facts: FrameFacts) -> dict[Key, tuple[ObjectFacts | None, bool]]:
        """What can be asked about now, and whether the rule holds for it."""
        if self._question.subject == "frame":
            candidates = facts.objects if self._rule.of_objects else (None,)
            return {_FRAME: (None, any(self._rule.holds(facts, one) for one in candidates))}
        seen = [one for one in facts.objects if one.box[2] > 0 and one.box[3] > 0]
        held = [self._rule.holds(facts, one) for one in seen]
        self.untracked |= any(holds and one.object_id is None for one, holds in zip(seen, held, strict=True))
        return {
            one.object_id: (one, holds)
            for one, holds in zip(seen, held, strict=True)
            if one.object_id is not None
        }

    def _feed(self, key: Key, subject: ObjectFacts | None, held: bool, camera: _Camera) -> list[VlmRequest]:
        segmenter = self._segments.get(key)
        if segmenter is None:
            wanted = held or (key is _FRAME and self._length)  # of frames also what was before the rule held
            if not wanted or self._pauses(key, self._now + self._length):
                return []
            settings = self._settings
            segmenter = Segmenter(settings.length, settings.overlap, settings.max_frames)
            self._segments[key] = segmenter
        self._subjects[key] = subject
        samples = segmenter.feed(self._now, self._facts.number, held, lambda: camera.take(subject))
        return self._ask(key, samples)

    def _pauses(self, key: Key, at: int) -> bool:
        asked = self._asked.get(key)
        return asked is not None and at < asked + self._pause

    def _ask(self, key: Key, samples: tuple[Sample, ...]) -> list[VlmRequest]:
        """The question about a segment that is complete, if it is to be asked."""
        if not any(sample.held for sample in samples) or self._pauses(key, self._now):
            return []
        self._asked[key] = self._now
        if self._pause or not self._length:
            del self._segments[key]  # the next one begins after the pause
        subject = self._subjects[key]
        return [request_of(self._question, self._prompt, self._facts, subject, samples)]

    def _tidy(self) -> None:
        """Forget segments that come to nothing, tracks that are gone and pauses that are over."""
        for key in [
            key for key, segmenter in self._segments.items() if key is not _FRAME and not segmenter.held
        ]:
            del self._segments[key]
        for gone in self._subjects.keys() - self._segments.keys():
            del self._subjects[gone]
        for number in [n for n, seen in self._last_seen.items() if self._now - seen > _FORGOTTEN]:
            del self._first_seen[number], self._last_seen[number]
        for asked in [key for key in self._asked if not self._pauses(key, self._now)]:
            del self._asked[asked]


class _Camera:
    """Takes pictures of one frame; the frame is mapped, and taken as a whole, at most once."""

    def __init__(self, question: Question, picture: Callable[[], Frame]) -> None:
        self._question, self._picture = question, picture
        self._frame: Frame | None = None
        self._whole = b""

    def take(self, subject: ObjectFacts | None) -> bytes:
        """A JPEG of the frame, or of the object in it."""
        settings = self._question.segment
        if self._frame is None:
            self._frame = self._picture()
        if subject is not None and self._question.crops:
            return jpeg(self._frame, settings.max_size, settings.quality, subject.box, settings.margin)
        if not self._whole:
            self._whole = jpeg(self._frame, settings.max_size, settings.quality)
        return self._whole
