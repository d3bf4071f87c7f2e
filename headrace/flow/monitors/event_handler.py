"""EventHandler: a click in the window picks a tile (contract §6)."""

from __future__ import annotations

import weakref
from typing import Any

from gi.repository import Gst

from headrace.draw.tiler import TileLayout
from headrace.errors import PipelineError
from headrace.flow.node import Node
from headrace.gst import payload
from headrace.gst.structures import structure_of
from headrace.gst.threads import keep_thread_state
from headrace.meta.batch import Batch

_ALL = -1
_LEFT = 1


class EventHandler:
    """Changes ``show-source`` of a tiler as the user points at tiles.

    A click with the left button shows the tile's source alone, any other click all of them; a digit's key shows
    that source, any other key all.

    Args:
        tiler: The tiler.
        osd: The overlay; not needed, for DeepStream's call.
        renderer: The sink, whose window sends the events.

    Example:
        >>> from headrace import Pipeline
        >>> pipeline = Pipeline("example").add("nvmultistreamtiler", "tiler").add("fakesink", "sink")
        >>> handler = EventHandler(tiler=pipeline["tiler"], renderer=pipeline["sink"])
        >>> handler.start(), handler.started
        (True, True)
    """

    def __init__(
        self, tiler: Node | None = None, osd: Node | None = None, renderer: Node | None = None
    ) -> None:
        if tiler is None or renderer is None:
            raise PipelineError("an EventHandler needs tiler= and renderer=")
        self.tiler, self.osd, self.renderer = tiler, osd, renderer
        self._probes: list[tuple[Gst.Pad, int]] = []
        self._sources = 0

    @property
    def started(self) -> bool:
        """Whether it listens."""
        return bool(self._probes)

    def start(self) -> bool:
        """Begin to listen; returns whether it does: not without pads."""
        if not self._probes:
            self._listen(self.renderer, Gst.PadProbeType.EVENT_UPSTREAM, _on_event)
            self._listen(self.tiler, Gst.PadProbeType.BUFFER, _on_buffer)
        return self.started

    def stop(self) -> None:
        """Listen no longer."""
        for pad, number in self._probes:
            pad.remove_probe(number)
        self._probes.clear()

    def _listen(self, node: Node, kind: Gst.PadProbeType, answer: Any) -> None:
        weak = weakref.ref(self)

        def probe(pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
            keep_thread_state()
            handler = weak()
            if handler is None:
                return Gst.PadProbeReturn.REMOVE
            answer(handler, pad, info)
            return Gst.PadProbeReturn.OK

        for pad in node.element.sinkpads[:1]:
            self._probes.append((pad, pad.add_probe(kind, probe)))

    def saw(self, source: int) -> None:
        """A source of this index is among the tiles."""
        self._sources = max(self._sources, source + 1)

    def clicked(self, button: int, x: float, y: float, size: tuple[int, int]) -> None:
        """A button was pressed at a place of a picture of this size, in pixels."""
        alone = self.tiler.get("show-source")
        source = self._source_at(x, y, size) if button == _LEFT and alone == _ALL else _ALL
        self.tiler.set({"show-source": source})

    def typed(self, key: str) -> None:
        """A key was pressed."""
        shown = key.isdecimal() and int(key) < self._sources
        self.tiler.set({"show-source": int(key) if shown else _ALL})

    def _source_at(self, x: float, y: float, size: tuple[int, int]) -> int:
        rows, columns = self.tiler.get("rows"), self.tiler.get("columns")
        layout = TileLayout(self._sources, rows, columns, *size)
        for source in range(self._sources):
            left, top, width, height = layout.cell(source)
            if left <= x < left + width and top <= y < top + height:
                return source
        return _ALL


def _on_event(handler: EventHandler, pad: Gst.Pad, info: Gst.PadProbeInfo) -> None:
    event = info.get_event()
    told = structure_of(event) if event.type == Gst.EventType.NAVIGATION else None
    if told is None:
        return
    kind = told.get_string("event")
    if kind == "mouse-button-press":
        caps = pad.get_current_caps()
        size = structure_of(caps, 0) if caps is not None else None
        width, height = (size.get_value("width"), size.get_value("height")) if size is not None else (0, 0)
        place = told.get_value("pointer_x"), told.get_value("pointer_y")
        handler.clicked(told.get_value("button"), *place, (width, height))
    elif kind == "key-press":
        handler.typed(told.get_string("key"))


def _on_buffer(handler: EventHandler, _pad: Gst.Pad, info: Gst.PadProbeInfo) -> None:
    batch = payload.find(hash(info.get_buffer()))
    for frame in batch.meta.frames if isinstance(batch, Batch) else ():
        handler.saw(frame.pad_index)
