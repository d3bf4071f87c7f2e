"""Models on a server: Triton, or any other that speaks the KServe v2 protocol, over HTTP or gRPC."""

from __future__ import annotations

import importlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ModelError
from headrace.infer.engines.base import Array, EngineKind, EngineOptions, ModelGraph
from headrace.infer.engines.faults import check_inputs, closed, describe
from headrace.infer.engines.triton.address import PORTS, Address, parse_url
from headrace.infer.engines.triton.labels import with_labels
from headrace.infer.engines.triton.protocol import ServerError, Transport, Trouble, graph_of
from headrace.infer.engines.triton.tensors import Tensor
from headrace.infer.engines.triton.words import ABOUT_MODEL, in_words, why_unusable

_log = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")
#: Seconds before a second try: gRPC needs a moment to see that the connection has gone, or takes it once more.
_PAUSE = 0.1
#: Requests under way at once where the server does not say how many it serves.
_CONCURRENCY = 4


class TritonEngine:
    """A model on a server; calls from several threads are under way at the same time.

    Batches larger than the server's ``max_batch_size`` are sent in several requests. A request whose connection
    breaks is sent once more, so that a server's restart between two batches goes unnoticed; while a server is away
    each `run` fails, and the first one after it is back works again.

    Args:
        url: See `headrace.infer.engines.triton.address.parse_url`.
        options: Without effect: the server decides how it runs its models.

    Raises:
        ModelError: The URL is not understood, the server cannot be reached or refuses, or it does not know the
            model or cannot run it now. No message has credentials in it.

    Example:
        >>> TritonEngine("http://127.0.0.1:9/yolox", EngineOptions())  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        headrace.errors.ModelError: http://127.0.0.1:9/yolox is not available: ...
    """

    name = "triton"
    rows = None

    def __init__(self, url: str, options: EngineOptions) -> None:
        self._address = parse_url(url)
        self._lock, self._runs, self._closed = threading.Lock(), 0, False
        self._transport: Transport | None = _transport(self._address)
        try:
            self._load()
        except BaseException:
            self.close()
            raise

    @property
    def description(self) -> str:
        """The server's address."""
        return f"KServe v2 at {self._address.server}"

    def run(self, inputs: Mapping[str, Array]) -> dict[str, NDArray[Any]]:
        """Run the model once; see `Engine.run`. Takes NumPy arrays, and tensors in the main memory."""
        arrays = {name: np.asarray(array) for name, array in inputs.items()}
        if self.graph.inputs:  # some servers do not tell
            check_inputs(self.graph, arrays)
        rows = max((len(array) for array in arrays.values() if array.ndim), default=0)
        if not self._most or rows <= self._most:
            return self._infer(arrays)
        parts = [
            self._infer({name: array[start : start + self._most] for name, array in arrays.items()})
            for start in range(0, rows, self._most)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def close(self) -> None:
        """Let the connections go, after the runs that are under way; the server keeps the model."""
        self._closed = True
        self._let_go()

    def _let_go(self) -> None:
        with self._lock:
            if not self._closed or self._runs:
                return
            transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    @contextmanager
    def _opened(self) -> Iterator[Transport]:
        """The way to the server, which stays open meanwhile.

        Raises:
            ModelError: The engine is closed.
        """
        with self._lock:
            transport = self._transport
            if transport is None or self._closed:
                raise closed(self.graph)
            self._runs += 1
        try:
            yield transport
        finally:
            with self._lock:
                self._runs -= 1
            self._let_go()

    def _ask(self, call: Callable[[Transport], _Answer]) -> _Answer:
        """A request, once more where the connection broke: running a model changes nothing on the server."""
        with self._opened() as transport:
            try:
                return call(transport)
            except ServerError as error:
                if error.trouble is not Trouble.DROPPED:
                    raise
                _log.info("%s: %s; asking once more", self._address, error.text)
            time.sleep(_PAUSE)
            return call(transport)

    def _infer(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        tensors = {name: Tensor(array, self._datatypes.get(name)) for name, array in arrays.items()}
        wanted = {spec.name: 0 for spec in self.graph.outputs}
        try:
            return self._ask(lambda transport: transport.infer(tensors, wanted))
        except ServerError as error:
            given = ", ".join(describe(name, array) for name, array in arrays.items())
            reason = f"failed on {given} on the server: {error.text}"
            raise ModelError(in_words(self._address, error, reason)) from error

    def _load(self) -> None:
        """Ask for the graph, and see that the model can be run."""
        self.graph = ModelGraph(str(self._address), (), ())
        try:
            metadata = self._ask(lambda transport: transport.metadata())
            config = self._config()
            self.graph = graph_of(str(self._address), metadata, config)
            if not self._ask(lambda transport: transport.ready()):
                raise ServerError(Trouble.UNKNOWN, "the model is not ready")
        except ServerError as error:
            raise ModelError(why_unusable(self._address, error, self._index(error))) from error
        self._most = int(config.get("max_batch_size", 0))
        self._datatypes = {str(one["name"]): str(one["datatype"]) for one in metadata.get("inputs") or ()}
        copies = sum(int(group.get("count", 1)) for group in config.get("instance_group") or ())
        self.concurrency = copies + 1 if copies else _CONCURRENCY
        self.graph = with_labels(
            self.graph, config, lambda tensors, wanted: self._ask(lambda way: way.infer(tensors, wanted))
        )

    def _config(self) -> dict[str, Any]:
        """Triton's configuration of the model; empty for servers that have none."""
        try:
            return self._ask(lambda transport: transport.config())
        except ServerError as error:
            if error.trouble not in (Trouble.REFUSED, Trouble.UNKNOWN):
                raise
            return {}

    def _index(self, error: ServerError) -> list[dict[str, Any]] | None:
        """The server's models, if it tells and the error has to do with them."""
        if error.trouble not in ABOUT_MODEL:
            return None
        try:
            return self._ask(lambda transport: transport.models())
        except ServerError:
            return None


def _transport(address: Address) -> Transport:
    """The way to a server; the libraries for gRPC are imported only where they are needed."""
    kind = "grpc" if address.scheme.startswith("grpc") else "http"
    try:
        module = importlib.import_module(f"headrace.infer.engines.triton.{kind}")
    except (ImportError, RuntimeError) as error:  # tritonclient says with RuntimeError that gRPC is missing
        raise ModelError(
            f"{address} needs Triton's client for gRPC, which is not installed ({error}): "
            "pip install 'headrace[triton]', or name the server's port for HTTP with http://"
        ) from error
    made: Transport = (module.GrpcTransport if kind == "grpc" else module.HttpTransport)(address)
    return made


ENGINE = EngineKind(
    name=TritonEngine.name,
    open=TritonEngine,
    library="http",  # gRPC has a library of its own, which is asked for when an address wants it
    install="",
    schemes=tuple(PORTS),
)
