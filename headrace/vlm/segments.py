"""Pictures of a few seconds, collected until they can be asked about."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture of a segment: its time in ns, number of its frame, JPEG, and whether the rule held then."""

    pts: int
    frame: int
    picture: bytes
    held: bool


class Segmenter:
    """Cuts a row of pictures into segments, of one source or of one object.

    A segment begins with its first picture and takes pictures for `length` seconds; the next one begins `overlap`
    seconds before the end of this one. With a length of 0 each picture is a segment. At most `most` pictures are held.

    Args:
        length: Length of a segment in seconds.
        overlap: What two segments have in common, in seconds; less than the length.
        most: Most pictures in a segment; more are left out.

    Example:
        >>> segmenter = Segmenter(length=2, overlap=0, most=4)
        >>> found = [segmenter.feed(t * 10**9, t, True, lambda: b"jpeg") for t in range(5)]
        >>> [len(segment) for segment in found]
        [0, 0, 2, 0, 2]
    """

    def __init__(self, length: float, overlap: float, most: int) -> None:
        self._length, self._step = round(length * _NS), round((length - overlap) * _NS)
        self._most = most
        self._begin = 0
        self._samples: deque[Sample] = deque()

    def __len__(self) -> int:
        return len(self._samples)

    @property
    def held(self) -> bool:
        """Whether the rule held for any of the pictures at hand."""
        return any(sample.held for sample in self._samples)

    def feed(self, pts: int, frame: int, held: bool, take: Callable[[], bytes]) -> tuple[Sample, ...]:
        """Add a picture.

        Args:
            pts: Its time in ns; never less than that of the one before.
            frame: Number of its frame.
            held: Whether the rule holds.
            take: Makes the JPEG; called if the picture is wanted.

        Returns:
            The segment that is complete now, empty while there is none.
        """
        done = self.due(pts) if self._length else ()
        if not self._samples:
            self._begin = pts
        if len(self._samples) < self._most:
            self._samples.append(Sample(pts, frame, take(), held))
        return done if self._length else self.finish()

    def due(self, pts: int) -> tuple[Sample, ...]:
        """The segment that is complete at this time, if there is one, without a further picture."""
        if not self._samples or pts < self._begin + self._length:
            return ()
        done = tuple(self._samples)
        self._begin += self._step
        while self._samples and self._samples[0].pts < self._begin:
            self._samples.popleft()
        if pts >= self._begin + self._length:  # nothing came for longer than a segment
            self._samples.clear()
        return done

    def finish(self) -> tuple[Sample, ...]:
        """All pictures at hand; begins anew."""
        done = tuple(self._samples)
        self._samples.clear()
        return done
