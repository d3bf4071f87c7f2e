"""Files of lines that are whole at any moment."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from headrace.errors import HeadraceError


class LineFile:
    """Writes whole lines straight to the operating system, so that nothing waits in memory and no line is cut.

    What was written stays readable whatever happens to the process. A write that the disk has no room for is taken
    back. Used by one thread.

    Args:
        path: The file; it is replaced, its folder must exist.

    Raises:
        HeadraceError: The file cannot be written; names it and the reason.

    Example:
        >>> with LineFile("/dev/null") as file:
        ...     file.write(b"")
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self._file: BinaryIO = self.path.open("wb", buffering=0)
        except OSError as error:
            raise self._failure(error) from error

    def write(self, lines: bytes) -> None:
        """Append lines, each with its line feed."""
        done = 0
        try:
            while done < len(lines):
                done += self._file.write(lines[done:])
        except OSError as error:
            self._take_back(done)
            raise self._failure(error) from error

    def close(self) -> None:
        """Close the file; harmless when called again."""
        try:
            self._file.close()
        except OSError as error:
            raise self._failure(error) from error

    def _take_back(self, done: int) -> None:
        if done and self._file.seekable():
            self._file.truncate(os.fstat(self._file.fileno()).st_size - done)

    def _failure(self, error: OSError) -> HeadraceError:
        return HeadraceError(
            f"cannot write {self.path}: {error.strerror}; check folder, permissions and space"
        )

    def __enter__(self) -> LineFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
