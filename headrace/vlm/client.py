"""OpenAI-compatible servers (vLLM, Ollama, llama.cpp and others) by the standard library's HTTP client."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import socket
import threading
from typing import Any
from urllib.parse import urlsplit

from headrace.errors import ConfigError
from headrace.vlm.config import VlmConfig
from headrace.vlm.model import ServerError, VisionLanguageModel, VlmRequest

_LARGEST = 16 * 2**20  # bytes of a reply
_SHOWN = 300
_BUSY = 429
_REMEDIES = {
    401: "check the environment variable that api-key-env names",
    403: "check the environment variable that api-key-env names",
    404: "check that base-url ends as the server's documentation says, usually /v1, and that the model is there",
    400: "the server does not take this request; check that the model takes pictures, and so many of them",
    413: "the pictures are too large: lower max-frames or max-size",
}


class OpenAiModel(VisionLanguageModel):
    """A server that has ``POST {base_url}/chat/completions``; any number of threads may ask.

    Each request has a connection of its own, and `timeout` seconds in all. Proxies of the environment are not used.

    Args:
        config: Address, model, key and limits.

    Raises:
        ConfigError: The environment variable for the key is not set.

    Example:
        >>> config = VlmConfig(base_url="http://localhost:8000/v1", model="qwen", prompt="What is there?")
        >>> OpenAiModel(config).body(VlmRequest("What is there?", (b"jpeg",)))["max_tokens"]
        256
    """

    def __init__(self, config: VlmConfig) -> None:
        self._config = config
        self._address = urlsplit(config.base_url)
        self._key = _key(config.api_key_env)
        self._lock = threading.Lock()
        self._connections: set[http.client.HTTPConnection] = set()
        self._closed = False

    def answer(self, request: VlmRequest) -> str:
        """Ask the server."""
        status, data, wait = self._post(json.dumps(self.body(request)).encode())
        reply = data.decode(errors="replace")
        if status == http.client.OK:
            return _text_of(reply, self._redacted(reply[:_SHOWN]))
        message = f"{self._config.base_url} answered {status}: {self._redacted(_error_of(reply))}"
        if status in _REMEDIES:
            message += f"; {_REMEDIES[status]}"
        again = status >= http.client.INTERNAL_SERVER_ERROR or status in (_BUSY, http.client.REQUEST_TIMEOUT)
        raise ServerError(message, f"HTTP {status}", again, wait)

    def close(self) -> None:
        """Cut all connections."""
        with self._lock:
            self._closed = True
            connections = list(self._connections)
        for connection in connections:
            _cut(connection)

    def body(self, request: VlmRequest) -> dict[str, Any]:
        """The request as the server gets it."""
        config = self._config
        body: dict[str, Any] = {"model": config.model, "messages": _messages(request)}
        body |= {"max_tokens": config.max_tokens, "temperature": config.temperature}
        if request.schema is not None:
            schema = {"name": "answer", "schema": request.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        body |= config.extra_body
        return {key: value for key, value in body.items() if value is not None}

    def _post(self, body: bytes) -> tuple[int, bytes, float | None]:
        config = self._config
        connection = self._connect()
        # Each wait for the socket has a limit of its own; together they may take no longer either.
        late = threading.Event()

        def give_up() -> None:
            late.set()
            _cut(connection)

        timer = threading.Timer(config.timeout, give_up)
        timer.daemon = True
        timer.start()
        try:
            connection.request("POST", f"{self._address.path}/chat/completions", body, self._headers())
            response = connection.getresponse()
            reply = response.read(_LARGEST + 1)
            if response.length and len(reply) <= _LARGEST:
                raise http.client.IncompleteRead(reply, response.length)
            if late.is_set():
                raise TimeoutError
        except (OSError, http.client.HTTPException) as error:
            if late.is_set() or isinstance(error, TimeoutError):
                text = f"{config.base_url} did not answer within {config.timeout:g} s; raise timeout, or ask less often"
                raise ServerError(text, "time-out", again=True) from error
            text = f"{config.base_url} cannot be asked: {error or type(error).__name__}; check that the server runs"
            raise ServerError(text, "connection lost", again=True) from error
        finally:
            timer.cancel()
            connection.close()
            with self._lock:
                self._connections.discard(connection)
        if len(reply) > _LARGEST:
            raise ServerError(f"{config.base_url} sent more than {_LARGEST >> 20} MiB", "reply too large")
        return response.status, reply, _seconds(response.headers.get("Retry-After"))

    def _connect(self) -> http.client.HTTPConnection:
        secure = self._address.scheme == "https"
        make = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = make(self._address.hostname or "", self._address.port, timeout=self._config.timeout)
        with self._lock:
            if self._closed:
                raise ServerError("the model is closed", "closed")
            self._connections.add(connection)
        return connection

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Connection": "close"}
        return headers | ({"Authorization": f"Bearer {self._key}"} if self._key else {})

    def _redacted(self, text: str) -> str:
        """Servers repeat keys that they do not know."""
        return text.replace(self._key, "***") if self._key else text


def _key(variable: str) -> str:
    if not variable:
        return ""
    key = os.environ.get(variable, "").strip()
    if not key:
        raise ConfigError(
            f"api-key-env: the environment variable {variable} is not set; set it to the server's key"
        )
    if not (key.isascii() and key.isprintable()):
        raise ConfigError(
            f"api-key-env: the environment variable {variable} holds characters that no key has"
        )
    return key


def _cut(connection: http.client.HTTPConnection) -> None:
    """End what another thread waits for on this connection."""
    sock = connection.sock
    if sock is not None:
        with contextlib.suppress(OSError):  # it has ended by itself
            sock.shutdown(socket.SHUT_RDWR)


def _messages(request: VlmRequest) -> list[dict[str, Any]]:
    text = request.prompt
    if request.schema is not None:
        # Not every server shows the schema to the model, and some ignore it without a word.
        text += f"\n\nAnswer with JSON only, of this JSON schema:\n{json.dumps(request.schema)}"
    images = ({"url": f"data:image/jpeg;base64,{base64.b64encode(p).decode()}"} for p in request.pictures)
    content = [{"type": "text", "text": text}, *({"type": "image_url", "image_url": url} for url in images)]
    messages: list[dict[str, Any]] = [{"role": "system", "content": request.system}] if request.system else []
    messages.append({"role": "user", "content": content})
    if request.rejected is not None:
        answer, wrong = request.rejected
        messages.append({"role": "assistant", "content": answer})
        messages.append({"role": "user", "content": f"{wrong}. Answer again, with the JSON only."})
    return messages


def _text_of(reply: str, shown: str) -> str:
    try:
        choice = json.loads(reply)["choices"][0]
        content = choice["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise ServerError(
            f"the server's reply is no chat completion: {shown!r}", "broken reply", again=True
        ) from error
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    if not isinstance(content, str) or not content.strip():
        hint = "; raise max-tokens" if choice.get("finish_reason") == "length" else ""
        raise ServerError(f"the server's reply holds no text{hint}", "empty answer")
    return content


def _error_of(text: str) -> str:
    """What the server says is wrong."""
    # Where it is no error as OpenAI writes them, the text itself is shown.
    with contextlib.suppress(ValueError, LookupError, TypeError, RecursionError):
        error = json.loads(text)["error"]
        text = str(error["message"] if isinstance(error, dict) else error)
    return " ".join(text.split())[:_SHOWN]


def _seconds(text: str | None) -> float | None:
    """Retry-After in seconds; its other form, a date, is not used by such servers."""
    try:
        return max(float(text), 0.0) if text else None
    except ValueError:
        return None
