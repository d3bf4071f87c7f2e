"""Analyser: the rules of one stream applied to its frames, one after another."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from headrace.analytics.conditions import goes_far, moves_along, sense_of, stopped
from headrace.analytics.config import AnalyticsConfig, Line, StreamRules
from headrace.analytics.crossing import Crossings
from headrace.analytics.geometry import inside
from headrace.analytics.history import CountSmoother, History
from headrace.analytics.tracks import Tracks, usable

#: Frames of history, and ms of the counting window, unless the configuration says otherwise (contract: configs §4).
DEFAULT_WINDOW = 50
#: An object not seen for so many seconds is forgotten (contract: configs §4).
FORGET_S = 8.0
Boxes = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass
class ObjectResult:
    """What the rules say of one object.

    Attributes:
        rois: Regions it is in.
        crowds: Crowded regions it is in.
        lines: Lines it crossed in this frame.
        direction: Direction it moves in, empty for none.
        status: All of it as one text.
    """

    rois: list[str] = field(default_factory=list)
    crowds: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    direction: str = ""
    status: str = ""


@dataclass
class FrameResult:
    """What the rules say of one frame.

    Attributes:
        objects: One entry for each object that was given, ``None`` for those nothing applies to.
        in_roi: Objects in each region, crowd regions included.
        crowded: Whether each crowd region is crowded.
        line_now: Crossings of each line in this frame.
        line_total: Crossings of each line since the stream began.
        per_class: Objects of each class, smoothed.
    """

    objects: list[ObjectResult | None]
    in_roi: dict[str, int]
    crowded: dict[str, bool]
    line_now: dict[str, int]
    line_total: dict[str, int]
    per_class: dict[int, int]


class Analyser:
    """Rules, histories and counters of one stream; used by one thread.

    Args:
        config: Window and nominal frame size.
        rules: The stream's rules, in pixels of the nominal frame.
        frame_size: Width and height of the actual frames.

    Example:
        >>> from headrace.analytics.config import Region
        >>> square = Region("gate", np.array([[0, 0], [50, 0], [50, 50], [0, 50]], float))
        >>> analyser = Analyser(AnalyticsConfig(100, 100), StreamRules(regions=(square,)), (200, 200))
        >>> found = analyser.update(np.array([1]), np.array([0]), np.array([[40.0, 20, 80, 60]]), 0.0)
        >>> found.in_roi, found.objects[0].status
        ({'gate': 1}, 'ROI:gate')
    """

    def __init__(self, config: AnalyticsConfig, rules: StreamRules, frame_size: tuple[int, int]) -> None:
        self.rules = rules.scaled(frame_size[0] / config.width, frame_size[1] / config.height)
        window = config.window_ms or DEFAULT_WINDOW
        self._tracks = Tracks(forget=FORGET_S)
        self._history = History(self._tracks, window)
        ends = np.array([line.ends for line in self.rules.lines]).reshape(-1, 2, 2)
        endless = np.array([line.extended for line in rules.lines], bool)
        self._crossings = Crossings(self._tracks, ends, endless)
        self._senses = np.array([sense_of(line) for line in self.rules.lines], np.int8)
        #: Who has come across a line, waits to have come far enough, and is counted then.
        self._across = self._tracks.column(len(rules.lines), dtype=bool, fill=False)
        self._counted = self._tracks.column(len(rules.lines), dtype=bool, fill=False)
        self._counts = CountSmoother(window)
        self._totals = {line.label: 0 for line in rules.lines}

    def update(
        self,
        ids: NDArray[np.uint64],
        class_ids: NDArray[np.int32],
        xyxy: Boxes,
        now_ms: float,
        tracked: Mask | None = None,
    ) -> FrameResult:
        """Apply the rules to the objects of one frame.

        Args:
            ids: Track ids ``(n,)``.
            class_ids: Classes ``(n,)``.
            xyxy: Boxes ``(n, 4)`` in pixels of the frame.
            now_ms: Stream time.
            tracked: Which ids are real; ``None`` for all. Others are counted in regions, but have no history and so
                neither direction nor crossings.
        """
        boxes = np.asarray(xyxy, np.float64)
        known = np.ones(len(ids), bool) if tracked is None else tracked
        good = usable(boxes)
        if good is not None:
            self._tracks.skipped += int((~good).sum())
            found = self.update(ids[good], class_ids[good], boxes[good], now_ms, known[good])
            there = iter(found.objects)
            return replace(found, objects=[next(there) if one else None for one in good.tolist()])
        results = [ObjectResult() for _ in ids]
        size = boxes[:, 2:] - boxes[:, :2]
        rows = self._tracks.update(ids[known], class_ids[known], boxes[known], now_ms / 1e3)
        self._history.update(rows, np.hstack([boxes[known, :2] + size[known] / 2, size[known]]))
        in_roi, crowded = self._regions(results, class_ids, self._feet(boxes, size, rows, known))
        self._directions(results, class_ids, rows, known)
        line_now = self._lines(results, class_ids, rows, size, known)
        numbers, counts = np.unique(class_ids, return_counts=True)
        per_class = self._counts.update(dict(zip(numbers.tolist(), counts.tolist(), strict=True)), now_ms)
        objects = [result if result.status or result.crowds else None for result in results]
        return FrameResult(objects, in_roi, crowded, line_now, dict(self._totals), per_class)

    def _feet(self, boxes: Boxes, size: Boxes, rows: NDArray[np.intp], known: Mask) -> Boxes:
        """Where objects stand: below the centre by half the mean height, which flickers less than the box."""
        height = size[:, 1].copy()
        height[known] = self._history.mean_height(rows)
        centre = boxes[:, :2] + size / 2
        centre[:, 1] += height / 2
        return centre

    def _regions(
        self, results: list[ObjectResult], classes: NDArray[np.int32], feet: Boxes
    ) -> tuple[dict[str, int], dict[str, bool]]:
        counts: dict[str, int] = {}
        crowded: dict[str, bool] = {}
        for region in self.rules.regions:
            members = np.flatnonzero(
                (inside(feet, region.polygon) != region.inverse) & _of(classes, region.classes)
            )
            counts[region.label] = len(members)
            for index in members.tolist():
                results[index].rois.append(region.label)
                results[index].status += f"ROI:{region.label}"
        for region in self.rules.crowds:
            members = np.flatnonzero(inside(feet, region.polygon) & _of(classes, region.classes))
            counts[region.label] = len(members)
            crowded[region.label] = len(members) >= region.limit
            for index in members.tolist() if crowded[region.label] else ():
                results[index].crowds.append(region.label)
        return counts, crowded

    def _directions(
        self, results: list[ObjectResult], classes: NDArray[np.int32], rows: NDArray[np.intp], known: Mask
    ) -> None:
        if not self.rules.directions or not len(rows):
            return
        places = np.flatnonzero(known)
        still = stopped(self._history, rows)
        for rule in self.rules.directions:
            moving = moves_along(self._history, rows, rule) & _of(classes[known], rule.classes) & ~still
            for index in places[moving].tolist():
                results[index].direction = rule.label
                results[index].status += f" DIR:{rule.label} "
        for index in places[still].tolist():
            results[index].status += "STOPPED"

    def _lines(
        self,
        results: list[ObjectResult],
        classes: NDArray[np.int32],
        rows: NDArray[np.intp],
        size: Boxes,
        known: Mask,
    ) -> dict[str, int]:
        places, now = np.flatnonzero(known), dict.fromkeys(self._totals, 0)
        if not now:
            return now
        lost = self._tracks.sweep()
        sides = [(rows, self._crossings.update(rows, size[known, 0] / 2), places.tolist())]
        if len(lost):
            sides.append((lost, self._crossings.settle(lost), []))
        for whom, crossed, shown in sides:
            for one in crossed:
                self._across.array[one.row, one.line] = self._senses[one.line] in (0, one.sense)
            across = self._across.array[whom]
            waiting = across & ~self._counted.array[whom]
            if not waiting.any():
                continue
            for number, rule in enumerate(self.rules.lines):
                if waiting[:, number].any():
                    came = waiting[:, number] & self._far(whom, number, rule)
                    came &= _of(self._tracks.class_id.array[whom], rule.classes)
                    self._counted.array[whom[came], number] = True
                    now[rule.label] += int(came.sum())
                    self._totals[rule.label] += int(came.sum())
                    for index in (shown[i] for i in np.flatnonzero(came).tolist() if shown):
                        results[index].lines.append(rule.label)
                        results[index].status += f" LC:{rule.label} "
        return now

    def _far(self, rows: NDArray[np.intp], number: int, rule: Line) -> Mask:
        way = self._tracks.foot.array[rows] - self._crossings.origin.array[rows, number]
        return goes_far(way, self._tracks.seen.array[rows], rule)


def _of(class_ids: NDArray[np.int32], wanted: tuple[int, ...] | None) -> Mask:
    return np.ones(len(class_ids), bool) if wanted is None else np.isin(class_ids, wanted)
