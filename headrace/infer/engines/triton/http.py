"""The KServe v2 protocol over HTTP, with the extension for binary tensors.

Written over ``http.client``: Triton's own client for HTTP stands on gevent, whose connections belong to the thread that
made them, and models here are called from any thread. The standard library does it, without anything to install.
"""

from __future__ import annotations

import json
import logging
import select
import ssl
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, TypeVar
from urllib.parse import quote

from numpy.typing import NDArray

from headrace.infer.engines.triton.address import Address
from headrace.infer.engines.triton.json import read_json, read_object, read_outputs, write_request
from headrace.infer.engines.triton.protocol import ServerError, Trouble
from headrace.infer.engines.triton.tensors import Tensor

_log = logging.getLogger(__name__)
_TROUBLES = {401: Trouble.DENIED, 403: Trouble.DENIED, 404: Trouble.UNKNOWN, 502: Trouble.DROPPED,
             503: Trouble.DROPPED, 504: Trouble.DROPPED}  # fmt: skip
_Read = TypeVar("_Read")


class HttpTransport:
    """A model behind ``http://`` or ``https://``; see `Transport`.

    Each request has a connection to itself, which then waits for the next: there are as many as calls overlap.
    Proxies of the environment are not used.

    Args:
        address: Of the model.

    Example:
        >>> from headrace.infer.engines.triton.address import parse_url
        >>> HttpTransport(parse_url("http://127.0.0.1:9/m")).metadata()
        Traceback (most recent call last):
        headrace.infer.engines.triton.protocol.ServerError: [Errno 111] Connection refused
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._model = f"/v2/models/{quote(address.model, safe='')}"
        if address.version:
            self._model += f"/versions/{quote(address.version, safe='')}"
        self._headers = {"Authorization": address.authorization} if address.authorization else {}
        self._tls = ssl.create_default_context() if address.secure else None
        self._idle: deque[HTTPConnection] = deque()
        self._binary: bool | None = None

    def metadata(self) -> dict[str, Any]:
        """See `Transport.metadata`."""
        return self._send("GET", self._model, read=read_object)

    def ready(self) -> bool:
        """See `Transport.ready`."""
        try:
            self._send("GET", f"{self._model}/ready", read=HTTPResponse.read)
        except ServerError as error:
            if error.trouble in (Trouble.AWAY, Trouble.LATE, Trouble.DENIED):
                raise
            return False
        return True

    def config(self) -> dict[str, Any]:
        """See `Transport.config`."""
        return self._send("GET", f"{self._model}/config", read=read_object)

    def models(self) -> list[dict[str, Any]]:
        """See `Transport.models`."""
        try:
            found = self._send("POST", "/v2/repository/index", [b"{}"], read=read_json)
        except ServerError as error:  # KServe's own servers tell names only, and elsewhere
            if error.trouble not in (Trouble.UNKNOWN, Trouble.REFUSED):
                raise
            names = self._send("GET", "/v2/models", read=read_object).get("models") or ()
            found = [{"name": name} for name in names]
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    def infer(self, inputs: Mapping[str, Tensor], outputs: Mapping[str, int]) -> dict[str, NDArray[Any]]:
        """See `Transport.infer`; a server that refuses the first binary tensors gets JSON instead."""
        if self._binary is False:
            return self._infer(inputs, outputs, binary=False)
        try:
            answer = self._infer(inputs, outputs, binary=True)
        except ServerError as error:
            if self._binary or error.trouble is not Trouble.REFUSED or self._takes_binary():
                raise
            return self._infer_as_json(inputs, outputs, error)
        self._binary = True
        return answer

    def _takes_binary(self) -> bool:
        """Whether the server says so; one that does not may take them all the same."""
        try:
            about = self._send("GET", "/v2", read=read_object)
        except ServerError:
            return False
        return "binary_tensor_data" in (about.get("extensions") or ())

    def _infer_as_json(
        self, inputs: Mapping[str, Tensor], outputs: Mapping[str, int], refusal: ServerError
    ) -> dict[str, NDArray[Any]]:
        try:
            answer = self._infer(inputs, outputs, binary=False)
        except ServerError:
            raise refusal from None
        text = "%s takes no binary tensors (%s) and gets JSON, which is slow; gRPC is faster"
        _log.warning(text, self._address, refusal.text)
        self._binary = False
        return answer

    def _infer(
        self, inputs: Mapping[str, Tensor], outputs: Mapping[str, int], binary: bool
    ) -> dict[str, NDArray[Any]]:
        headers, body = write_request(inputs, outputs, binary)
        return self._send("POST", f"{self._model}/infer", body, headers, read=read_outputs)

    def close(self) -> None:
        """See `Transport.close`; a request under way ends with its answer."""
        while (connection := self._waiting()) is not None:
            connection.close()

    def _waiting(self) -> HTTPConnection | None:
        """A connection that waits for a request."""
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _connection(self) -> HTTPConnection:
        """A connection that waits, unless the server has closed it meanwhile, or a new one."""
        while (connection := self._waiting()) is not None:
            if not _closed(connection):
                return connection
            connection.close()
        return self._connect()

    def _connect(self) -> HTTPConnection:
        address = self._address
        connection = (
            HTTPConnection(address.host, address.port, timeout=address.connect_timeout)
            if self._tls is None
            else HTTPSConnection(
                address.host, address.port, timeout=address.connect_timeout, context=self._tls
            )
        )
        try:
            connection.connect()
        except OSError as error:  # no such host, refused, timed out, no trust
            raise ServerError(Trouble.AWAY, str(error)) from error
        connection.sock.settimeout(address.timeout)
        return connection

    def _send(
        self,
        method: str,
        path: str,
        body: Sequence[bytes | memoryview] = (),
        headers: Mapping[str, str] = {},
        *,
        read: Callable[[HTTPResponse], _Read],
    ) -> _Read:
        """One request on a connection that nobody else uses meanwhile."""
        connection = self._connection()
        length = {"Content-Length": str(sum(map(len, body)))} if body else {}
        try:
            connection.request(
                method, self._address.prefix + path, body or None, {**self._headers, **headers, **length}
            )
            with connection.getresponse() as response:
                if response.status != 200:
                    raise self._refusal(response)
                answer = read(response)
                response.read()  # what is left: only then can the connection serve again
        except (TimeoutError, OSError, HTTPException) as error:
            connection.close()
            if isinstance(error, TimeoutError):
                raise ServerError(Trouble.LATE, "timed out") from error
            self.close()  # the others lead to the same server that has gone
            raise ServerError(Trouble.DROPPED, f"{type(error).__name__}: {error}") from error
        except BaseException:
            connection.close()
            raise
        if connection.sock is not None:  # the server keeps it open
            self._idle.append(connection)
        return answer

    def _refusal(self, response: HTTPResponse) -> ServerError:
        text = response.read(1 << 16).decode(errors="replace")
        try:
            words = json.loads(text)["error"]
        except (ValueError, LookupError, TypeError):
            words = " ".join(text.split())[:200]
        words = self._address.hide(f"{words or response.reason} (HTTP {response.status})")
        return ServerError(_TROUBLES.get(response.status, Trouble.REFUSED), words)


def _closed(connection: HTTPConnection) -> bool:
    """Whether the other side has closed a connection: there is something to read, though nothing was asked."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))
