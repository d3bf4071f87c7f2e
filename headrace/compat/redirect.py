"""Paths below DeepStream's installation, opened by Python code, lead into the assets.

`install` wraps the functions by which Python code reaches files, and those by which it hands paths to GStreamer. It
does nothing where no assets are set (``HEADRACE_ASSETS``). What C libraries open by themselves is not reached.
"""

from __future__ import annotations

import builtins
import functools
import io
import os
import threading
from collections.abc import Callable
from typing import Any

from headrace import paths

_INSTALLATION = "/opt/nvidia/deepstream"
#: Functions of `os` whose first argument, or first two, are paths.
_ONE = (
    "access", "chdir", "chmod", "chown", "listdir", "lstat", "makedirs", "mkdir", "open", "readlink", "remove",
    "removedirs", "rmdir", "scandir", "stat", "statvfs", "truncate", "unlink", "utime", "walk",
)  # fmt: skip
_TWO = ("link", "rename", "renames", "replace", "symlink")
_asking = threading.local()
_installed = False


def install() -> None:
    """Begin; harmless when called again, and inherited by forked processes."""
    global _installed
    if _installed or paths.assets_dir() is None:
        return
    _installed = True
    builtins.open = io.open = _wrapped(io.open, 1)
    for name in (*_ONE, *_TWO):
        setattr(os, name, _wrapped(getattr(os, name), 1 if name in _ONE else 2))
    _redirect_gstreamer()


def place_of(path: Any) -> Any:
    """Where a path really leads; anything that is no path below the installation is returned as it is."""
    text = path
    if not isinstance(path, str | bytes):
        if not hasattr(path, "__fspath__"):
            return path
        text = os.fspath(path)
    name = os.fsdecode(text)
    if not name.startswith(_INSTALLATION) or getattr(_asking, "now", False):
        return path
    _asking.now = True  # `resolve` asks the wrapped functions whether the file exists
    try:
        place = os.fspath(paths.resolve(name))
    finally:
        _asking.now = False
    return os.fsencode(place) if isinstance(text, bytes) else place


def text_of(value: Any) -> Any:
    """A property's value with the paths in it redirected, if it is text."""
    return paths.stand_in(value) if isinstance(value, str) else value


def _wrapped(function: Callable[..., Any], count: int) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        return function(*map(place_of, arguments[:count]), *arguments[count:], **named)

    return call


def _redirect_gstreamer() -> None:
    from gi.repository import GObject, Gst

    import headrace.gst  # noqa: F401 - initialises GStreamer

    plain_set = GObject.Object.set_property

    def set_property(self: Any, name: str, value: Any) -> None:
        plain_set(self, name, text_of(value))

    GObject.Object.set_property = set_property
    for owner, name, index in (
        (Gst, "parse_launch", 0), (Gst, "parse_bin_from_description", 0), (Gst, "util_set_object_arg", 2),
    ):  # fmt: skip
        setattr(owner, name, _with_text(getattr(owner, name), index))


def _with_text(function: Callable[..., Any], index: int) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        given = list(arguments)
        if index < len(given):
            given[index] = text_of(given[index])
        return function(*given, **named)

    return call
