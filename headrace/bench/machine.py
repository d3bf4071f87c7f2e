"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

from gi.repository import Gst

from headrace import __version__


def machine() -> dict[str, str]:
    """Processor, load and versions, by name.

    Example:
        >>> sorted(machine())
        ['CPU', 'GStreamer', 'Headrace', 'NumPy', 'Python', 'cores', 'load', 'system']
    """
    return {
        "CPU": _cpu(),
        "cores": str(len(os.sched_getaffinity(0))),
        "load": f"{os.getloadavg()[0]:.1f}",
        "system": platform.platform(),
        "Python": platform.python_version(),
        "GStreamer": ".".join(str(part) for part in Gst.version()[:3]),
        "NumPy": version("numpy"),
        "Headrace": __version__,
    }


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
