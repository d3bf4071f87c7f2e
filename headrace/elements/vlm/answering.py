"""Answers on their way back: attached to objects and frames, and drawn for a while."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from headrace.draw.text import text_size
from headrace.meta.batch import BatchMetadata
from headrace.meta.display import MAX_ELEMENTS, DisplayMetadata
from headrace.meta.frame import FrameMetadata
from headrace.meta.osd import Color, Font, Text
from headrace.meta.user import MetaType, UserMetadata
from headrace.vlm import VlmConfig, VlmRequest, VlmResult

_SIZE = 14
_COLUMNS, _LINES = 32, 6
_MARGIN = 8


@dataclass(slots=True)
class _Caption:
    """A text under an object, or in the corner of the frame, until a time of the stream in ns."""

    text: str
    until: int


class Answers:
    """Writes answers into the metadata of batches; all on the streaming thread.

    Args:
        config: Says which answers are drawn, and for how long.
    """

    def __init__(self, config: VlmConfig) -> None:
        self._config = config
        self._waiting: list[tuple[VlmRequest, VlmResult]] = []
        self._captions: dict[tuple[int, int | None], _Caption] = {}

    def write(self, meta: BatchMetadata, answers: Iterable[tuple[VlmRequest, VlmResult]]) -> None:
        """Attach answers and draw what is to be seen.

        An answer goes to its object, or to its source's frame where the object is not there any more. It waits while
        its source has no frame in the batch.
        """
        self._waiting += answers
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            frames = {frame.pad_index: frame for frame in reversed(meta.frames)}
            for request, result in waiting:
                frame = frames.get(request.pad_index)
                if frame is None:
                    self._waiting.append((request, result))
                else:
                    self._attach(frame, result)
        if self._captions:
            for frame in meta.frames:
                self._draw(meta, frame)

    def forget(self, pad: int) -> None:
        """A source has gone, and what was to be attached to it."""
        self._waiting = [item for item in self._waiting if item[0].pad_index != pad]
        for key in [key for key in self._captions if key[0] == pad]:
            del self._captions[key]

    def _attach(self, frame: FrameMetadata, result: VlmResult) -> None:
        item = UserMetadata(MetaType.VLM_RESULT, result)
        row = _row_of(frame, result.object_id)
        if row is None:
            frame.user.append(item)
        else:
            frame.table.user.setdefault(row, []).append(item)
        question = self._config.question(result.source_id)
        if question.draw:
            until = frame.buffer_pts + round(question.draw_time * 1e9)
            self._captions[frame.pad_index, result.object_id] = _Caption(_shown(result), until)

    def _draw(self, meta: BatchMetadata, frame: FrameMetadata) -> None:
        texts = []
        for key, caption in list(self._captions.items()):
            if key[0] != frame.pad_index:
                continue
            if frame.buffer_pts > caption.until:
                del self._captions[key]
                continue
            row = _row_of(frame, key[1])
            if row is not None or key[1] is None:
                texts.append(_text(frame, row, caption.text))
        display: DisplayMetadata | None = None
        for index, text in enumerate(texts):
            if display is None or index % MAX_ELEMENTS == 0:
                display = meta.acquire_display_meta()
                frame.append(display)
            display.add_text(text)


def _row_of(frame: FrameMetadata, object_id: int | None) -> int | None:
    """The object's row in this frame, ``None`` if it is not there."""
    if object_id is None:
        return None
    rows = frame.table.rows_of(frame.batch_id)
    found = rows[frame.table.column("object_id")[rows] == np.uint64(object_id)]
    return int(found[0]) if len(found) else None


def _shown(result: VlmResult) -> str:
    """The answer in a few short lines; of data a line for each member."""
    data = result.data
    text = (
        "\n".join(f"{key}: {value}" for key, value in data.items()) if isinstance(data, dict) else result.text
    )
    lines = [part for line in text.splitlines() for part in textwrap.wrap(line, _COLUMNS)]
    return "\n".join(lines[:_LINES]) + (" …" if len(lines) > _LINES else "")


def _text(frame: FrameMetadata, row: int | None, caption: str) -> Text:
    x = y = float(_MARGIN)
    if row is not None:
        left, top, _, height = np.nan_to_num(frame.table.cell("rect", row)).tolist()
        x, y = left, top + height
    width, height = text_size(caption, _SIZE)
    place = (min(x, frame.pipeline_width - width), min(y, frame.pipeline_height - height))
    white, ground = Color(1.0, 1.0, 1.0, 1.0), Color(0.0, 0.0, 0.0, 0.7)
    x, y = (max(int(value), 0) for value in place)
    return Text(caption, x, y, Font(size=_SIZE, color=white), True, ground)
