"""EngineFileMonitor: a model is replaced while playing when its file is written anew (contract §7)."""

from __future__ import annotations

import os
import threading
import weakref

from gi.repository import Gst

from headrace.flow.node import Node
from headrace.paths import resolve

_State = tuple[int, int]


class EngineFileMonitor:
    """Watches a model's file and has an element load it when it was written anew; see `Node.swap`.

    A file is taken as written when its size and time stand still from one look to the next; the element looks again
    when it has loaded it. What it says of the new model comes with its signal ``model-updated``.

    Args:
        node: An ``nvinfer`` or ``hrinfer``.
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
                args=(weakref.ref(self), self._stop, self.interval, self.state()),
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
        """Have the element load the file; of a Python file, the class that the element has at present."""
        name = "model" if "model" in _properties(self.node.element) else "model-engine-file"
        present = str(self.node.get(name) or "")
        same = present.rpartition(":")[0] == self.file
        self.node.set({name: present if same else self.file})


def _properties(element: Gst.Element) -> set[str]:
    return {spec.name for spec in element.list_properties()}


def _watch(
    monitor: weakref.ref[EngineFileMonitor], stop: threading.Event, interval: float, loaded: _State | None
) -> None:
    before = loaded
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
