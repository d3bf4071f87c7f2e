"""RTSP servers of this process, one for each port."""

from __future__ import annotations

import socket
import threading
import weakref
from typing import Any

import gi
from gi.repository import GLib

from headrace.errors import PipelineError

_servers: weakref.WeakValueDictionary[int, RtspServer] = weakref.WeakValueDictionary()
_lock = threading.Lock()
#: Bytes that the system keeps of packets on their way to the server: a key frame comes all at once.
_RECEIVE_BUFFER = 1 << 20

#: Seconds that the end waits for a client that is being let in: the port is not free before.
_PATIENCE = 5.0

_VIDEO = ("video", 90000, "config-interval=-1")
#: Kind of media, clock and the payloader's properties of each encoding.
_KINDS = {"H264": _VIDEO, "H265": _VIDEO, "OPUS": ("audio", 48000, "")}


class RtspServer:
    """A server on all addresses of this machine, with a thread of its own, until nobody holds it.

    Args:
        port: TCP port; 0 takes a free one.

    Attributes:
        port: The port that it listens on.

    Raises:
        PipelineError: gst-rtsp-server is not installed, or the port is taken.
    """

    def __init__(self, port: int) -> None:
        self._library = _library()
        self._server: Any = self._library.RTSPServer.new()
        self._server.set_service(str(port))
        context = GLib.MainContext.new()
        self._source = self._server.create_source(None) if _is_free(port) else None
        if self._source is None:
            raise PipelineError(
                f"rtsp-port={port} is taken by another program; choose another, or 0 for a free one"
            )
        self._source.attach(context)
        self.port: int = self._server.get_bound_port()
        self._mounts: set[str] = set()
        ended = threading.Event()
        thread = threading.Thread(target=_serve, args=(context, ended), name="headrace-rtsp", daemon=True)
        thread.start()
        weakref.finalize(self, _stop, self._source, context, ended, thread)

    def serve(self, mount: str, receive: str, encoding: str) -> None:
        """Serve what a source of RTP receives.

        Args:
            mount: Path, with a leading slash.
            receive: Description of the source.
            encoding: H264, H265 or OPUS.

        Raises:
            PipelineError: Something is served under this path already.
        """
        if mount in self._mounts:
            raise PipelineError(f"rtsp-mount-point={mount} is in use on port {self.port}")
        self._mounts.add(mount)
        factory = self._library.RTSPMediaFactory.new()
        headers = _KINDS[encoding][2]
        kind = encoding.lower()
        # Payloaded again, so that the session's description has the parameter sets.
        factory.set_launch(f"( {receive} ! rtp{kind}depay ! rtp{kind}pay name=pay0 pt=96 {headers} )")
        factory.set_shared(True)
        self._server.get_mount_points().add_factory(mount, factory)

    def withdraw(self, mount: str) -> None:
        """Serve a path no more; with the last one all clients are sent away."""
        self._mounts.discard(mount)
        self._server.get_mount_points().remove_factory(mount)
        if not self._mounts:
            self._server.client_filter(lambda _server, _client: self._library.RTSPFilterResult.REMOVE)


class RtspStream:
    """A stream that arrives as RTP at a UDP port of this machine, served until it is closed.

    Args:
        rtsp_port: TCP port of the server; 0 takes a free one. Streams of one process share a port.
        mount: Path, with a leading slash.
        udp_port: Where the packets come.
        encoding: H264, H265 or OPUS.
        buffer_size: Bytes that the system keeps of packets on their way, 0 for 1 MiB.

    Attributes:
        server: Who serves it, ``None`` after `close`.
        address: Where it is to be seen.

    Raises:
        PipelineError: gst-rtsp-server is not installed, or port or path are in use.
    """

    def __init__(
        self, rtsp_port: int, mount: str, udp_port: int, encoding: str = "H264", buffer_size: int = 0
    ) -> None:
        media, rate, _ = _KINDS[encoding]
        caps = f"application/x-rtp,media={media},clock-rate={rate},encoding-name={encoding},payload=96"
        self._mount = mount
        self.server: RtspServer | None = server_at(rtsp_port)
        size = buffer_size or _RECEIVE_BUFFER
        self.server.serve(mount, f'udpsrc port={udp_port} buffer-size={size} caps="{caps}"', encoding)
        self.address = f"rtsp://localhost:{self.server.port}{mount}"

    def close(self) -> None:
        """Give up the path, and with the last path of the server its port."""
        if self.server is not None:
            self.server.withdraw(self._mount)
            self.server = None


def server_at(port: int) -> RtspServer:
    """The server on a port, made when there is none; it lives as long as somebody holds it.

    Raises:
        PipelineError: See `RtspServer`.
    """
    with _lock:
        server = _servers.get(port) if port else None
        if server is None:
            server = RtspServer(port)
            _servers[server.port] = server
        return server


def free_udp_port() -> int:
    """A UDP port of this machine that nobody uses."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True


def _library() -> Any:
    try:
        gi.require_version("GstRtspServer", "1.0")
        from gi.repository import GstRtspServer
    except (ImportError, ValueError) as error:
        raise PipelineError(
            "the RTSP server is missing; run: apt install gir1.2-gst-rtsp-server-1.0"
        ) from error
    return GstRtspServer


def _serve(context: GLib.MainContext, ended: threading.Event) -> None:
    # Not a main loop: told to quit before it has begun to run, it runs for ever.
    while not ended.is_set():
        context.iteration(True)


def _stop(
    source: GLib.Source, context: GLib.MainContext, ended: threading.Event, thread: threading.Thread
) -> None:
    source.destroy()
    ended.set()
    context.wakeup()
    if thread is not threading.current_thread():  # where the collector may find the server, too
        thread.join(_PATIENCE)
