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
        loop = self._loop = GLib.MainLoop.new(context, False)
        threading.Thread(target=loop.run, name="headrace-rtsp", daemon=True).start()
        weakref.finalize(self, _stop, self._source, loop)

    def serve(self, mount: str, port: int, encoding: str) -> None:
        """Serve what arrives as RTP at a local UDP port.

        Args:
            mount: Path, with a leading slash.
            port: Where the packets come.
            encoding: H264 or H265.

        Raises:
            PipelineError: Something is served under this path already.
        """
        points = self._server.get_mount_points()
        if points.match(mount)[0] is not None:
            raise PipelineError(f"rtsp-mount-point={mount} is in use on port {self.port}")
        factory = self._library.RTSPMediaFactory.new()
        caps = f"application/x-rtp,media=video,clock-rate=90000,encoding-name={encoding},payload=96"
        receive = f'udpsrc address=127.0.0.1 port={port} buffer-size={_RECEIVE_BUFFER} caps="{caps}"'
        kind = encoding.lower()
        # Payloaded again, so that the session's description has the parameter sets.
        factory.set_launch(
            f"( {receive} ! rtp{kind}depay ! rtp{kind}pay name=pay0 pt=96 config-interval=-1 )"
        )
        factory.set_shared(True)
        points.add_factory(mount, factory)

    def withdraw(self, mount: str) -> None:
        """Serve a path no more; those who watch see the end."""
        self._server.get_mount_points().remove_factory(mount)
        self._server.client_filter(lambda _server, _client: self._library.RTSPFilterResult.REMOVE)


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


def _stop(source: GLib.Source, loop: GLib.MainLoop) -> None:
    source.destroy()
    loop.quit()
