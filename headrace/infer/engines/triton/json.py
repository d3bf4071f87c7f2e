"""Requests and answers of the KServe v2 protocol over HTTP: JSON, with tensors as binary data behind it.

Source: https://github.com/kserve/open-inference-protocol and Triton's "Binary Tensor Data Extension".
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from http.client import HTTPResponse
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.infer.engines.triton.protocol import ServerError, Trouble
from headrace.infer.engines.triton.tensors import Tensor, from_wire, shaped, split_bytes, wire_dtype

_HEADER_LENGTH = "Inference-Header-Content-Length"


def write_request(
    inputs: Mapping[str, Tensor], outputs: Mapping[str, int], binary: bool
) -> tuple[dict[str, str], list[memoryview]]:
    """Headers and body of a request for inference.

    Args:
        inputs: Tensors by name.
        outputs: See `headrace.infer.engines.triton.protocol.Transport.infer`.
        binary: Whether tensors go and come as binary data.

    Example:
        >>> headers, (header, data) = write_request({"x": Tensor(np.zeros(3, np.float32))}, {}, binary=True)
        >>> len(header) == int(headers["Inference-Header-Content-Length"]), len(data)
        (True, 12)
    """
    request: dict[str, Any] = {"inputs": [_input(name, tensor, binary) for name, tensor in inputs.items()]}
    if binary:
        request["parameters"] = {"binary_data_output": True}
    if outputs:
        request["outputs"] = [_output(name, count, binary) for name, count in outputs.items()]
    header = memoryview(json.dumps(request).encode())
    if not binary:
        return {"Content-Type": "application/json"}, [header]
    headers = {_HEADER_LENGTH: str(len(header)), "Content-Type": "application/octet-stream"}
    return headers, [header, *(tensor.data for tensor in inputs.values())]


def _input(name: str, tensor: Tensor, binary: bool) -> dict[str, Any]:
    content = {"parameters": {"binary_data_size": len(tensor.data)}} if binary else {"data": tensor.values()}
    return {"name": name, "shape": list(tensor.shape), "datatype": tensor.datatype, **content}


def _output(name: str, classes: int, binary: bool) -> dict[str, Any]:
    asked = {"classification": classes} if classes else {}
    return {"name": name, "parameters": {"binary_data": binary, **asked}}


def read_json(response: HTTPResponse) -> Any:
    """An answer that is JSON alone.

    Raises:
        ServerError: It is none.
    """
    return _parsed(response.read())


def read_object(response: HTTPResponse) -> dict[str, Any]:
    """An answer that is a JSON object; errors as for `read_json`."""
    return _object(read_json(response))


def read_outputs(response: HTTPResponse) -> dict[str, NDArray[Any]]:
    """The tensors of an answer, each read into memory of its own.

    Raises:
        ServerError: The answer is not that of the protocol, or its parts contradict each other.
        OSError: The connection broke off, or was silent for too long.
    """
    length = response.getheader(_HEADER_LENGTH)
    try:
        header = _object(_parsed(response.read() if length is None else _exactly(response, int(length))))
        return {str(one["name"]): _tensor(one, response) for one in header["outputs"]}
    except (LookupError, TypeError, ValueError) as error:
        raise ServerError(Trouble.REFUSED, f"the server's answer is damaged: {error}") from error


def _parsed(text: bytes | bytearray) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise ServerError(
            Trouble.REFUSED, f"the answer is not that of a KServe v2 server: {error}"
        ) from error


def _object(answer: Any) -> dict[str, Any]:
    if not isinstance(answer, dict):
        raise ServerError(Trouble.REFUSED, "the answer is not that of a KServe v2 server: an object expected")
    return answer


def _tensor(output: Mapping[str, Any], response: HTTPResponse) -> NDArray[Any]:
    datatype, shape = str(output["datatype"]), [int(size) for size in output["shape"]]
    size = (output.get("parameters") or {}).get("binary_data_size")
    if size is None:
        return shaped(output["data"], datatype, shape)
    if datatype == "BYTES":
        return split_bytes(_exactly(response, int(size)), shape)
    dtype = wire_dtype(datatype)
    if size != dtype.itemsize * math.prod(shape):
        raise ValueError(f"{size} bytes for {datatype}{shape}")
    array = np.empty(shape, dtype)
    _fill(response, array.reshape(-1).view(np.uint8).data)
    return from_wire(array, datatype)


def _exactly(response: HTTPResponse, size: int) -> bytearray:
    data = bytearray(size)
    _fill(response, memoryview(data))
    return data


def _fill(response: HTTPResponse, view: memoryview) -> None:
    """Read as many bytes as there is room for."""
    done = 0
    while done < len(view):
        count = response.readinto(view[done:])
        if not count:
            raise ConnectionError(f"the answer broke off after {done} of {len(view)} bytes")
        done += count
