"""Messages to a file, one JSON document per line: ``nvmsgbroker proto-lib=file conn-str=events.jsonl``."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from headrace.errors import BrokerError

#: Seconds between looks at a file that somebody else writes.
_LOOK = 0.1


class FileBroker:
    """Appends each payload to a file as one line; topics are not told apart.

    Every line is handed to the operating system whole and at once, so that a crash of the process loses none
    and cuts none. A line cut short by a full disk is taken back, and one left by somebody else's crash is
    closed before the first of ours.

    Args:
        path: The file, or ``-`` for standard output, which is left open at the end.

    Example:
        >>> broker = FileBroker("/dev/null")
        >>> broker.connect(); broker.send("topic", b"{}"); broker.close()
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    def connect(self) -> None:
        """Open the file for appending; it is made when missing, its folder is not."""
        if self._path == "-":
            self._file = sys.stdout.buffer
            return
        path = Path(self._path)
        try:
            # Unbuffered: what `send` wrote stays readable whatever happens to the process.
            self._file = path.open("ab", buffering=0)
            if _ends_mid_line(path):
                self._write(b"\n")
        except OSError as error:
            raise BrokerError(
                f"cannot write messages to {self._path!r}: {error.strerror}; check its folder, "
                "permissions and the space left"
            ) from error

    def send(self, topic: str, payload: bytes) -> None:
        """Append one payload, on one line whatever its layout."""
        try:
            line = msgspec.json.format(payload, indent=-1) + b"\n"
        except msgspec.DecodeError as error:
            raise BrokerError(f"a message to {self._path!r} is not JSON: {error}") from error
        try:
            self._write(line)
        except OSError as error:
            raise BrokerError(f"cannot write a message to {self._path!r}: {error.strerror}") from error

    def close(self) -> None:
        """Close the file; standard output stays open."""
        file, self._file = self._file, None
        if file is None or self._path == "-":
            return
        try:
            file.close()
        except OSError as error:
            raise BrokerError(f"messages to {self._path!r} may be incomplete: {error.strerror}") from error

    def _write(self, line: bytes) -> None:
        if self._file is None:
            raise BrokerError(f"messages to {self._path!r}: the file is not open; connect first")
        if self._path == "-":
            self._file.write(line)
            self._file.flush()
            return
        done = 0
        try:
            while done < len(line):
                done += self._file.write(line[done:])
        except OSError:
            if done and self._file.seekable():
                self._file.truncate(os.fstat(self._file.fileno()).st_size - done)
            raise


def _ends_mid_line(path: Path) -> bool:
    if not path.is_file() or path.stat().st_size == 0:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


def build(conn_str: str, config: str = "") -> FileBroker:
    """A file broker for the path in ``conn_str``; there is nothing to configure."""
    if not conn_str.strip():
        raise BrokerError(
            "the file broker needs a path: conn-str=events.jsonl, or conn-str=- for standard output"
        )
    return FileBroker(conn_str.strip())


class FileSubscription:
    """Receives the lines that are appended to a file from now on.

    Args:
        path: The file; it need not exist yet.

    Example:
        >>> FileSubscription("/dev/null").receive(0.0)
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._place = self._path.stat().st_size if self._path.is_file() else 0

    def receive(self, timeout: float) -> bytes | None:
        """The next whole line, ``None`` if none came within so many seconds."""
        end = time.monotonic() + timeout
        while True:
            line = self._line()
            left = end - time.monotonic()
            if line or left <= 0:
                return line.rstrip(b"\n") or None
            time.sleep(min(_LOOK, left))

    def _line(self) -> bytes:
        try:
            with self._path.open("rb") as file:
                file.seek(self._place)
                line = file.readline()
        except FileNotFoundError:  # not there yet, or taken away to begin anew
            return b""
        if not line.endswith(b"\n"):
            return b""
        self._place += len(line)
        return line

    def close(self) -> None:
        """Nothing is held open."""


def subscribe(conn_str: str, config: str = "", topics: Sequence[str] = ()) -> FileSubscription:
    """A subscription to the path in ``conn_str``; topics are not told apart."""
    return FileSubscription(conn_str.strip())
