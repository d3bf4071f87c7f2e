"""What models return of a picture as a whole: its classes, or what it looks like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.meta import Label
from headrace.meta.detections import to_numpy


@dataclass(slots=True)
class Labels:
    """The classes of one picture: any number of them, none included.

    Names are those of the model's ``labels``.

    Attributes:
        class_id: ``(m,)`` from 0.
        confidence: ``(m,)`` in 0–1; ones when left out.

    Raises:
        ValueError: The columns differ in length.

    Example:
        >>> Labels([2, 0], [0.9, 0.6]).named(("day", "night", "rain"))[0]
        Label(label='rain', class_id=2, prob=0.8999999761581421, label_id=0, num_classes=3)
    """

    class_id: NDArray[np.int32]
    confidence: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))

    def __post_init__(self) -> None:
        self.class_id = to_numpy(self.class_id, np.int32).reshape(-1)
        self.confidence = to_numpy(self.confidence, np.float32).reshape(-1)
        if not len(self.confidence):
            self.confidence = np.ones(len(self.class_id), np.float32)
        if len(self.confidence) != len(self.class_id):
            counts = f"{len(self.confidence)} entries for {len(self.class_id)} classes"
            raise ValueError(f"confidence has {counts}; give one for each class")

    @classmethod
    def from_scores(cls, scores: Any, least: float = 0.5) -> Labels:
        """The classes whose score reaches a limit, best first.

        Args:
            scores: ``(classes,)`` in 0–1, independent of each other.
            least: The limit.

        Example:
            >>> Labels.from_scores([0.1, 0.6, 0.9]).class_id.tolist()
            [2, 1]
        """
        values = to_numpy(scores, np.float32).reshape(-1)
        order = np.argsort(-values, kind="stable")
        best = order[values[order] >= least]
        return cls(best.astype(np.int32), values[best])

    def named(self, names: Sequence[str]) -> tuple[Label, ...]:
        """The classes as metadata has them; a class without a name is named by its number."""
        pairs = enumerate(zip(self.class_id.tolist(), self.confidence.tolist(), strict=True))
        return tuple(
            Label(names[number] if number < len(names) else str(number), number, value, place, len(names))
            for place, (number, value) in pairs
        )


@dataclass(slots=True)
class Embeddings:
    """What one picture looks like or means, for comparisons with others.

    Attributes:
        vector: ``(d,)`` float32; ``(1, d)`` is taken, too.
        normalise: Whether the vector is brought to length 1, so that a dot product is the cosine.

    Raises:
        ValueError: The vector has another shape.

    Example:
        >>> Embeddings([0.0, 4.0], normalise=True).vector.tolist()
        [0.0, 1.0]
    """

    vector: NDArray[np.float32]
    normalise: bool = False

    def __post_init__(self) -> None:
        values = to_numpy(self.vector, np.float32)
        if values.ndim == 2 and len(values) == 1:
            values = values[0]
        if values.ndim != 1 or not len(values):
            raise ValueError(
                f"vector has the shape {values.shape}; expected (d,), one vector for each picture"
            )
        length = float(np.linalg.norm(values)) if self.normalise else 1.0
        self.vector = (values / length).astype(np.float32) if length > 0 else values
