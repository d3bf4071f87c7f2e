"""Where what was built from a model is kept for the next start."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def cache_folder(name: str) -> Path:
    """A folder of the user's cache, made if it is not there: ``$XDG_CACHE_HOME/headrace/NAME``, or below ``~/.cache``.

    Args:
        name: What the files are for.
    """
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(home) / "headrace" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def content_key(file: Path, *settings: object) -> str:
    """A name for what is built from a file: it changes with the file's content and with each setting.

    Args:
        file: The source; its name and time do not count.
        settings: Whatever else the result depends on, such as the versions of library and device.

    Returns:
        Forty hexadecimal digits.
    """
    digest = hashlib.sha256(repr(settings).encode())
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:40]
