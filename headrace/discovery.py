"""Find implementations that are one file each in a package, by the file's name."""

from __future__ import annotations

import difflib
import importlib
import logging
import pkgutil
from types import ModuleType

from headrace.errors import HeadraceError

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
        near = difflib.get_close_matches(wanted, known, 1, 0.5)
        hint = f", did you mean {near[0]!r}?" if near else "."
        raise error(f"unknown {kind} {name!r}{hint} Known: {', '.join(known)}")
    try:
        return importlib.import_module(f"{package}.{wanted.replace('-', '_')}")
    except ImportError as missing:
        log.debug("%s %s cannot be imported", kind, wanted, exc_info=True)
        raise error(f"{kind} {wanted!r} needs a library that is not installed: {missing}") from missing
