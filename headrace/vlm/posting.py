"""HTTP POST with a limit on the whole of it, by the standard library; any thread may end it."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from headrace.vlm.model import ServerError

_LARGEST = 16 * 2**20  # bytes of a reply


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered: status, body, and how many seconds it wants to be left alone, if it says so."""

    status: int
    text: str
    wait: float | None = None


class Poster:
    """Posts to one address; each request has a connection of its own. Any number of threads may call.

    Proxies of the environment are not used.

    Args:
        url: ``http`` or ``https``, with a path.
        headers: Sent with each request.
        timeout: Seconds from the connection to the last byte of the reply.

    Example:
        >>> try:
        ...     Poster("http://localhost:1/v1", {}, timeout=1.0).post(b"{}")
        ... except ServerError as error:
        ...     print(error.reason)
        connection lost
    """

    def __init__(self, url: str, headers: Mapping[str, str], timeout: float) -> None:
        self._url, self._headers, self._timeout = url, {**headers, "Connection": "close"}, timeout
        self._address = urlsplit(url)
        self._lock = threading.Lock()
        self._lines: set[_Line] = set()
        self._closed = False

    def post(self, body: bytes) -> Reply:
        """Send and wait for the reply.

        Raises:
            ServerError: Nobody is there, the connection was lost, the time is over, or `close` was called.
        """
        line: _Line | None = None
        deadline = time.monotonic() + self._timeout
        connection = self._connection()
        try:
            connection.connect()
            line = self._line(connection, deadline - time.monotonic())
            reply = self._exchange(connection, body)
            if line.late:
                raise TimeoutError
        except (OSError, http.client.HTTPException) as error:
            raise self._failure(error, line) from error
        finally:
            connection.close()
            self._hang_up(line)
        return reply

    def close(self) -> None:
        """End what is under way; nothing is sent any more."""
        with self._lock:
            self._closed = True
            lines = list(self._lines)
        for line in lines:
            line.cut()

    def _connection(self) -> http.client.HTTPConnection:
        secure = self._address.scheme == "https"
        make = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        return make(self._address.hostname or "", self._address.port, timeout=self._timeout)

    def _line(self, connection: http.client.HTTPConnection, seconds: float) -> _Line:
        line = _Line(connection.sock, max(seconds, 0.0))
        with self._lock:
            self._lines.add(line)
            closed = self._closed
        if closed:
            line.cut()
        return line

    def _exchange(self, connection: http.client.HTTPConnection, body: bytes) -> Reply:
        connection.request("POST", self._address.path, body, self._headers)
        response = connection.getresponse()
        data = response.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise ServerError(f"{self._url} sent more than {_LARGEST >> 20} MiB", "reply too large")
        if response.length:
            raise http.client.IncompleteRead(data, response.length)
        wait = _seconds(response.headers.get("Retry-After"))
        return Reply(response.status, data.decode(errors="replace"), wait)

    def _failure(self, error: Exception, line: _Line | None) -> ServerError:
        if isinstance(error, TimeoutError) or (line is not None and line.late):
            what = f"{self._url} did not answer within {self._timeout:g} s; raise timeout, or ask less often"
            return ServerError(what, "time-out", again=True)
        what = f"{self._url} cannot be asked: {error or type(error).__name__}; check that the server runs"
        return ServerError(what, "connection lost", again=True)

    def _hang_up(self, line: _Line | None) -> None:
        if line is not None:
            line.timer.cancel()
            with self._lock:
                self._lines.discard(line)


class _Line:
    """The socket of a request. It is cut when the time is over: each wait for it has a limit only of its own.

    The connection knows its socket no longer while the body of a last reply is read, so it is kept here.
    """

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self._sock = sock
        self.late = False
        self.timer = threading.Timer(seconds, self._over)
        self.timer.daemon = True
        self.timer.start()

    def _over(self) -> None:
        self.late = True
        self.cut()

    def cut(self) -> None:
        """End what another thread waits for."""
        with contextlib.suppress(OSError):  # it has ended by itself
            # Not the method of an encrypted socket: that lets go of the encryption first, and what the other thread
            # sends meanwhile would go out as plain text.
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)


def _seconds(text: str | None) -> float | None:
    """Retry-After in seconds; its other form, a date, is not used by such servers."""
    try:
        return max(float(text), 0.0) if text else None
    except ValueError:
        return None
