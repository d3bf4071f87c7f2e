"""The sources of a stream of batches: what is asked about each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from headrace.meta.batch import Batch
from headrace.vlm import SourceWatcher, VlmConfig, VlmRequest

#: Pad index and view: a dewarper makes several frames of one.
Stream = tuple[int, int]


class SourceWatchers:
    """One watcher for each source, made with its first frame.

    Args:
        config: What is asked.
        warn: Told once of each source whose objects have no tracks.
    """

    def __init__(self, config: VlmConfig, warn: Callable[[str], None]) -> None:
        self._config, self._warn = config, warn
        self._watchers: dict[Stream, SourceWatcher] = {}
        self._warned: set[Stream] = set()

    def look(self, batch: Batch) -> Iterator[VlmRequest]:
        """The questions that are due with this batch."""
        for frame, surface in zip(batch.meta.frames, batch.surfaces, strict=True):
            stream = (frame.pad_index, frame.surface_index)
            watcher = self._watchers.get(stream)
            if watcher is None:
                watcher = self._watchers[stream] = SourceWatcher(self._config.question(frame.source_id))
            yield from watcher.look(frame, surface.frame)
            if watcher.untracked and stream not in self._warned:
                self._warned.add(stream)
                self._warn(
                    f"source {frame.source_id}: objects without a track are not asked about; put nvtracker before"
                )

    def finish(self, pad: int | None = None) -> Iterator[VlmRequest]:
        """A source has gone, or all have: the questions that are still open."""
        for stream in [one for one in self._watchers if pad is None or one[0] == pad]:
            yield from self._watchers.pop(stream).finish()
            self._warned.discard(stream)
