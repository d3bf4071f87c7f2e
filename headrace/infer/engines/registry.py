"""Choosing an engine for a model file."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from headrace.discovery import Found, discover
from headrace.errors import ModelError
from headrace.infer.engines.base import Engine, EngineKind, EngineOptions
from headrace.paths import resolve
from headrace.suggestion import did_you_mean

_log = logging.getLogger(__name__)
_DEFAULTS = EngineOptions()
#: What the driver of an NVIDIA GPU creates; asking a library instead would mean to import it.
_NVIDIA = (Path("/dev/nvidiactl"), Path("/dev/nvmap"))


@lru_cache(maxsize=1)
def _found() -> Found:
    return discover(importlib.import_module("headrace.infer.engines"), "_engine", "ENGINE")


def engine_kinds() -> tuple[EngineKind, ...]:
    """Every engine that Headrace knows, installed or not, in order of name; imports none of their libraries."""
    return tuple(sorted(_found().items.values(), key=lambda kind: kind.name))


def available_engines() -> tuple[str, ...]:
    """Names of the engines whose libraries are installed."""
    return tuple(kind.name for kind in engine_kinds() if kind.installed)


def missing_engines() -> dict[str, str]:
    """Names of the others, with what to install."""
    absent = {kind.name: kind.remedy for kind in engine_kinds() if not kind.installed}
    return {**dict(_found().missing), **absent}


def open_engine(model: str | Path, engine: str = "auto", options: EngineOptions = _DEFAULTS) -> Engine:
    """Load a model.

    Args:
        model: A file, or an address such as ``grpc://host:8001/name`` of a server.
        engine: Name of an engine, with the name of a back end after a colon where it has some
            (``onnxruntime:cuda``). ``auto`` takes the fastest installed one that knows the suffix and can load the
            file; one line in the log says which and why.
        options: How to run it.

    Raises:
        ModelError: No such file, no such engine, none for the suffix, its library is missing, or the file is no model.
        ConfigError: An option that does not suit the engine.
    """
    text = str(model)
    scheme, separator, _ = text.partition("://")
    if separator and scheme != "file":
        return _open_address(text, scheme, engine, options)
    file = resolve(model)
    kind = None if engine == "auto" else _named(engine)
    _check(file, kind)
    if kind is None:
        opened = _open_fastest(file, options)
    else:
        opened = _call(kind, str(file), replace(options, provider=engine.partition(":")[2]))
        _log.info("%s: engine %s as asked for (%s)", file, opened.name, opened.description)
    _say_size(opened, options)
    return opened


def _check(file: Path, kind: EngineKind | None) -> None:
    """See that there is a file, of a suffix that the engine (any, if none is named) reads."""
    suffix = file.suffix.lower()
    if kind is not None and suffix not in (*kind.suffixes, *kind.on_request):
        reads = ", ".join((*kind.suffixes, *kind.on_request)) or "addresses only"
        raise ModelError(f"engine {kind.name} does not read {file}; it reads {reads}")
    if kind is None and not any(suffix in one.suffixes for one in engine_kinds()):
        named = [one.name for one in engine_kinds() if suffix in one.on_request]
        hint = f" unless it is named: engine={named[0]}" if named else f"; known suffixes: {_suffixes()}"
        raise ModelError(f"no engine reads {file}{hint}")
    _check_content(file)


def _check_content(file: Path) -> None:
    """Refuse what is plainly no model, whatever its suffix: engines say little of it."""
    if not file.is_file():
        raise ModelError(
            f"model file {file} {'is a folder' if file.is_dir() else 'does not exist'}; check the path"
        )
    try:
        with file.open("rb") as stream:
            start = stream.read(64).lstrip().lower()
    except OSError as error:
        raise ModelError(
            f"model file {file} cannot be read: {error.strerror}; check its permissions"
        ) from error
    if not start:
        raise ModelError(f"model file {file} is empty; copy or download it again")
    if start.startswith(b"version https://git-lfs"):
        raise ModelError(
            f"model file {file} is a pointer of Git LFS, not the model; fetch it with: git lfs pull"
        )
    if start.startswith((b"<!doctype html", b"<html")):
        raise ModelError(f"model file {file} is a web page, not a model; download it again, as a raw file")


def _open_address(address: str, scheme: str, engine: str, options: EngineOptions) -> Engine:
    """Open a model on a server; the address may hold a password, so that no message here quotes it."""
    kinds = engine_kinds() if engine == "auto" else (_named(engine),)
    for kind in kinds:
        if scheme in kind.schemes:
            return kind.open(address, options)
    known = ", ".join(f"{s}://" for kind in kinds for s in kind.schemes) or "none"
    raise ModelError(f"no engine takes addresses that begin with {scheme}://; known: {known}")


def _named(engine: str) -> EngineKind:
    name, _, provider = engine.partition(":")
    kinds = {kind.name: kind for kind in engine_kinds()}
    kind = kinds.get(name)
    if kind is not None and (not provider or provider in kind.providers):
        return kind
    known = [*kinds, *(f"{kind.name}:{provider}" for kind in kinds.values() for provider in kind.providers)]
    hint = did_you_mean(engine, known, ".")
    raise ModelError(f"unknown engine {engine!r}{hint} Known: {', '.join(sorted(known))}")


def _call(kind: EngineKind, model: str, options: EngineOptions) -> Engine:
    if not kind.installed:
        raise ModelError(f"{model}: {kind.remedy}")
    try:
        return kind.open(model, options)
    except ImportError as error:
        raise ModelError(
            f"{model}: engine {kind.name} cannot be imported ({error}); repair it: {kind.install}"
        ) from error


def _open_fastest(file: Path, options: EngineOptions) -> Engine:
    failed: dict[str, ModelError] = {}
    for kind, device in _candidates(file, options):
        try:
            engine = _call(kind, str(file), replace(options, device=device))
        except ModelError as error:
            failed[f"{kind.name} on {device}"] = error
            continue
        instead = "".join(f"; not {where}: {error}" for where, error in failed.items())
        _log.info("%s: engine %s, the fastest for %s that is installed (%s)%s", file, engine.name, device,
                  engine.description, instead)  # fmt: skip
        return engine
    if len(set(map(str, failed.values()))) == 1:
        raise next(iter(failed.values()))
    reasons = "; ".join(f"{where}: {error}" for where, error in failed.items()) or _absent(file)
    raise ModelError(f"no installed engine runs {file} on {options.device}: {reasons}")


def _candidates(file: Path, options: EngineOptions) -> Iterator[tuple[EngineKind, str]]:
    """Installed engines that know the suffix, by device and speed."""
    if options.device == "auto":
        devices = ["cuda", "cpu"] if any(place.exists() for place in _NVIDIA) else ["cpu"]
    else:
        devices = [options.device]
    for device in devices:
        kind_of_device = replace(options, device=device).device_type
        able = [
            k for k in engine_kinds() if kind_of_device in k.devices and file.suffix.lower() in k.suffixes
        ]
        for kind in sorted(able, key=lambda kind: kind.devices[kind_of_device]):
            if kind.installed:
                yield kind, device


def _absent(file: Path) -> str:
    """What to install for a file that none of the installed engines takes."""
    reads = [kind for kind in engine_kinds() if file.suffix.lower() in kind.suffixes]
    missing = [kind.remedy for kind in reads if not kind.installed]
    return (
        "; ".join(missing) or f"{', '.join(kind.name for kind in reads)} can, if named, or on another device"
    )


def _suffixes() -> str:
    return ", ".join(sorted({suffix for kind in engine_kinds() for suffix in kind.suffixes}))


def _say_size(engine: Engine, options: EngineOptions) -> None:
    """One line if the size asked for is not the one that the model takes."""
    inputs = engine.graph.inputs
    if options.input_size is None or not inputs or None in inputs[0].shape[1:]:
        return
    size = engine.graph.input_size()
    if size not in (None, options.input_size):
        _log.warning("%s takes %dx%d pixels only; input_size is not used", engine.graph.path, *size)
