"""The overlay of one frame: which boxes, labels and shapes its metadata asks for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headrace.draw import (
    blur_boxes,
    class_colors,
    draw_boxes,
    draw_clock,
    draw_display,
    draw_keypoints,
    draw_labels,
    draw_masks,
    draw_texts,
)
from headrace.draw.palette import RGBA
from headrace.frames.frame import Frame
from headrace.meta.batch import BatchMetadata
from headrace.meta.columns import upright_boxes
from headrace.meta.object import text_of
from headrace.meta.objects import ACQUIRED, DEFAULT_BORDER, REMOVED, ObjectTable

_DEFAULT_WIDTH = 3
_DEFAULT_COLOR = (1.0, 0.0, 0.0, 1.0)
_MASK_ALPHA = 0.45


@dataclass(frozen=True, slots=True)
class OverlayOptions:
    """What is drawn.

    Attributes:
        text: Labels and display texts.
        boxes: Boxes of objects.
        masks: Instance masks.
        keypoints: Keypoints and the lines between them.
        clock: ``x, y, size, colour`` of a clock, ``None`` for none.
        by_class: Boxes and labels in the colour of their class.
        blur: 0 nothing, 1 boxes, 2 masks are made unrecognisable.
        blur_pairs: Component and class of what is blurred; empty for every object.
    """

    text: bool = True
    boxes: bool = True
    masks: bool = True
    clock: tuple[int, int, int, RGBA] | None = None
    by_class: bool = False
    blur: int = 0
    blur_pairs: frozenset[tuple[int, int]] = frozenset()
    keypoints: bool = True


class Overlay:
    """Draws the metadata of a batch; keeps nothing between frames."""

    def __init__(self, options: OverlayOptions) -> None:
        self.options = options

    def has_work(self, meta: BatchMetadata, index: int) -> bool:
        """Whether anything would be drawn, so that pixels nobody changes are not touched."""
        options, table = self.options, meta.objects
        if meta.displays or options.clock:
            return True
        some = (options.masks and table.masks) or (options.keypoints and table.skeletons)
        return bool(len(table) and (options.boxes or options.text or options.blur or some))

    def draw(self, frame: Frame, meta: BatchMetadata, index: int) -> None:
        """Draw onto a frame, in place, in its own format.

        Args:
            frame: Writable pixels.
            meta: Metadata of the batch.
            index: Which frame of the batch; metas appended to no frame are drawn on the first.
        """
        table, options = meta.objects, self.options
        rows = self._rows(table, index)
        if options.blur:
            self._blur(frame, table, rows)
        if options.boxes:
            self._boxes(frame, table, rows)
        if options.masks and table.masks:
            self._masks(frame, table, rows)
        if options.keypoints and table.skeletons:
            self._keypoints(frame, table, rows)
        if options.text:
            self._labels(frame, table, rows)
        for display in meta.displays:
            if display.frame == index or (display.frame < 0 and index == 0):
                texts = display.texts if options.text else ()
                draw_display(frame, display.rects, texts, display.lines, display.arrows, display.circles)
        if options.clock:
            x, y, size, color = options.clock
            draw_clock(frame, x, y, size, color)

    def _rows(self, table: ObjectTable, index: int) -> NDArray[np.intp]:
        frames, states = table.column("frame"), table.column("state")
        shown = (frames == index) & (states != REMOVED)
        if index == 0:
            shown |= states == ACQUIRED
        return np.flatnonzero(shown)

    def _boxes(self, frame: Frame, table: ObjectTable, rows: NDArray[np.intp]) -> None:
        widths = table.column("border_width")[rows]
        colors = table.column("border_color")[rows]
        unset = widths == DEFAULT_BORDER
        if self.options.by_class:
            colors = class_colors(table.column("class_id")[rows])
        elif unset.any():
            bare = unset & (colors[:, 3] == 0)
            colors = np.where(bare[:, None], np.array(_DEFAULT_COLOR, np.float32), colors)
        widths = np.where(unset, _DEFAULT_WIDTH, widths)
        rotation = table.column("rotation")[rows]
        draw_boxes(
            frame,
            table.column("rect")[rows],
            widths,
            colors,
            table.column("has_bg_color")[rows],
            table.column("bg_color")[rows],
            rotation if rotation.any() else None,
        )

    def _masks(self, frame: Frame, table: ObjectTable, rows: NDArray[np.intp]) -> None:
        with_mask = [row for row in rows.tolist() if row in table.masks and table.masks[row].mask_array.size]
        if not with_mask:
            return
        colors = class_colors(table.column("class_id")[with_mask]).copy()
        colors[:, 3] = _MASK_ALPHA
        draw_masks(frame, table.column("rect")[with_mask], [table.masks[row] for row in with_mask], colors)

    def _keypoints(self, frame: Frame, table: ObjectTable, rows: NDArray[np.intp]) -> None:
        chosen = [row for row in rows.tolist() if row in table.skeletons]
        colors = class_colors(table.column("class_id")[chosen])
        draw_keypoints(frame, [table.skeletons[row] for row in chosen], colors)

    def _labels(self, frame: Frame, table: ObjectTable, rows: NDArray[np.intp]) -> None:
        own = [table.texts[row] for row in rows.tolist() if row in table.texts]
        plain = [row for row in rows.tolist() if row not in table.texts]
        texts = [text_of(table, row) for row in plain]
        if self.options.by_class:
            grounds = class_colors(table.column("class_id")[plain])
        else:
            grounds = np.array((0.0, 0.0, 0.0, 1.0), np.float32)
        draw_labels(frame, texts, upright_boxes(table, plain), grounds)
        draw_texts(frame, own)

    def _blur(self, frame: Frame, table: ObjectTable, rows: NDArray[np.intp]) -> None:
        pairs = self.options.blur_pairs
        if pairs:
            ids = zip(
                table.column("component_id")[rows].tolist(),
                table.column("class_id")[rows].tolist(),
                strict=True,
            )
            rows = rows[[pair in pairs for pair in ids]]
        blur_boxes(frame, upright_boxes(table, rows))
