"""DeepStream's Python modules, importable where the real ones are not installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

#: Goes into PYTHONPATH: holds the modules ``pyservicemaker`` and its kin.
PATH = Path(__file__).parent / "path"


def real_installation(module: str = "pyservicemaker") -> bool:
    """Whether the real module is installed; then ours must not stand before it."""
    found = importlib.util.find_spec(module)
    return found is not None and not str(found.origin).startswith(str(PATH))
