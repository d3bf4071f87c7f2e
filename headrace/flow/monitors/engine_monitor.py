"""EngineFileMonitor: a model is replaced while playing when its file is written anew (contract §7)."""

from __future__ import annotations

import os
import threading
import weakref

from headrace.flow.node import Node
from headrace.paths import resolve

_State = tuple[int, int]


class EngineFileMonitor:
    """Watches a model's file and sets ``model-engine-file`` of an element when it was written anew.

    A file is taken as written when its size and time stand still from one look to the next. What the element
    says of the new model comes with its signal ``model-updated``.

    Args:
        node: An ``nvinfer``.
        file: The file; it need not exist yet.
        interval: Seconds from one look to the next.

    Example:
        >>> from headrace import Pipeline
        >>> pipeline = Pipeline("example").add("identity", "model")
        >>> monitor = EngineFileMonitor(pipeline["model"], "/models/detector.onnx")
        >>> monitor.start(), monitor.started, monitor.stop(), monitor.started
        (True, True, True, False)
    """

    def __init__(self, node: Node, file: str | os.PathLike[str] | None, interval: float = 1.0) -> None:
        self.node = node
        self.file = os.fspath(file) if file else ""
        self.interval = interval
        self._stop: threading.Event | None = None

    @property
    def started(self) -> bool:
        """Whether it watches."""
        return self._stop is not None

    def start(self) -> bool:
        """Begin to watch; returns whether it does: not without a file."""
        if self._stop is None and self.file:
            self._stop = threading.Event()
            threading.Thread(
                target=_watch,
                args=(weakref.ref(self), self._stop, self.interval),
                name="headrace-engine",
                daemon=True,
            ).start()
        return self.started

    def stop(self) -> bool:
        """Watch no longer; returns whether it did."""
        watched = self._stop is not None
        if self._stop is not None:
            self._stop.set()
            self._stop = None
        return watched

    def state(self) -> _State | None:
        """Time of the last change in ns and size in bytes; ``None`` while there is no such file."""
        try:
            found = resolve(self.file).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size

    def update(self) -> None:
        """Have the element load the file."""
        self.node.set({"model-engine-file": self.file})


def _watch(monitor: weakref.ref[EngineFileMonitor], stop: threading.Event, interval: float) -> None:
    watched = monitor()
    loaded = before = watched.state() if watched is not None else None
    del watched
    while not stop.wait(interval):
        target = monitor()
        if target is None:
            return
        now = target.state()
        if now is not None and now == before and now != loaded and now[1] > 0:
            loaded = now
            target.update()
        before = now
        del target
