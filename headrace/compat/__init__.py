"""DeepStream's Python modules, importable where the real ones are not installed."""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

#: Goes into PYTHONPATH: holds the modules ``pyservicemaker`` and its kin.
PATH = Path(__file__).parent / "path"


def real_installation(module: str = "pyservicemaker") -> bool:
    """Whether the real module is installed; then ours must not stand before it."""
    found = importlib.util.find_spec(module)
    return found is not None and not str(found.origin).startswith(str(PATH))


def elsewhere(module: str) -> ModuleSpec | None:
    """Where a module of this name is installed apart from ours; ``None`` when it is not.

    Our folder stands early in the search path, so that each module in it asks this before it takes a real one's place.
    """
    others = [entry for entry in sys.path if Path(entry or ".").resolve() != PATH.resolve()]
    return PathFinder.find_spec(module, others)
