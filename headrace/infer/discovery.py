"""Finding plug-in modules: one file each, and a file that cannot be imported disables only itself."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import Any


@dataclass(frozen=True, slots=True)
class Found:
    """What a package's modules offer.

    Attributes:
        items: Name to the object that its module offers.
        missing: Module name to the reason why it could not be imported.
    """

    items: MappingProxyType[str, Any]
    missing: MappingProxyType[str, str]


def discover(package: ModuleType, suffix: str, attribute: str) -> Found:
    """Import every module of a package whose name ends in a suffix and collect what it offers.

    Args:
        package: The package to look in.
        suffix: Ending of the module names, for example ``_engine``.
        attribute: Name of the object to take from each module; it has a ``name`` of its own.

    Returns:
        The objects by their name in order of module name, and the modules that miss a library.
    """
    items: dict[str, Any] = {}
    missing: dict[str, str] = {}
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda found: found.name):
        if not info.name.endswith(suffix):
            continue
        try:
            module = importlib.import_module(f"{package.__name__}.{info.name}")
        except ImportError as error:
            missing[info.name] = str(error)
            continue
        item = getattr(module, attribute)
        items[item.name] = item
    return Found(MappingProxyType(items), MappingProxyType(missing))
