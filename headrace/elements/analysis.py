"""Analysers of all sources, reading and writing the metadata of frames."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headrace.analytics import Analyser, AnalyticsConfig, FrameResult, StreamRules
from headrace.analytics.drawing import Shape, banner, shapes
from headrace.meta.analytics import AnalyticsFrameMeta, AnalyticsObjInfo
from headrace.meta.batch import BatchMetadata
from headrace.meta.columns import upright_boxes
from headrace.meta.display import MAX_ELEMENTS, DisplayMetadata
from headrace.meta.frame import FrameMetadata
from headrace.meta.object import ObjectMetadata
from headrace.meta.objects import UNTRACKED, ObjectTable
from headrace.meta.osd import Arrow, Color, Line
from headrace.meta.user import MetaType, UserMetadata

_log = logging.getLogger(__name__)
_NS_PER_MS = 1e6


class StreamAnalysers:
    """One analyser for each pad index that has rules.

    Args:
        config: The rules.
        unique_id: Component id written into the metas.
    """

    def __init__(self, config: AnalyticsConfig, unique_id: int) -> None:
        self._config, self._unique_id = config, unique_id
        self._analysers: dict[int, Analyser] = {}
        self._warned: set[int] = set()

    def look(self, meta: BatchMetadata) -> None:
        """Analyse the frames of a batch."""
        for frame in meta.frames if self._config.enable else ():
            self._update(meta, frame)

    def forget(self, pad: int) -> None:
        """A source has ended: its histories and counters go too."""
        self._analysers.pop(pad, None)
        self._warned.discard(pad)

    def close(self) -> None:
        """The pipeline has ended; nothing is to be done."""

    def _update(self, meta: BatchMetadata, frame: FrameMetadata) -> None:
        """Analyse one frame: metas for frame and objects, and what is to be drawn."""
        analyser = self._of(frame)
        table = frame.table
        rows = table.rows_of(frame.batch_id)
        ids = table.column("object_id")[rows]
        tracked = ids != np.uint64(UNTRACKED)
        self._check_tracked(frame, analyser.rules, tracked)
        boxes = upright_boxes(table, rows).astype(np.float64)
        boxes[:, 2:] += boxes[:, :2]
        result = analyser.update(
            ids, table.column("class_id")[rows], boxes, frame.buffer_pts / _NS_PER_MS, tracked
        )
        write_results(frame, rows.tolist(), result, self._unique_id)
        self._draw(meta, frame, analyser.rules, result, rows)

    def _of(self, frame: FrameMetadata) -> Analyser:
        analyser = self._analysers.get(frame.pad_index)
        if analyser is None:
            rules = self._config.streams.get(frame.pad_index, StreamRules())
            size = (frame.pipeline_width, frame.pipeline_height)
            analyser = self._analysers[frame.pad_index] = Analyser(self._config, rules, size)
        return analyser

    def _check_tracked(self, frame: FrameMetadata, rules: StreamRules, tracked: NDArray[np.bool_]) -> None:
        needed = rules.lines or rules.directions
        if needed and not tracked.all() and frame.pad_index not in self._warned:
            self._warned.add(frame.pad_index)
            _log.warning(
                "source %d: objects without a track have neither direction nor crossings; put nvtracker before",
                frame.pad_index,
            )

    def _draw(
        self,
        meta: BatchMetadata,
        frame: FrameMetadata,
        rules: StreamRules,
        result: FrameResult,
        rows: NDArray[np.intp],
    ) -> None:
        config = self._config
        wanted: list[Shape] = []
        if config.osd_mode:
            wanted += shapes(rules, result, config.font_size, config.osd_mode == 2)
        if config.show_counts:
            wanted += banner(result, config.font_size)
        draw_shapes(meta, frame, wanted)
        if config.osd_mode == 2:
            mark(frame.table, rows.tolist(), result)


def write_results(frame: FrameMetadata, rows: Sequence[int], result: FrameResult, unique_id: int) -> None:
    """Attach what was found to the frame, and to those of its objects that there is something to say of."""
    found = AnalyticsFrameMeta(
        oc_status=result.crowded, obj_in_roi_cnt=result.in_roi, obj_lc_curr_cnt=result.line_now,
        obj_lc_cum_cnt=result.line_total, obj_cnt=result.per_class, unique_id=unique_id,
    )  # fmt: skip
    frame.user.append(UserMetadata(MetaType.FRAME_ANALYTICS, found))
    for row, one in zip(rows, result.objects, strict=True):
        if one is not None:
            info = AnalyticsObjInfo(
                roi_status=one.rois, oc_status=one.crowds, lc_status=one.lines,
                dir_status=one.direction, obj_status=one.status, unique_id=unique_id,
            )  # fmt: skip
            frame.table.user.setdefault(row, []).append(UserMetadata(MetaType.OBJ_ANALYTICS, info))


def draw_shapes(meta: BatchMetadata, frame: FrameMetadata, wanted: Sequence[Shape]) -> None:
    """Have shapes drawn on a frame."""
    display: DisplayMetadata | None = None
    for index, shape in enumerate(wanted):
        if display is None or index % MAX_ELEMENTS == 0:
            display = meta.acquire_display_meta()
            frame.append(display)
        if isinstance(shape, Line):
            display.add_line(shape)
        elif isinstance(shape, Arrow):
            display.add_arrow(shape)
        else:
            display.add_text(shape)


def mark(table: ObjectTable, rows: Sequence[int], result: FrameResult) -> None:
    """Show the status with each object's label; invert its box when it is in a region or crosses a line."""
    for row, found in zip(rows, result.objects, strict=True):
        if found is None:
            continue
        view = ObjectMetadata._at(table, row)
        if found.rois or found.lines:
            rect = view.rect_params
            red, green, blue, alpha = rect.border_color.rgba
            rect.border_color = Color(1 - red, 1 - green, 1 - blue, alpha)
        if found.status:
            view.text_params.display_text += f" {found.status}"
