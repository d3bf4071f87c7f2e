"""The KServe v2 protocol over gRPC, with the messages that Triton's Python client brings."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import Any

import grpc
import numpy as np
from google.protobuf.json_format import MessageToDict
from numpy.typing import NDArray
from tritonclient.grpc import service_pb2, service_pb2_grpc

from headrace.errors import ModelError
from headrace.infer.engines.triton.address import Address
from headrace.infer.engines.triton.protocol import ServerError, Trouble
from headrace.infer.engines.triton.tensors import Tensor, from_wire, shaped, split_bytes, wire_dtype
from headrace.paths import resolve

_TROUBLES = {
    grpc.StatusCode.UNAVAILABLE: Trouble.DROPPED,
    grpc.StatusCode.DEADLINE_EXCEEDED: Trouble.LATE,
    grpc.StatusCode.UNAUTHENTICATED: Trouble.DENIED,
    grpc.StatusCode.PERMISSION_DENIED: Trouble.DENIED,
    grpc.StatusCode.NOT_FOUND: Trouble.UNKNOWN,
}
#: How gRPC begins its own words for a server that was not there to begin with.
_NO_CONNECTION = ("failed to connect", "errors resolving", "DNS resolution failed")
#: Fields for tensors whose elements come one by one.
_CONTENTS = {
    "BOOL": "bool_contents", "INT8": "int_contents", "INT16": "int_contents", "INT32": "int_contents",
    "INT64": "int64_contents", "UINT8": "uint_contents", "UINT16": "uint_contents", "UINT32": "uint_contents",
    "UINT64": "uint64_contents", "FP32": "fp32_contents", "FP64": "fp64_contents", "BYTES": "bytes_contents",
}  # fmt: skip


class GrpcTransport:
    """A model behind ``grpc://`` or ``grpcs://``; see `Transport`.

    One connection serves all threads: gRPC interleaves their calls. When the server has gone, gRPC looks for it again
    every second.

    Args:
        address: Of the model.

    Raises:
        ModelError: The certificates to trust cannot be read.

    Example:
        >>> from headrace.infer.engines.triton.address import parse_url
        >>> GrpcTransport(parse_url("grpc://127.0.0.1:9/m")).close()
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._metadata = [("authorization", address.authorization)] if address.authorization else []
        host = f"[{address.host}]" if ":" in address.host else address.host
        options = [
            ("grpc.max_send_message_length", -1),
            ("grpc.max_receive_message_length", -1),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 1000),
            (
                "grpc.min_reconnect_backoff_ms",
                int(1000 * address.connect_timeout),
            ),  # the time for one attempt
        ]
        target = f"{host}:{address.port}"
        self._channel = (
            grpc.secure_channel(target, grpc.ssl_channel_credentials(_trusted()), options)
            if address.secure
            else grpc.insecure_channel(target, options)
        )
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)

    def metadata(self) -> dict[str, Any]:
        """See `Transport.metadata`."""
        return _plain(self._call(self._stub.ModelMetadata, service_pb2.ModelMetadataRequest(**self._model())))

    def ready(self) -> bool:
        """See `Transport.ready`."""
        try:
            return bool(
                self._call(self._stub.ModelReady, service_pb2.ModelReadyRequest(**self._model())).ready
            )
        except ServerError as error:
            if error.trouble in (Trouble.UNKNOWN, Trouble.REFUSED):
                return False
            raise

    def config(self) -> dict[str, Any]:
        """See `Transport.config`."""
        answer = self._call(self._stub.ModelConfig, service_pb2.ModelConfigRequest(**self._model()))
        return dict(_plain(answer).get("config", {}))

    def models(self) -> list[dict[str, Any]]:
        """See `Transport.models`."""
        answer = self._call(self._stub.RepositoryIndex, service_pb2.RepositoryIndexRequest())
        return list(_plain(answer).get("models", []))

    def infer(self, inputs: Mapping[str, Tensor], outputs: Mapping[str, int]) -> dict[str, NDArray[Any]]:
        """See `Transport.infer`."""
        names = self._model()
        request = service_pb2.ModelInferRequest(model_name=names["name"], model_version=names["version"])
        for name, tensor in inputs.items():
            request.inputs.add(name=name, datatype=tensor.datatype, shape=tensor.shape)
            request.raw_input_contents.append(bytes(tensor.data))
        for name, count in outputs.items():
            output = request.outputs.add(name=name)
            if count:
                output.parameters["classification"].int64_param = count
        answer = self._call(self._stub.ModelInfer, request)
        raw = list(answer.raw_output_contents) or [None] * len(answer.outputs)
        try:
            return {one.name: _tensor(one, content) for one, content in zip(answer.outputs, raw, strict=True)}
        except ValueError as error:
            raise ServerError(Trouble.REFUSED, f"the server's answer is damaged: {error}") from error

    def close(self) -> None:
        """See `Transport.close`."""
        self._channel.close()

    def _model(self) -> dict[str, str]:
        return {"name": self._address.model, "version": self._address.version}

    def _call(self, method: Any, request: Any) -> Any:
        try:
            return method(request, timeout=self._address.timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            text = self._address.hide(error.details() or "no reason given")
            trouble = _TROUBLES.get(error.code(), Trouble.REFUSED)
            if trouble is Trouble.DROPPED and text.startswith(_NO_CONNECTION):
                trouble = Trouble.AWAY
            raise ServerError(trouble, f"{text} (gRPC {error.code().name})") from error
        except ValueError as error:  # the channel is closed
            raise ServerError(Trouble.REFUSED, str(error)) from error


def _trusted() -> bytes | None:
    """Certificates to trust, where the environment names some as for OpenSSL."""
    file = os.environ.get("SSL_CERT_FILE")
    try:
        return resolve(file).read_bytes() if file else None
    except OSError as error:
        raise ModelError(f"SSL_CERT_FILE={file} cannot be read: {error.strerror}; check the path") from error


def _plain(message: Any) -> dict[str, Any]:
    return dict(MessageToDict(message, preserving_proto_field_name=True))


def _tensor(output: Any, raw: bytes | None) -> NDArray[Any]:
    datatype, shape = output.datatype, list(output.shape)
    if raw is None:
        values = getattr(output.contents, _CONTENTS.get(datatype, ""), ())
        return shaped(list(values), datatype, shape)
    if datatype == "BYTES":
        return split_bytes(raw, shape)
    dtype = wire_dtype(datatype)
    if len(raw) != dtype.itemsize * math.prod(shape):
        raise ValueError(f"{len(raw)} bytes for {output.name} {datatype}{shape}")
    # A copy: the message's memory cannot be written to, and need not be aligned.
    return from_wire(np.frombuffer(raw, dtype).reshape(shape).copy(), datatype)
