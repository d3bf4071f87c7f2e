"""Where the processor's time goes: seconds of every thread, summed by the part of the pipeline that it works for."""

from __future__ import annotations

import os
from pathlib import Path

_TASKS = Path("/proc/self/task")
_MODEL, _SOURCES = "model", "sources"
#: Beginning of a thread's name, which is that of the pad it pushes from, to what it works on. Threads that an encoder
#: or decoder starts have their parent's name.
_PARTS = {
    "mux:": "batching",
    "batch_queue:": "batching",
    "infer:": "tracking and detections",
    "video_queue:": "tiling and drawing",
    "encoder_queue:": "encoding",
    "muxer:": "encoding",
    "events_queue:": "events",
}


class ThreadTimes:
    """Processor seconds of this process's threads since this object was made; nothing where the system has no /proc.

    Example:
        >>> sum(ThreadTimes().by_part().values()) < 1
        True
    """

    def __init__(self) -> None:
        self._before = _seconds()

    def by_part(self) -> dict[str, float]:
        """Seconds by part of the pipeline, the largest first; ask while its threads are alive."""
        parts: dict[str, float] = {}
        own = _name_of(_TASKS / str(os.getpid())) if _TASKS.is_dir() else ""
        for thread, (name, seconds) in _seconds().items():
            # Threads of the model's engine and of Python have the name of the process.
            part = _MODEL if name == own else _part(name)
            parts[part] = parts.get(part, 0.0) + seconds - self._before.get(thread, ("", 0.0))[1]
        largest = sorted(parts.items(), key=lambda item: -item[1])
        return {part: round(seconds, 3) for part, seconds in largest if seconds > 0}


def _part(name: str) -> str:
    return next((part for start, part in _PARTS.items() if name.startswith(start)), _SOURCES)


def _seconds() -> dict[str, tuple[str, float]]:
    """Name and seconds of every thread."""
    found = {}
    tick = os.sysconf("SC_CLK_TCK")
    for task in _TASKS.iterdir() if _TASKS.is_dir() else ():
        try:
            text = (task / "stat").read_text()
        except OSError:
            continue  # the thread has ended since it was listed
        fields = text[text.rindex(")") + 2 :].split()
        found[task.name] = (
            text[text.index("(") + 1 : text.rindex(")")],
            (int(fields[11]) + int(fields[12])) / tick,
        )
    return found


def _name_of(task: Path) -> str:
    return (task / "comm").read_text().strip()
