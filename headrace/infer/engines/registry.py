"""Choosing an engine for a model file."""

from __future__ import annotations

import importlib
from functools import lru_cache
from pathlib import Path

from headrace.discovery import Found, discover
from headrace.errors import ModelError
from headrace.infer.engines.base import Engine, EngineFactory, EngineOptions
from headrace.paths import resolve

_DEFAULTS = EngineOptions()


@lru_cache(maxsize=1)
def _found() -> Found:
    """Looked up on first use: importing an engine's library costs start-up time."""
    return discover(importlib.import_module("headrace.infer.engines"), "_engine", "ENGINE")


def available_engines() -> tuple[str, ...]:
    """Names of the engines whose libraries are installed."""
    return tuple(_found().items)


def missing_engines() -> dict[str, str]:
    """Engines' module names that are disabled, with the reason."""
    return dict(_found().missing)


def open_engine(path: str | Path, engine: str = "auto", options: EngineOptions = _DEFAULTS) -> Engine:
    """Load a model file with the named engine, or with the first installed one that knows its suffix.

    A URL goes to the engine that has its scheme among its ``schemes``.

    Raises:
        ModelError: No such file, no such engine, no engine for the suffix, or the file is no model.
    """
    scheme, remote, _ = str(path).partition("://")
    if remote and scheme != "file":
        return _open_url(scheme, str(path), engine, options)
    file = resolve(path)
    factory = _choose(file, engine)
    if not file.is_file():
        raise ModelError(f"model file {file} does not exist; check the path")
    if file.stat().st_size == 0:
        raise ModelError(f"model file {file} is empty; copy or download it again")
    return factory(file, options)


def _open_url(scheme: str, url: str, engine: str, options: EngineOptions) -> Engine:
    """Open a model on a server; the URL may hold credentials and is in no message here."""
    factories = {name: one for name, one in _found().items.items() if getattr(one, "schemes", ())}
    for name, factory in factories.items():
        if scheme in factory.schemes and engine in ("auto", name):
            opened: Engine = factory(url, options)
            return opened
    known = ", ".join(f"{one}:// ({name})" for name, factory in factories.items() for one in factory.schemes)
    which = "installed engine" if engine == "auto" else f"engine {engine!r}"
    raise ModelError(f"no {which} opens {scheme}:// URLs; known: {known}")


def _choose(file: Path, engine: str) -> EngineFactory:
    factories: dict[str, EngineFactory] = dict(_found().items)
    reasons = "".join(f"; {name} is disabled: {why}" for name, why in _found().missing.items())
    if engine != "auto":
        if engine not in factories:
            raise ModelError(
                f"engine {engine!r} is not available; use one of {', '.join(factories)}{reasons}"
            )
        return factories[engine]
    for factory in factories.values():
        if file.suffix.lower() in factory.suffixes:
            return factory
    known = sorted({suffix for factory in factories.values() for suffix in factory.suffixes})
    raise ModelError(f"no installed engine runs {file}; known suffixes: {', '.join(known)}{reasons}")
