"""Addresses of sources."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from headrace.errors import SourceError
from headrace.paths import resolve

SCHEMES = ("file", "http", "https", "rtsp", "rtsps", "v4l2", "sim", "udp", "srt")


def to_uri(address: str) -> str:
    """A URI for an address; bare paths become ``file://``.

    Raises:
        SourceError: Empty, unknown scheme, or a file that does not exist, cannot be read or is empty.

    Example:
        >>> to_uri("rtsp://camera/1")
        'rtsp://camera/1'
    """
    if not address:
        raise SourceError("no address: set uri to a file or to rtsp://...")
    scheme = address.split("://", 1)[0] if "://" in address else ""
    if not scheme and Path(address).is_char_device():
        return f"v4l2://{address}"
    if not scheme:
        return _file(Path(address)).as_uri()
    if scheme not in SCHEMES:
        raise SourceError(f"{redacted(address)}: sources are {', '.join(SCHEMES)} or a path, not {scheme}")
    if scheme == "file":
        return _file(Path(unquote(urlsplit(address).path))).as_uri()
    return address


def _file(path: Path) -> Path:
    path = resolve(path)
    if not path.exists():
        raise SourceError(f"{path} does not exist; check the path")
    if path.is_dir():
        raise SourceError(f"{path} is a folder; name a video file in it")
    if not os.access(path, os.R_OK):
        raise SourceError(f"{path} cannot be read; check its permissions")
    if path.is_file() and path.stat().st_size == 0:
        raise SourceError(f"{path} is empty (0 bytes): there is no video in it")
    return path.resolve()


# The last @ before the path ends user and password: passwords may hold an @ themselves, and even a slash.
_CREDENTIALS = re.compile(r"(\b[a-z][a-z0-9+.-]*://)(?:[^\s/]*@|[^\s/@:]+:(?!\d+/)\S*@)", re.IGNORECASE)
_SECRETS = re.compile(r"([?&;](?:password|passwd|pwd|pass|token|secret|key|apikey)=)[^\s&;]+", re.IGNORECASE)


def redacted(text: str) -> str:
    """The text with user, password and secret parameters of every address in it taken out.

    Example:
        >>> redacted("rtsp://admin:secret@10.0.0.7/1 failed")
        'rtsp://***@10.0.0.7/1 failed'
    """
    return _SECRETS.sub(r"\1***", _CREDENTIALS.sub(r"\1***@", text))
