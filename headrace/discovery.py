"""Implementations that are one file each in a package: by the file's name, or all that can be imported."""

from __future__ import annotations

import importlib
import logging
import pkgutil
from dataclasses import dataclass
from types import MappingProxyType, ModuleType
from typing import Any

from headrace.errors import HeadraceError
from headrace.suggestion import did_you_mean

log = logging.getLogger(__name__)


def available(package: str) -> tuple[str, ...]:
    """Names of the implementations in a package: its module names with ``_`` written as ``-``, sorted.

    Example:
        >>> "file" in available("headrace.message.brokers")
        True
    """
    path = importlib.import_module(package).__path__
    return tuple(sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(path) if m.name[0] != "_"))


def load(package: str, name: str, kind: str, error: type[HeadraceError]) -> ModuleType:
    """Import the implementation called ``name``; only that one, so that a broken one harms nobody else.

    Args:
        package: Dotted name of the package that holds one module per implementation.
        name: What the user wrote, with ``-`` or ``_``.
        kind: What an implementation is called in messages, such as ``tracker``.
        error: Class of the error to raise.

    Raises:
        HeadraceError: As ``error``; there is no such implementation (the nearest known is named), or it needs
            a library that is not installed.
    """
    known = available(package)
    wanted = name.strip().replace("_", "-")
    if wanted not in known:
        raise error(f"unknown {kind} {name!r}{did_you_mean(wanted, known, '.')} Known: {', '.join(known)}")
    try:
        return importlib.import_module(f"{package}.{wanted.replace('-', '_')}")
    except ImportError as missing:
        log.debug("%s %s cannot be imported", kind, wanted, exc_info=True)
        raise error(f"{kind} {wanted!r} needs a library that is not installed: {missing}") from missing


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
