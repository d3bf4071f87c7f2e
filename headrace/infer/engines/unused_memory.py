"""Memory that a library has let go of, and that the C library keeps."""

from __future__ import annotations

import ctypes

_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc


def return_unused_memory() -> None:
    """Give the system back what lies unused between what is in use; it takes some milliseconds.

    Worth it after work that needs much memory once, such as compiling a model. Does nothing where the C library is
    not glibc.
    """
    if _trim is not None:
        _trim(0)
