"""Builds the stand-in for a CUDA driver and NVDEC, and says how a process is started with it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("standin_cuda.c")


def environment(folder: Path) -> dict[str, str] | None:
    """Environment of a process that finds the stand-in; ``None`` where there is no C compiler.

    Args:
        folder: Where the libraries and GStreamer's registry of that process go.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    driver, decoder = folder / "libcuda.so.1", folder / "libnvcuvid.so.1"
    base = [compiler, "-shared", "-fPIC", "-O1", "-w"]
    subprocess.run([*base, "-Wl,-soname,libcuda.so.1", "-o", driver, SOURCE], check=True)
    # One library under two names: the decoder's is only loaded after the driver's.
    names = ["-Wl,-soname,libnvcuvid.so.1", "-Wl,--no-as-needed", "-o", decoder, "-x", "c", os.devnull]
    subprocess.run([*base, *names, f"-L{folder}", "-l:libcuda.so.1"], check=True)
    paths = [str(folder), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
    return {
        **os.environ,
        "LD_LIBRARY_PATH": ":".join(paths),
        "GST_REGISTRY": str(folder / "registry.bin"),
        "STANDIN_CUDA": "64x48x8",
    }
