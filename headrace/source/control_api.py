"""The control interface of nvmultiurisrcbin over HTTP (contract: configs §10), free of GStreamer."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from headrace.errors import HeadraceError, SourceError

_log = logging.getLogger(__name__)
_PREFIX = "/api/v1"
_LARGEST_BODY = 1 << 20
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Camera:
    """A stream as it is asked for: an id of the caller's, a name and an address."""

    id: str
    name: str
    uri: str


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream that plays: its number, its camera, and what it has done so far."""

    source_id: int
    camera: Camera
    frames: int = 0
    fps: float = 0.0


class Controls(Protocol):
    """What the interface commands; called on threads of the server's. Errors are `HeadraceError`s."""

    def add_camera(self, camera: Camera) -> int:
        """Start a stream; returns its number."""
        ...

    def remove_camera(self, camera_id: str, uri: str) -> None:
        """Stop the stream of that id and address."""
        ...

    def streams(self) -> list[Stream]:
        """The streams that play."""
        ...

    def is_ready(self) -> bool:
        """Whether the pipeline plays."""
        ...

    def control(self, target: str, name: str, value: Any, stream_id: str) -> None:
        """Set a property of the elements of a kind, for one stream where they tell streams apart."""
        ...

    def quit(self) -> None:
        """End the program's pipeline."""
        ...


#: Path to kind of element, field of the request and property.
SETTINGS: dict[str, tuple[str, str, str]] = {
    "/dec/drop-frame-interval": ("decoder", "drop_frame_interval", "drop-frame-interval"),
    "/dec/skip-frames": ("decoder", "skip_frames", "dec-skip-frames"),
    "/dec/low-latency-mode": ("decoder", "low_latency_mode", "low-latency-mode"),
    "/infer/set-interval": ("nvinfer", "interval", "interval"),
    "/inferserver/set-interval": ("nvinferserver", "interval", "interval"),
    "/nvtracker/config-path": ("nvtracker", "config_path", "ll-config-file"),
    "/enc/bitrate": ("encoder", "bitrate", "bitrate"),
    "/enc/iframe-interval": ("encoder", "iframeinterval", "iframeinterval"),
    "/conv/srccrop": ("nvvideoconvert", "src_crop", "src-crop"),
    "/conv/destcrop": ("nvvideoconvert", "dest_crop", "dest-crop"),
    "/conv/flip-method": ("nvvideoconvert", "flip_method", "flip-method"),
    "/conv/interpolation-method": ("nvvideoconvert", "interpolation_method", "interpolation-method"),
    "/mux/batched-push-timeout": ("nvstreammux", "batched_push_timeout", "batched-push-timeout"),
    "/mux/max-latency": ("nvstreammux", "max_latency", "max-latency"),
    "/osd/process-mode": ("nvdsosd", "process_mode", "process-mode"),
    "/analytics/reload-config": ("nvdsanalytics", "config_file_path", "config-file"),
}
Body = Mapping[str, Any]


def answer(controls: Controls, method: str, path: str, body: Body | None = None) -> dict[str, Any] | None:
    """What the interface says to one request.

    Args:
        controls: What is commanded.
        method: ``GET`` or ``POST``.
        path: With or without ``/api/v1`` in front.
        body: The decoded JSON of a POST.

    Returns:
        An object for JSON, ``None`` when there is no such path.
    """
    path = path.partition("?")[0].removeprefix(_PREFIX).rstrip("/")
    if method == "GET":
        reader = _READERS.get(path)
        return reader(controls) if reader else None
    if path not in SETTINGS and path not in _COMMANDS:
        return None
    name = path.strip("/").replace("/", "_").replace("-", "_").upper()
    try:
        if path in SETTINGS:
            _set(controls, path, body or {})
        else:
            _COMMANDS[path](controls, body or {})
    except HeadraceError as error:
        return {"status": "HTTP/1.1 400 Bad Request", "reason": f"{name}_FAIL, {error}"}
    return _good(f"{name}_SUCCESS")


def _good(reason: str) -> dict[str, Any]:
    return {"status": "HTTP/1.1 200 OK", "reason": reason}


def _set(controls: Controls, path: str, body: Body) -> None:
    target, field, name = SETTINGS[path]
    stream = _inner(body, "stream")
    if field not in stream:
        raise SourceError(f"the field {field} is missing")
    controls.control(target, name, stream[field], str(stream.get("stream_id", "")))


def _inner(body: Body, usual: str) -> Body:
    """What stands under the only key, whatever its name."""
    inner = body.get(usual, next((value for value in body.values() if isinstance(value, dict)), None))
    if not isinstance(inner, dict):
        raise SourceError(f'the body must be an object such as {{"{usual}": {{...}}}}')
    return inner


def _camera(body: Body) -> tuple[Camera, str]:
    value = _inner(body, "value")
    texts = {key: str(value.get(key) or "") for key in ("camera_id", "camera_name", "camera_url", "change")}
    if not texts["camera_id"]:
        raise SourceError("Source id empty")
    if not texts["camera_url"]:
        raise SourceError("Source url empty")
    return Camera(texts["camera_id"], texts["camera_name"], texts["camera_url"]), texts["change"]


def _add(controls: Controls, body: Body) -> None:
    camera, change = _camera(body)
    if change and "add" not in change and "streaming" not in change:
        raise SourceError(f"change is {change!r}; use camera_add")
    controls.add_camera(camera)


def _remove(controls: Controls, body: Body) -> None:
    camera, change = _camera(body)
    if change and "remove" not in change:
        raise SourceError(f"change is {change!r}; use camera_remove")
    controls.remove_camera(camera.id, camera.uri)


def _quit(controls: Controls, _body: Body) -> None:
    controls.quit()


def _not_here(_controls: Controls, _body: Body) -> None:
    raise SourceError("this is not offered here")


_COMMANDS: dict[str, Callable[[Controls, Body], None]] = {
    "/stream/add": _add,
    "/stream/remove": _remove,
    "/app/quit": _quit,
    **dict.fromkeys(("/roi/update", "/enc/force-idr", "/enc/force-intra"), _not_here),
    **dict.fromkeys(("/generate_text_embeddings", "/generate_image_embeddings"), _not_here),
}


def _stream_info(controls: Controls) -> dict[str, Any]:
    entries = [
        {"source_id": one.source_id, "camera_id": one.camera.id, "camera_name": one.camera.name}
        for one in controls.streams()
    ]
    info = {"stream-count": len(entries), "stream-info": entries}
    return {**_good("GET_STREAM_INFO_SUCCESS"), "stream-info": info}


def _metrics(controls: Controls) -> dict[str, Any]:
    stats = [
        {
            "source_id": one.source_id, "sensor_id": one.camera.id, "sensor_name": one.camera.name,
            "fps": round(one.fps, 2), "frame_number": one.frames,
        }
        for one in controls.streams()
    ]  # fmt: skip
    info = {"stream-count": len(stats), "stream-stats": stats}
    return {**_good("GET_METRICS_SUCCESS"), "metrics-info": info}


def _ready(controls: Controls) -> dict[str, Any]:
    health = {"ds-ready": "YES" if controls.is_ready() else "NO"}
    return {**_good("GET_DS_READINESS_INFO_SUCCESS"), "health-info": health}


def _alive(_controls: Controls) -> dict[str, Any]:
    return _good("LIVE")


_READERS: dict[str, Callable[[Controls], dict[str, Any]]] = {
    "/stream/get-stream-info": _stream_info,
    "/health/get-dsready-state": _ready,
    "/metrics": _metrics,
    "/live": _alive,
    "/ready": _ready,
    "/startup": _ready,
}


class ControlServer:
    """Serves the interface on a thread of its own.

    Args:
        host: Address to listen on.
        port: Port to listen on.
        controls: What is commanded.

    Raises:
        SourceError: The address cannot be listened on.

    Example:
        >>> class Nothing:
        ...     def is_ready(self):
        ...         return False
        >>> answer(Nothing(), "GET", "/api/v1/health/get-dsready-state")["health-info"]
        {'ds-ready': 'NO'}
    """

    def __init__(self, host: str, port: int, controls: Controls) -> None:
        handler = type("Handler", (_Handler,), {"controls": controls})
        try:
            self._server = ThreadingHTTPServer((host, port), handler)
        except OSError as error:
            raise SourceError(
                f"the control interface cannot listen on {host}:{port}: {error.strerror}; "
                "choose another port, or 0 for none"
            ) from error
        self._server.daemon_threads = True
        serve = self._server.serve_forever
        self._thread = threading.Thread(
            target=serve, args=(_POLL_SECONDS,), name="headrace-control", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop to listen."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    controls: Controls

    def do_GET(self) -> None:
        """HTTP GET."""
        self._reply(answer(self.controls, "GET", self.path))

    def do_POST(self) -> None:
        """HTTP POST."""
        length = min(int(self.headers.get("Content-Length") or 0), _LARGEST_BODY)
        try:
            body = json.loads(self.rfile.read(length) or b"{}")
        except ValueError:
            body = None
        if not isinstance(body, dict):
            self._reply({"status": "HTTP/1.1 400 Bad Request", "reason": "the body is no JSON object"})
            return
        self._reply(answer(self.controls, "POST", self.path, body))

    def _reply(self, content: dict[str, Any] | None) -> None:
        """Every known path is answered with the status line 200; the real result is in the body."""
        self.send_response(404 if content is None else 200)
        text = json.dumps(content if content is not None else {"reason": f"there is no {self.path}"}).encode()
        self.send_header("Content-Type", "text/plain")
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests go to the log, not to the console."""
        _log.debug(format, *args)
