"""Models on a server: Triton, or any other that speaks the KServe v2 protocol, over HTTP or gRPC."""

from __future__ import annotations

import importlib
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ModelError
from headrace.infer.engines.base import Engine, EngineOptions, ModelGraph
from headrace.infer.engines.triton_address import AUTHORIZATION, PORTS, Address, parse_url
from headrace.infer.engines.triton_labels import with_labels
from headrace.infer.engines.triton_protocol import ServerError, Transport, Trouble, graph_of, one_line
from headrace.infer.engines.triton_tensors import Tensor

_log = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")
#: Seconds before a second try: gRPC needs a moment to see that the connection has gone, or takes it once more.
_PAUSE = 0.1


class TritonEngine:
    """A model on a server; calls from several threads are under way at the same time.

    Batches larger than the server's ``max_batch_size`` are sent in several requests. A request whose connection
    breaks is sent once more, so that a server's restart between two batches goes unnoticed; while a server is away
    each `run` fails, and the first one after it is back works again.

    Args:
        url: See `headrace.infer.engines.triton_address.parse_url`.
        options: Not used: the server decides how it runs its models.

    Raises:
        ModelError: The URL is not understood, the server cannot be reached or refuses, or it does not know the
            model or cannot run it now. No message has credentials in it.

    Example:
        >>> TritonEngine("http://127.0.0.1:9/yolox", EngineOptions())  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        headrace.errors.ModelError: http://127.0.0.1:9/yolox is not available: ...
    """

    name = "triton"

    def __init__(self, url: str, options: EngineOptions) -> None:
        self._address = parse_url(url)
        self._transport: Transport | None = _transport(self._address)
        try:
            self.graph, self._most, self._datatypes = self._load()
        except BaseException:
            self.close()
            raise

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run the model once; see `Engine.run`. The arrays returned belong to the caller."""
        rows = max((len(array) for array in inputs.values() if array.ndim), default=0)
        if not self._most or rows <= self._most:
            return self._infer(inputs)
        parts = [
            self._infer({name: array[start : start + self._most] for name, array in inputs.items()})
            for start in range(0, rows, self._most)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def close(self) -> None:
        """Let the connections go; the server keeps the model."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def _infer(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        tensors = {name: Tensor(array, self._datatypes.get(name)) for name, array in inputs.items()}
        wanted = {spec.name: 0 for spec in self.graph.outputs}
        try:
            return self._ask(lambda transport: transport.infer(tensors, wanted))
        except ServerError as error:
            given = ", ".join(f"{name} {array.dtype}{list(array.shape)}" for name, array in inputs.items())
            takes = ", ".join(map(str, self.graph.inputs))
            reason = f"failed on {given} (it takes {takes}): {error.text}"
            raise ModelError(self._message(error, reason)) from error

    def _ask(self, call: Callable[[Transport], _Answer]) -> _Answer:
        """A request, once more where the connection broke: running a model changes nothing on the server."""
        transport = self._transport
        if transport is None:
            raise ModelError(f"model {self._address} is closed; load it again")
        try:
            return call(transport)
        except ServerError as error:
            if error.trouble is not Trouble.DROPPED:
                raise
            _log.info("%s: %s; asking once more", self._address, error.text)
        time.sleep(_PAUSE)
        return call(transport)

    def _load(self) -> tuple[ModelGraph, int, dict[str, str]]:
        """Graph, greatest batch (0: no limit) and the protocol's types of the inputs."""
        try:
            metadata = self._ask(lambda transport: transport.metadata())
            config = self._config()
            graph = graph_of(str(self._address), metadata, config)
            if not self._ask(lambda transport: transport.ready()):
                raise ServerError(Trouble.UNKNOWN, "the model is not ready")
        except ServerError as error:
            raise ModelError(self._unusable(error)) from error
        datatypes = {str(one["name"]): str(one["datatype"]) for one in metadata.get("inputs") or ()}
        graph = with_labels(
            graph, config, lambda tensors, wanted: self._ask(lambda t: t.infer(tensors, wanted))
        )
        return graph, int(config.get("max_batch_size", 0)), datatypes

    def _config(self) -> dict[str, Any]:
        """Triton's configuration of the model; empty for servers that have none."""
        try:
            return self._ask(lambda transport: transport.config())
        except ServerError as error:
            if error.trouble not in (Trouble.REFUSED, Trouble.UNKNOWN):
                raise
            return {}

    def _unusable(self, error: ServerError) -> str:
        """Why the model cannot be loaded, with what the server's index says of it."""
        name, reason = self._address.model, f"cannot be used: {error.text}"
        unsure = self._message(
            error, f"{reason}; check the model's name, and that this is a KServe v2 server"
        )
        if error.trouble not in (Trouble.UNKNOWN, Trouble.REFUSED, Trouble.DROPPED):
            return unsure
        try:
            index = self._ask(lambda transport: transport.models())
        except ServerError:
            return unsure
        states = [_state(one) for one in index if one.get("name") == name]
        others = ", ".join(sorted({str(one.get("name")) for one in index})) or "no models"
        there = f"it as {', '.join(states)}: load it there, or see the server's log" if states else others
        return f"{self._address} {reason}; the server has {there}"

    def _message(self, error: ServerError, otherwise: str) -> str:
        """The error in words, with the remedy."""
        address = self._address
        trust = "; SSL_CERT_FILE names the certificates to trust" if address.secure else ""
        kind = "gRPC" if address.scheme.startswith("grpc") else "HTTP"
        words = {
            Trouble.AWAY: f"is not available: {error.text}; check that the server runs, and host and port "
            f"(Triton: 8000 for HTTP, 8001 for gRPC; this is {kind}){trust}",
            Trouble.DROPPED: f"did not answer, asked twice: {error.text}; look into the server's log, and check that "
            f"the port is one for {kind}",
            Trouble.LATE: f"has not answered within {address.timeout:g} s; look at the server's load, or allow more "
            "with ?timeout=SECONDS at the end of the URL",
            Trouble.DENIED: f"refuses access: {error.text}; set the environment variable {AUTHORIZATION} to the "
            "value of the Authorization header, such as 'Bearer TOKEN'",
        }
        return f"{address} {words.get(error.trouble, otherwise)}"


def _state(entry: Mapping[str, Any]) -> str:
    """Version, state and reason of a model in a server's index."""
    reason = f" ({one_line(str(entry['reason']))})" if entry.get("reason") else ""
    version = f"version {entry['version']}" if entry.get("version") else "a model without versions"
    return f"{version} {entry.get('state', '')}".strip() + reason


def _transport(address: Address) -> Transport:
    """The way to a server; the libraries for gRPC are imported only where they are needed."""
    kind = "grpc" if address.scheme.startswith("grpc") else "http"
    try:
        module = importlib.import_module(f"headrace.infer.engines.triton_{kind}")
    except (ImportError, RuntimeError) as error:  # tritonclient says with RuntimeError that gRPC is missing
        raise ModelError(
            f"{address} needs Triton's client for gRPC, which is not installed ({error}): "
            "pip install 'headrace[triton]', or name the server's port for HTTP with http://"
        ) from error
    made: Transport = (module.GrpcTransport if kind == "grpc" else module.HttpTransport)(address)
    return made


class _Factory:
    name = TritonEngine.name
    suffixes: tuple[str, ...] = ()
    schemes = tuple(PORTS)

    def __call__(self, path: str | Path, options: EngineOptions) -> Engine:
        return TritonEngine(str(path), options)


ENGINE = _Factory()
