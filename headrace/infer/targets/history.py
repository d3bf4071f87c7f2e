"""What a model said of tracked objects, so that it need not look at them in every frame."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from headrace.infer.result import Result
from headrace.meta import Label

#: An object is looked at again when its area has grown by more than this factor (contract: configs §1.3).
GROWTH = 1.2
#: Frames after which an object that was not seen is forgotten, and a result that has not come is not waited for.
UNSEEN = 150


@dataclass(slots=True)
class _Known:
    area: float
    looked: int  # frame in which it was looked at last
    seen: int  # frame in which it was there last
    busy: bool = True  # it is being looked at
    labels: dict[int, Label] = field(default_factory=dict)  # by the classifier's output
    embedding: NDArray[np.float32] | None = None


class ObjectHistory:
    """Tracked objects of all sources with their labels and embeddings; may be used by several threads.

    Args:
        interval: Frames after which an object is looked at again.

    Example:
        >>> history = ObjectHistory(interval=100)
        >>> history.due(0, 7, frame=0, area=400.0), history.due(0, 7, frame=1, area=400.0)
        (True, False)
        >>> history.store(0, 7, Result(labels=[Label("red")]))
        >>> [label.label for label in history.known(0, 7).labels], history.due(0, 7, frame=2, area=500.0)
        (['red'], True)
    """

    def __init__(self, interval: int) -> None:
        self._interval = interval
        self._sources: dict[int, dict[int, _Known]] = {}
        self._lock = threading.Lock()

    def due(self, source: int, object_id: int, frame: int, area: float) -> bool:
        """Whether to look at an object: it is new, has grown, or was looked at long ago.

        Then it counts as being looked at, until `store`.

        Args:
            source: Source of the frame.
            object_id: Track id.
            frame: Number of the frame in its source.
            area: Of the object's box, in square pixels.
        """
        with self._lock:
            objects = self._sources.setdefault(source, {})
            known = objects.get(object_id)
            if known is None:
                objects[object_id] = _Known(area, frame, frame)
                return True
            known.seen = frame
            since = frame - known.looked
            waits = known.busy and since <= UNSEEN  # a result may be lost: a flush gives up what is under way
            if waits or not (known.busy or area > GROWTH * known.area or since > self._interval):
                return False
            known.area, known.looked, known.busy = area, frame, True
            return True

    def store(self, source: int, object_id: int, result: Result) -> None:
        """What was recognised; what the model says nothing of this time, of a label's number too, stays as it was."""
        with self._lock:
            known = self._sources.get(source, {}).get(object_id)
            if known is not None:
                known.busy = False
                known.labels.update((label.label_id, label) for label in result.labels or ())
                if result.embedding is not None:
                    known.embedding = result.embedding

    def known(self, source: int, object_id: int) -> Result:
        """What is known of an object, labels in the order of the classifier's outputs; not to be changed."""
        with self._lock:
            known = self._sources.get(source, {}).get(object_id)
            if known is None:
                return Result()
            labels = [known.labels[number] for number in sorted(known.labels)]
            return Result(labels=labels or None, embedding=known.embedding)

    def trim(self, source: int, frame: int) -> None:
        """Forget objects of a source that were not seen for long."""
        with self._lock:
            objects = self._sources.get(source, {})
            gone = [number for number, known in objects.items() if frame - known.seen > UNSEEN]
            for number in gone:
                del objects[number]

    def forget(self, source: int) -> None:
        """A source has gone, and its track ids with it."""
        with self._lock:
            self._sources.pop(source, None)
