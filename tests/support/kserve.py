"""A small real server of the KServe v2 protocol on loopback, over HTTP and gRPC, with faults on request.

Written from the protocol's specification, apart from the package: only Triton's gRPC messages are shared.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

SIZES = {"FP32": "<f4", "FP16": "<f2", "FP64": "<f8", "INT8": "i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8",
         "UINT8": "u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8", "BOOL": "?", "BF16": "<u2"}  # fmt: skip
_ONNX = {
    "tensor(float)": "FP32",
    "tensor(float16)": "FP16",
    "tensor(int64)": "INT64",
    "tensor(uint8)": "UINT8",
}


class Refused(Exception):
    """Answered with an error: HTTP status, gRPC's word for it, and the text."""

    def __init__(self, status, code, text):
        super().__init__(text)
        self.status, self.code, self.text = status, code, text


@dataclass
class Served:
    """A model as a server has it: tensors as (name, datatype, shape), and a function from arrays to arrays."""

    inputs: list
    outputs: list
    run: object
    version: str = "1"
    max_batch: int = 0
    labels: dict = field(default_factory=dict)  # output name to class names
    parameters: dict = field(default_factory=dict)
    ready: bool = True

    @classmethod
    def onnx(cls, path, **values):
        import onnxruntime

        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])

        def specs(nodes):
            return [
                (node.name, _ONNX[node.type], [n if isinstance(n, int) else -1 for n in node.shape])
                for node in nodes
            ]

        outputs = specs(session.get_outputs())
        names = [name for name, _, _ in outputs]

        def run(arrays):
            return dict(zip(names, session.run(names, arrays), strict=True))

        return cls(specs(session.get_inputs()), outputs, run, **values)

    def metadata(self, name):
        def tensors(specs):
            return [{"name": n, "datatype": t, "shape": list(s)} for n, t, s in specs]

        return {"name": name, "versions": [self.version], "platform": "test", "inputs": tensors(self.inputs),
                "outputs": tensors(self.outputs)}  # fmt: skip

    def config(self, name):
        return {
            "name": name,
            "max_batch_size": self.max_batch,
            "output": [
                {"name": n, "label_filename": "labels.txt" if n in self.labels else ""}
                for n, _, _ in self.outputs
            ],
            "parameters": {key: {"string_value": text} for key, text in self.parameters.items()},
        }


class KServe:
    """Serves models until `stop`; `start` again takes the same ports.

    `faults` holds what happens to the next inferences, one after the other: "slow" (answers after `slow_seconds`),
    "error" (500, INTERNAL), "unavailable" (503, UNAVAILABLE), "drop" (the connection breaks before an answer; gRPC:
    the relay in front of it), "half" (HTTP: it breaks in the middle of the answer), "short" (fewer bytes than the
    shape says), "echo" (an error that repeats the Authorization header).
    """

    def __init__(self, models, grpc=False, token="", triton=True, binary=True, tls=None):
        self.models, self.token, self.triton, self.binary = models, token, triton, binary
        self.with_grpc, self.tls = grpc, tls  # tls: files of certificate and key
        self.faults, self.slow_seconds = deque(), 30.0
        self.seen = []
        self._places = _reserved(), _reserved()
        self.http_port, self.grpc_port = (one.getsockname()[1] for one in self._places)
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self._connections = set()
        self.start()

    def __del__(self):
        for one in self._places:
            one.close()

    def url(self, model="", grpc=None, extra=""):
        grpc = self.with_grpc if grpc is None else grpc
        scheme, port = ("grpc", self.grpc_port) if grpc else ("http", self.http_port)
        scheme += "s" if self.tls else ""
        return f"{scheme}://127.0.0.1:{port}/{model}{extra}"

    def start(self):
        self._stopped.clear()
        handler = type("Handler", (_Handler,), {"kserve": self})
        self._http = _HttpServer(("127.0.0.1", self.http_port), handler)
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.tls)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        if self.with_grpc:
            self._grpc, port = _grpc_server(self)
            self._relay = _Relay(self, self.grpc_port, port)
        return self

    def stop(self):
        self._stopped.set()
        self._http.shutdown()
        if self.with_grpc:
            self._relay.stop()
        self.break_connections()
        self._http.server_close()  # waits for requests: one that runs while the process ends would bring it down
        if self.with_grpc:
            self._grpc.stop(0).wait()

    def break_connections(self):
        with self._lock:
            broken, self._connections = self._connections, set()
        for connection in broken:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def model(self, name, version="", need_ready=True):
        served = self.models.get(name)
        if served is None or (version and version != served.version):
            raise Refused(404, "NOT_FOUND", f"Request for unknown model: '{name}' is not found")
        if need_ready and not served.ready:
            raise Refused(
                503, "UNAVAILABLE", f"Request for unknown model: '{name}' has no available versions"
            )
        return served

    def check(self, authorization):
        if self.token and authorization != self.token:
            raise Refused(401, "UNAUTHENTICATED", "wrong or missing token")

    def config(self, name, version):
        served = self.model(name, version)
        if not self.triton:
            raise Refused(404, "UNIMPLEMENTED", "not implemented")
        return served.config(name)

    def index(self):
        if not self.triton:
            raise Refused(404, "UNIMPLEMENTED", "not implemented")
        return [
            {"name": name, "version": one.version, "state": "READY" if one.ready else "UNAVAILABLE"}
            for name, one in self.models.items()
        ]

    def infer(self, name, version, inputs, classes):
        """Inputs as (datatype, shape, bytes) by name; outputs as name to (datatype, array)."""
        served, arrays = self.model(name, version), {}
        for tensor, datatype, shape in served.inputs:
            if tensor not in inputs:
                raise Refused(
                    400, "INVALID_ARGUMENT", f"expected 1 inputs but got 0 inputs for model '{name}'"
                )
            given_type, given_shape, data = inputs[tensor]
            if given_type != datatype:
                raise Refused(
                    400, "INVALID_ARGUMENT",
                    f"unexpected datatype TYPE_{given_type}, expecting TYPE_{datatype} for input '{tensor}'",
                )  # fmt: skip
            fits = len(given_shape) == len(shape)
            fits = fits and all(s in (-1, g) for g, s in zip(given_shape, shape, strict=True))
            if not fits:
                raise Refused(
                    400, "INVALID_ARGUMENT",
                    f"unexpected shape for input '{tensor}' for model '{name}'. Expected {shape}, got {given_shape}",
                )  # fmt: skip
            arrays[tensor] = np.frombuffer(data, SIZES[datatype]).reshape(given_shape)
            self.seen.append((tensor, datatype, tuple(given_shape)))
            if served.max_batch and given_shape[0] > served.max_batch:
                raise Refused(
                    400, "INVALID_ARGUMENT",
                    f"inference request batch-size must be <= {served.max_batch} for '{name}'",
                )  # fmt: skip
        found = served.run(arrays)
        answer = {}
        for tensor, datatype, _ in served.outputs:
            if classes and tensor not in classes:
                continue
            count = (classes or {}).get(tensor, 0)
            answer[tensor] = (
                ("BYTES", _classified(found[tensor], served.labels.get(tensor, []), count))
                if count
                else (datatype, found[tensor])
            )
        return answer

    def fault(self):
        return self.faults.popleft() if self.faults else ""

    def sleep(self):
        self._stopped.wait(self.slow_seconds)


def _classified(scores, labels, count):
    rows = []
    for row in scores.reshape(len(scores), -1):
        best = np.argsort(-row, kind="stable")[:count]
        names = [f":{labels[n]}" if n < len(labels) else "" for n in best]
        rows.append([f"{row[n]:f}:{n}{name}".encode() for n, name in zip(best, names, strict=True)])
    return np.array(rows, object)


def to_bytes(array, datatype):
    if datatype != "BYTES":
        return np.ascontiguousarray(array).tobytes()
    return b"".join(struct.pack("<I", len(one)) + one for one in array.ravel())


def _reserved():
    """A socket that holds a port, on which others of this process may listen; nobody else gets it."""
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind(("127.0.0.1", 0))
    return one


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = False
    allow_reuse_address = True

    def process_request(self, request, client_address):
        """The connection is known before its thread runs, so that `stop` finds it."""
        kserve = self.RequestHandlerClass.kserve
        with kserve._lock:
            kserve._connections.add(request)
        super().process_request(request, client_address)

    def handle_error(self, request, client_address):
        """Connections break on purpose."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    kserve = None

    def log_message(self, *_):
        pass

    def do_GET(self):
        self._answer(self._get)

    def do_POST(self):
        self._answer(self._post)

    def _answer(self, call):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            self.kserve.check(self.headers.get("Authorization", ""))
            call(self.path.strip("/").split("/"), body)
        except Refused as error:
            self._reply(json.dumps({"error": error.text}).encode(), status=error.status)

    def _reply(self, body, header=None, status=200):
        self.send_response(status)
        if header is not None:
            self.send_header("Inference-Header-Content-Length", str(header))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _place(self, parts):
        """Model, version and what is asked: v2/models/NAME[/versions/V][/WHAT]."""
        if parts[:2] != ["v2", "models"] or len(parts) < 3:
            raise Refused(404, "NOT_FOUND", "no such place")
        name, rest = parts[2], parts[3:]
        version = ""
        if rest[:1] == ["versions"]:
            version, rest = rest[1], rest[2:]
        return name, version, "/".join(rest)

    def _get(self, parts, _body):
        if parts == ["v2"]:
            extensions = ["binary_tensor_data"] if self.kserve.triton else []
            return self._reply(json.dumps({"name": "test", "extensions": extensions}).encode())
        name, version, what = self._place(parts)
        served = self.kserve.model(name, version, need_ready=what == "ready")
        if what == "ready":
            return self._reply(b"")
        answer = self.kserve.config(name, version) if what == "config" else served.metadata(name)
        return self._reply(json.dumps(answer).encode())

    def _post(self, parts, body):
        if parts == ["v2", "repository", "index"]:
            return self._reply(json.dumps(self.kserve.index()).encode())
        name, version, what = self._place(parts)
        if what != "infer":
            raise Refused(404, "NOT_FOUND", "no such place")
        return self._infer(name, version, body)

    def _infer(self, name, version, body):
        fault = self.kserve.fault()
        if fault == "drop":
            self.close_connection = True
            return self.connection.shutdown(socket.SHUT_RDWR)
        _raise(fault, self.headers.get("Authorization", ""))
        if fault == "slow":
            self.kserve.sleep()
        split = int(self.headers.get("Inference-Header-Content-Length", len(body)))
        if split < len(body) and not self.kserve.binary:
            raise Refused(400, "INVALID_ARGUMENT", "a JSON object was expected")
        request, place, inputs = json.loads(body[:split]), split, {}
        for one in request["inputs"]:
            if "data" in one:
                data = np.array(one["data"], SIZES[one["datatype"]]).tobytes()
            else:
                size = one["parameters"]["binary_data_size"]
                data, place = body[place : place + size], place + size
            inputs[one["name"]] = one["datatype"], one["shape"], data
        classes = {
            one["name"]: one["parameters"].get("classification", 0) for one in request.get("outputs", ())
        }
        header, tail = self._outputs(self.kserve.infer(name, version, inputs, classes))
        answer = json.dumps({"model_name": name, "model_version": "1", "outputs": header}).encode()
        whole = answer + tail
        if fault == "half":
            self.send_response(200)
            self.send_header("Inference-Header-Content-Length", str(len(answer)))
            self.send_header("Content-Length", str(len(whole)))
            self.end_headers()
            self.wfile.write(whole[: (len(answer) + len(whole)) // 2])
            self.close_connection = True
            return self.connection.shutdown(socket.SHUT_RDWR)
        if fault == "short":
            header[0]["parameters"]["binary_data_size"] -= 4
            answer = json.dumps({"outputs": header}).encode()
            whole = answer + tail[:-4]
        return self._reply(whole, len(answer) if self.kserve.binary else None)

    def _outputs(self, found):
        header, tail = [], b""
        for name, (datatype, array) in found.items():
            one = {"name": name, "datatype": datatype, "shape": list(array.shape)}
            if self.kserve.binary:
                data = to_bytes(array, datatype)
                tail += data
                one["parameters"] = {"binary_data_size": len(data)}
            else:
                one["data"] = [x.decode() if isinstance(x, bytes) else x for x in array.ravel().tolist()]
            header.append(one)
        return header, tail


def _raise(fault, authorization):
    if fault == "error":
        raise Refused(500, "INTERNAL", "the backend fell over")
    if fault == "unavailable":
        raise Refused(503, "UNAVAILABLE", "the model is being loaded")
    if fault == "echo":
        raise Refused(400, "INVALID_ARGUMENT", f"what is {authorization}?")


def _grpc_server(kserve):
    import grpc
    from google.protobuf.json_format import ParseDict
    from tritonclient.grpc import service_pb2, service_pb2_grpc

    def answered(method):
        """Refusals become gRPC's."""

        def call(self, request, context):
            authorization = dict(context.invocation_metadata()).get("authorization", "")
            try:
                kserve.check(authorization)
                return method(self, request, context, authorization)
            except Refused as error:
                context.abort(getattr(grpc.StatusCode, error.code), error.text)

        return call

    class Servicer(service_pb2_grpc.GRPCInferenceServiceServicer):
        @answered
        def ModelMetadata(self, request, context, _):
            served = kserve.model(request.name, request.version, need_ready=False)
            return ParseDict(served.metadata(request.name), service_pb2.ModelMetadataResponse())

        @answered
        def ModelReady(self, request, context, _):
            served = kserve.model(request.name, request.version, need_ready=False)
            return service_pb2.ModelReadyResponse(ready=served.ready)

        @answered
        def ModelConfig(self, request, context, _):
            config = {"config": kserve.config(request.name, request.version)}
            return ParseDict(config, service_pb2.ModelConfigResponse())

        @answered
        def RepositoryIndex(self, request, context, _):
            return ParseDict({"models": kserve.index()}, service_pb2.RepositoryIndexResponse())

        @answered
        def ModelInfer(self, request, context, authorization):
            fault = kserve.fault()
            _raise(fault, authorization)
            if fault == "slow":
                kserve.sleep()
            if fault == "drop":
                kserve.break_connections()
                kserve.sleep()
            contents = request.raw_input_contents
            inputs = {
                one.name: (one.datatype, list(one.shape), contents[n]) for n, one in enumerate(request.inputs)
            }
            classes = {one.name: one.parameters["classification"].int64_param for one in request.outputs}
            answer = service_pb2.ModelInferResponse(model_name=request.model_name, model_version="1")
            found = kserve.infer(request.model_name, request.model_version, inputs, classes)
            for name, (datatype, array) in found.items():
                output = answer.outputs.add(name=name, datatype=datatype, shape=array.shape)
                if kserve.binary:
                    data = to_bytes(array, datatype)
                    answer.raw_output_contents.append(data[:-4] if fault == "short" else data)
                else:
                    kind = {"FP32": "fp32", "INT64": "int64", "BYTES": "bytes"}.get(datatype, "int")
                    getattr(output.contents, f"{kind}_contents").extend(array.ravel().tolist())
            return answer

    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(8), options=unlimited)
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(Servicer(), server)
    if kserve.tls:
        certificate, key = (path.read_bytes() for path in kserve.tls)
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, certificate)]))
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


class _Relay(threading.Thread):
    """Passes connections on to another port: those of gRPC cannot be broken from inside."""

    def __init__(self, kserve, port, target):
        super().__init__(daemon=True)
        self._kserve, self._target = kserve, target
        self._listener = socket.create_server(("127.0.0.1", port))
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                with self._kserve._lock:
                    self._kserve._connections |= {near, far}
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=pair, daemon=True).start()

    @staticmethod
    def _pass(source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def stop(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.join()
