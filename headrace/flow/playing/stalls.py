"""Whether a pipeline in which something failed can still come to an end by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gi

gi.require_version("GstBase", "1.0")
from gi.repository import Gst, GstBase  # noqa: E402

from headrace.elements.base.async_filter import AsyncFilter  # noqa: E402
from headrace.flow.linking import pads_of  # noqa: E402

#: Elements whose sources come and go: they outlive any source.
_DYNAMIC = ("nvmultiurisrcbin", "nvdsdynamicsrcbin", "rtspsrc")
#: Looks without progress after which nothing is expected any more; the pipeline's thread looks ten times a second.
#: Not seconds: of a process that stood still, many have passed in which nothing could be done.
PATIENCE = 50


class StallWatch:
    """Notices that no data flows any more, after an error has cut a stream.

    An element that fails stops what is in front of it and tells nothing to what is behind, so end of stream never
    comes. The watch asks whether every source has stopped and no sink has got anything for a while. Pipelines
    whose sources come and go, and live ones, are never taken for stalled.

    Args:
        pipeline: The pipeline.

    Example:
        >>> StallWatch(Gst.Pipeline.new("empty")).is_stalled()
        False
    """

    def __init__(self, pipeline: Gst.Pipeline) -> None:
        self._pipeline = pipeline
        self._progress: tuple[int, ...] | None = None
        self._looks = 0

    def is_stalled(self) -> bool:
        """Whether the end has to be given up; to be asked again and again after an error."""
        elements = list(leaves(self._pipeline))
        if any(_goes_on(element) for element in elements) or not _sources_stopped(elements):
            self._progress = None
            return False
        progress = tuple(_rendered(element) for element in elements if isinstance(element, GstBase.BaseSink))
        self._looks = self._looks + 1 if progress == self._progress else 0
        self._progress = progress
        return self._looks >= PATIENCE


def leaves(pipeline: Gst.Bin) -> Iterator[Any]:
    """Every element of a pipeline, those inside of bins too."""
    iterator = pipeline.iterate_recurse()
    while True:
        result, element = iterator.next()
        if result == Gst.IteratorResult.RESYNC:
            iterator.resync()
        elif result != Gst.IteratorResult.OK:
            return
        else:
            yield element


def _goes_on(element: Gst.Element) -> bool:
    """Whether more may come of an element although its sources have stopped: from other sources, or of its work."""
    factory = element.get_factory()
    name = factory.get_name() if factory is not None else ""
    return name in _DYNAMIC or (isinstance(element, AsyncFilter) and element.is_busy)


def _sources_stopped(elements: list[Any]) -> bool:
    sources = [element for element in elements if isinstance(element, GstBase.BaseSrc)]
    return bool(sources) and all(
        not _is_live(source) and pad.get_task_state() != Gst.TaskState.STARTED
        for source in sources
        for pad in pads_of(source)
    )


def _is_live(source: Gst.Element) -> bool:
    query = Gst.Query.new_latency()  # `is_live` is hidden where an element has a property of that name
    return bool(source.query(query) and query.parse_latency()[0])


def _rendered(sink: Any) -> int:
    stats = sink.get_property("stats")
    return sum(int(stats.get_value(name) or 0) for name in ("rendered", "dropped"))
