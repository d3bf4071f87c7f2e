"""How far two models agree on the same pictures: results in, numbers out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import lap
import numpy as np
from numpy.typing import NDArray

from headrace.infer.result import Result
from headrace.meta import Detections
from headrace.meta.boxes import pairwise_iou

#: Overlap from which two boxes are the same object.
SAME = 0.5


@dataclass(slots=True)
class ClassAgreement:
    """Objects of one class.

    Attributes:
        both: Found by both models, in this class.
        only_first: Found by the first model only.
        only_second: Found by the second model only.
        changed: Found by both, by the first in this class, by the second in another: by that one's name.
        gone: Found by both, by the second in this class, by the first in another.
    """

    both: int = 0
    only_first: int = 0
    only_second: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    gone: int = 0

    @property
    def f1(self) -> float:
        """F1 score of the second model if the first were the truth; 1 where neither found anything."""
        wrong = self.only_first + self.only_second + self.changed.total() + self.gone
        return 2 * self.both / (2 * self.both + wrong) if self.both or wrong else 1.0


class Agreement:
    """Compares what two models said of pictures, and keeps count.

    Objects are the same when their boxes overlap enough; pairs of the same class come first, then those of different
    classes. Classes are compared by name where both models have names, otherwise by number.

    Args:
        same: Overlap that is enough, intersection over union.

    Attributes:
        pictures: Number of pictures.
        classes: Counts by the name of the class.
        same_label: Pictures for which the first label of both is the same; of classifiers.
        other_label: Pictures for which it is not.

    Example:
        >>> agreement, cat = Agreement(), Detections([[0, 0, 9, 9]], [0.8], [0])
        >>> agreement.add(Result(cat, ("cat",)), Result(cat, ("dog",)))
        >>> agreement.f1, agreement.classes["cat"].changed
        (0.0, Counter({'dog': 1}))
    """

    def __init__(self, same: float = SAME) -> None:
        self._same = same
        self.pictures = self.same_label = self.other_label = 0
        self.classes: dict[str, ClassAgreement] = {}
        self._deltas = np.zeros(3)  # number of pairs, sum of differences, sum of their amounts

    @property
    def f1(self) -> float:
        """F1 score of the second model over all objects if the first were the truth; 1 where none was found."""
        both = sum(one.both for one in self.classes.values())
        # An object whose class changed is one too many for one class and one missing for another.
        wrong = sum(
            one.only_first + one.only_second + one.changed.total() + one.gone for one in self.classes.values()
        )
        return 2 * both / (2 * both + wrong) if both or wrong else 1.0

    def add(self, first: Result, second: Result) -> None:
        """Compare what was said of one picture."""
        self.pictures += 1
        if first.detections is not None or second.detections is not None:
            named = all(one.names for one in (first, second) if one.detections is not None)
            self._add_objects(*_objects(first, named), *_objects(second, named))
        if first.labels is not None or second.labels is not None:
            same = _first_label(first) == _first_label(second)
            self.same_label += same
            self.other_label += not same

    def _add_objects(
        self, first: Detections, names: list[str], second: Detections, others: list[str]
    ) -> None:
        rows, columns = pairs(
            first.xyxy, second.xyxy, np.array(names)[:, None] == np.array(others)[None], self._same
        )
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if names[row] == others[column]:
                self._of(names[row]).both += 1
            else:
                self._of(names[row]).changed[others[column]] += 1
                self._of(others[column]).gone += 1
        for row in np.setdiff1d(np.arange(len(first)), rows).tolist():
            self._of(names[row]).only_first += 1
        for column in np.setdiff1d(np.arange(len(second)), columns).tolist():
            self._of(others[column]).only_second += 1
        deltas = second.confidence[columns].astype(float) - first.confidence[rows]
        self._deltas += len(deltas), deltas.sum(), np.abs(deltas).sum()

    def _of(self, name: str) -> ClassAgreement:
        return self.classes.setdefault(name, ClassAgreement())

    def to_dict(self) -> dict[str, Any]:
        """The counts as plain data; what was not compared is left out."""
        told: dict[str, Any] = {"pictures": self.pictures}
        if self.classes:
            count, total, amount = self._deltas.tolist()
            told["f1"] = round(self.f1, 4)
            told["confidence_delta"] = round(total / count, 4) if count else None
            told["confidence_delta_amount"] = round(amount / count, 4) if count else None
            told["classes"] = {name: _told(one) for name, one in sorted(self.classes.items())}
        if self.same_label or self.other_label:
            told["labels"] = {"same": self.same_label, "other": self.other_label}
        return told


def pairs(
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    same_class: NDArray[np.bool_],
    same: float = SAME,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of boxes ``(n, 4)`` and ``(m, 4)`` that belong together, one with one.

    As many pairs of the same class as there can be, then as much overlap as there can be.

    Args:
        first: Left, top, right, bottom.
        second: The same.
        same_class: ``(n, m)``.
        same: Least overlap of a pair.

    Returns:
        Rows of the first and of the second.
    """
    if not len(first) or not len(second):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    overlap = pairwise_iou(first, second)
    allowed = overlap >= same
    worth = np.where(allowed, overlap + 2.0 * same_class.reshape(overlap.shape), 0.0)
    columns = lap.lapjv(3.0 - worth, extend_cost=True, return_cost=False)[0]
    rows = np.flatnonzero(columns >= 0)
    rows = rows[allowed[rows, columns[rows]]]
    return rows, columns[rows]


def _objects(result: Result, named: bool) -> tuple[Detections, list[str]]:
    found = result.detections if result.detections is not None else Detections.empty()
    names: Sequence[str] = result.names if named else ()
    return found, [
        names[number] if number < len(names) else str(number) for number in found.class_id.tolist()
    ]


def _first_label(result: Result) -> str | None:
    return result.labels[0].label or str(result.labels[0].class_id) if result.labels else None


def _told(one: ClassAgreement) -> dict[str, Any]:
    told = {
        "f1": round(one.f1, 4),
        "both": one.both,
        "only_model": one.only_first,
        "only_shadow": one.only_second,
    }
    return {**told, "changed": dict(one.changed)} if one.changed else told
