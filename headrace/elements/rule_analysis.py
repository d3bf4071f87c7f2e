"""The rules of a YAML file for all sources, reading and writing the metadata of frames."""

from __future__ import annotations

import logging

import numpy as np

from headrace.analytics import (
    Analysis,
    AnalyticsSettings,
    FrameResult,
    Moment,
    ObjectResult,
    SourceAnalysis,
    StreamRules,
)
from headrace.analytics.config import Line, Region
from headrace.analytics.drawing import shapes
from headrace.elements.analysis import draw_shapes, mark, write_results
from headrace.meta.batch import BatchMetadata
from headrace.meta.columns import upright_boxes
from headrace.meta.frame import FrameMetadata
from headrace.meta.objects import UNTRACKED
from headrace.meta.user import MetaType, UserMetadata

_log = logging.getLogger(__name__)
_NS = 1e9
_UNSET = 2**64 - 1
_FONT = 12


class RuleAnalysis:
    """One `SourceAnalysis` for each pad index, and the metas that come of them.

    Args:
        settings: The file.
        unique_id: Component id written into the metas.
    """

    def __init__(self, settings: AnalyticsSettings, unique_id: int) -> None:
        self._settings, self._unique_id = settings, unique_id
        self._analysis = Analysis(settings)
        self._shown: dict[int, StreamRules] = {}
        self._warned: set[int] = set()

    def look(self, meta: BatchMetadata) -> None:
        """Apply the rules to a batch: metas for frames and objects, events, and what is to be drawn."""
        moments = [self._moment(frame) for frame in meta.frames]
        self._analysis.finish(moments)
        for frame, moment in zip(meta.frames, moments, strict=True):
            self._write(meta, frame, moment)

    def forget(self, pad: int) -> None:
        """A source has ended."""
        self._analysis.forget(pad)
        self._shown.pop(pad, None)
        self._warned.discard(pad)

    def close(self) -> None:
        """The pipeline has ended."""
        self._analysis.close()

    def _moment(self, frame: FrameMetadata) -> Moment:
        table = frame.table
        rows = table.rows_of(frame.batch_id)
        ids = table.column("object_id")[rows]
        tracked = ids != np.uint64(UNTRACKED)
        if not tracked.all():
            if frame.pad_index not in self._warned:
                self._warned.add(frame.pad_index)
                _log.warning(
                    "source %d: objects without a track are left out; put nvtracker before", frame.pad_index
                )
            rows, ids = rows[tracked], ids[tracked]
        boxes = upright_boxes(table, rows).astype(np.float64)
        boxes[:, 2:] += boxes[:, :2]
        source = self._analysis.source(frame.pad_index, (frame.pipeline_width, frame.pipeline_height))
        # Without a time stamp frames are taken to come 30 times a second.
        time = frame.frame_number / 30 if frame.buffer_pts == _UNSET else frame.buffer_pts / _NS
        labels = table.column("label")[rows].tolist()
        classes = table.column("class_id")[rows]
        return source.update(ids, classes, boxes, frame.frame_number, time, labels, frame.source_id)

    def _write(self, meta: BatchMetadata, frame: FrameMetadata, moment: Moment) -> None:
        frame.user += [UserMetadata(MetaType.ANALYTICS_EVENT, event) for event in moment.events]
        if moment.trajectories is not None:
            frame.user.append(UserMetadata(MetaType.TRAJECTORIES, moment.trajectories))
        result = _result(moment)
        rows = _table_rows(frame, moment)
        write_results(frame, rows, result, self._unique_id)
        if self._settings.draw:
            rules = self._shown.get(frame.pad_index)
            if rules is None:
                rules = self._shown[frame.pad_index] = _drawn(moment.source)
            draw_shapes(meta, frame, list(shapes(rules, result, _FONT, counts=True)))
            mark(frame.table, rows, result)


def _table_rows(frame: FrameMetadata, moment: Moment) -> list[int]:
    """The row in the table of each object of the moment."""
    rows = frame.table.rows_of(frame.batch_id)
    place = dict(zip(frame.table.column("object_id")[rows].tolist(), rows.tolist(), strict=True))
    return [place[one] for one in moment.ids.tolist()]


def _result(moment: Moment) -> FrameResult:
    """The same as the rules of nvdsanalytics give, so that programs read one kind of metadata."""
    source = moment.source
    objects: list[ObjectResult | None] = [None] * len(moment.ids)

    def of(index: int) -> ObjectResult:
        found = objects[index]
        if found is None:
            found = objects[index] = ObjectResult()
        return found

    for index, zone in np.argwhere(moment.inside).tolist():
        name = source.zone_names[zone]
        of(index).rois.append(name)
        of(index).status += f"ROI:{name}"
    now = dict.fromkeys(source.line_names, 0)
    for one in moment.crossed:
        name = source.line_names[one.line]
        now[name] += 1
        if one.at >= 0:
            of(one.at).lines.append(name)
            of(one.at).status += f" LC:{name} "
    counts = dict(zip(source.zone_names, moment.inside.sum(axis=0).tolist(), strict=True))
    total = dict(zip(source.line_names, source.totals.sum(axis=1).tolist(), strict=True))
    numbers, amounts = np.unique(moment.class_ids, return_counts=True)
    per_class = dict(zip(numbers.tolist(), amounts.tolist(), strict=True))
    return FrameResult(objects, counts, {}, now, total, per_class)


def _drawn(source: SourceAnalysis) -> StreamRules:
    """Zones and lines as the drawing of nvdsanalytics knows them; arrows point forward."""
    regions = [Region(name, one) for name, one in zip(source.zone_names, source.polygons, strict=True)]
    lines = []
    for name, ends in zip(source.line_names, source.ends, strict=True):
        middle, along = ends.mean(axis=0), ends[1] - ends[0]
        ahead = middle + 0.15 * np.array([-along[1], along[0]])
        lines.append(Line(name, np.array([middle, ahead]), ends))
    return StreamRules(tuple(regions), (), tuple(lines))
