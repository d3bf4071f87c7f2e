"""An RTSP server for a stream that arrives as RTP at a UDP port."""

from __future__ import annotations

import threading

import gi
from gi.repository import GLib

from headrace.errors import PipelineError

_MOUNT = "/ds-test"
_BUFFER = 512 * 1024


class RtspServer:
    """Serves until it is closed, on a thread of its own.

    Args:
        rtsp_port: Port of the server; the stream is at ``rtsp://localhost:<port>/ds-test``.
        udp_port: Port where RTP with H.264 arrives.
        buffer_size: Bytes of the receiving socket's buffer, 0 for 512 KiB.

    Raises:
        PipelineError: The port is in use, or the GstRtspServer library is missing.
    """

    def __init__(self, rtsp_port: int, udp_port: int, buffer_size: int = 0) -> None:
        try:
            gi.require_version("GstRtspServer", "1.0")
            from gi.repository import GstRtspServer
        except (ImportError, ValueError) as error:
            raise PipelineError(
                "an RTSP server needs GstRtspServer: apt install gir1.2-gst-rtsp-server-1.0"
            ) from error
        self._context = GLib.MainContext.new()
        self._loop = GLib.MainLoop.new(self._context, False)
        server = GstRtspServer.RTSPServer.new()
        server.set_service(str(rtsp_port))
        factory = GstRtspServer.RTSPMediaFactory.new()
        factory.set_launch(
            f'( udpsrc name=pay0 port={udp_port} buffer-size={buffer_size or _BUFFER} caps="application/x-rtp, '
            'media=video, clock-rate=90000, encoding-name=(string)H264, payload=96" )'
        )
        factory.set_shared(True)
        server.get_mount_points().add_factory(_MOUNT, factory)
        if not server.attach(self._context):
            raise PipelineError(f"no RTSP server can listen at port {rtsp_port}: it is in use")
        self._server = server
        self._thread = threading.Thread(target=self._loop.run, name="headrace-rtsp", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let go of clients and port."""
        self._server.client_filter(lambda _server, _client: 0)  # 0: remove
        self._loop.quit()
        self._thread.join()
