"""OpenAI-compatible servers: vLLM, Ollama, llama.cpp and others."""

from __future__ import annotations

import base64
import contextlib
import http
import json
import os
from typing import Any

from headrace.errors import ConfigError
from headrace.vlm.config import VlmConfig
from headrace.vlm.model import ServerError, VisionLanguageModel, VlmRequest
from headrace.vlm.posting import Poster

_SHOWN = 300
_BROKEN = http.HTTPStatus.INTERNAL_SERVER_ERROR
_BUSY = (http.HTTPStatus.TOO_MANY_REQUESTS, http.HTTPStatus.REQUEST_TIMEOUT)
_REMEDIES = {
    401: "check the environment variable that api-key-env names",
    403: "check the environment variable that api-key-env names",
    404: "check that base-url ends as the server's documentation says, usually /v1, and that the model is there",
    400: "the server does not take this request; check that the model takes pictures, and so many of them",
    413: "the pictures are too large: lower max-frames or max-size",
}


class OpenAiModel(VisionLanguageModel):
    """A server that has ``POST {base_url}/chat/completions``; any number of threads may ask.

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
        self._key = _key(config.api_key_env)
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        self._poster = Poster(f"{config.base_url}/chat/completions", headers, config.timeout)

    def answer(self, request: VlmRequest) -> str:
        """Ask the server."""
        reply = self._poster.post(json.dumps(self.body(request)).encode())
        status = reply.status
        if status == http.HTTPStatus.OK:
            return _text_of(reply.text, self._redacted(reply.text[:_SHOWN]))
        message = f"{self._config.base_url} answered {status}: {self._redacted(_error_of(reply.text))}"
        if status in _REMEDIES:
            message += f"; {_REMEDIES[status]}"
        raise ServerError(message, f"HTTP {status}", status >= _BROKEN or status in _BUSY, reply.wait)

    def close(self) -> None:
        """Cut all connections."""
        self._poster.close()

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
