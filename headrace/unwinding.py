"""One C++ exception mechanism in a process that holds both GStreamer and C++ libraries.

GStreamer's library depends on libunwind, which exports the functions that throw C++ exceptions, as libgcc_s
does; and PyGObject opens it for all to see. When the C++ library was bound to one of the two and an extension
module, such as onnxruntime, is bound to the other, then the first exception that is thrown in it, for a
corrupt model file say, ends the process. Here everything loaded later is made to agree with what is there.
"""

from __future__ import annotations

import ctypes
import os
import sys

_LIBGCC = "libgcc_s.so.1"


class _Info(ctypes.Structure):
    _fields_ = [("address", ctypes.c_void_p), ("name", ctypes.c_char_p)]


def agree() -> None:
    """Settle which library throws; harmless when called again, and outside of Linux."""
    if not sys.platform.startswith("linux"):
        return
    loaded = _loaded()
    unwind, cxx = _first(loaded, "libunwind.so"), _first(loaded, "libstdc++.so")
    if unwind < 0:
        try:
            ctypes.CDLL(_LIBGCC, ctypes.RTLD_GLOBAL)  # comes first when GStreamer brings the other one
        except OSError:
            return  # a system without libgcc, so without two mechanisms
    elif 0 <= cxx < unwind and _first(loaded, _LIBGCC) >= 0:
        # The C++ library is bound to libgcc: extension modules must look at their own libraries first.
        sys.setdlopenflags(sys.getdlopenflags() | os.RTLD_DEEPBIND)


def _loaded() -> list[str]:
    """File names of the process's libraries in the order in which they were loaded."""
    names: list[str] = []
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Info), ctypes.c_size_t, ctypes.c_void_p)

    def note(info: ctypes._Pointer[_Info], _size: int, _data: int | None) -> int:
        names.append(os.path.basename(os.fsdecode(info.contents.name or b"")))
        return 0

    ctypes.CDLL(None).dl_iterate_phdr(kind(note), None)
    return names


def _first(names: list[str], start: str) -> int:
    return next((index for index, name in enumerate(names) if name.startswith(start)), -1)
