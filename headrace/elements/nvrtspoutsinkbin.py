"""nvrtspoutsinkbin: encodes frames and serves them at rtsp://THIS-MACHINE:8554/ds-test.

gst-launch-1.0 ... ! nvdsosd ! nvrtspoutsinkbin rtsp-port=8554 rtsp-mount-point=/street bitrate=2000000

Sound is served in Opus.
"""

from __future__ import annotations

import dataclasses
import logging

from gi.repository import Gst

from headrace.elements.base.built import Built
from headrace.elements.base.caps import ANY_CAPS
from headrace.elements.base.parts import make
from headrace.elements.rtsp_server import RtspStream, free_udp_port
from headrace.errors import ConfigError
from headrace.gst.face import properties_of, template
from headrace.gst.options import option
from headrace.gst.structures import structure_of

_log = logging.getLogger(__name__)
_TAKEN = Gst.Caps.from_string(f"{ANY_CAPS.to_string()};audio/x-raw")
#: Codec to encoder, payloader and name in RTP.
_CODECS = {1: ("nvv4l2h264enc", "rtph264pay", "H264"), 2: ("nvv4l2h265enc", "rtph265pay", "H265")}


@dataclasses.dataclass(frozen=True)
class RtspOutOptions:
    """Options of nvrtspoutsinkbin."""

    rtsp_port: int = option(8554, "TCP port of the server; 0 takes a free one", maximum=65535)
    rtsp_mount_point: str = option("/ds-test", "path in the address")
    codec: int = option(1, "1 H.264, 2 H.265", minimum=1, maximum=2)
    bitrate: int = option(4_000_000, "bits per second")
    iframeinterval: int = option(30, "frames from one key frame to the next; who joins waits for one")
    profile: int = option(0, "see nvv4l2h264enc", maximum=7)
    sync: bool = option(True, "send frames at their time; without it at once")
    async_: bool = option(True, "wait for the first frame before the pipeline is paused")
    qos: bool = option(False, "tell upstream when frames come too late")
    udp_port: int = option(
        0, "port between encoder and server on this machine; 0 takes a free one", maximum=65535
    )
    enc_type: int = option(0, "0 hardware, 1 software", maximum=1, no_effect="encoded by the CPU")
    udp_buffer_size: int = option(0, "buffer behind the encoder, bytes", no_effect="1 MiB")
    gpu_id: int = option(0, "GPU", no_effect="encoded by the CPU")


class RtspOut(Built):
    """Face of encoder and server. Servers of one process share their port, if their paths differ."""

    __gtype_name__ = "NvRtspOutSinkBin"
    factory = "nvrtspoutsinkbin"
    options_type = RtspOutOptions
    __gproperties__ = properties_of(RtspOutOptions)
    __gstmetadata__ = ("RTSP output", "Sink/Video/Network", "Encodes and serves frames", "Headrace")
    __gsttemplates__ = (template("sink", Gst.PadDirection.SINK, _TAKEN),)

    stream: RtspStream | None = None

    def build(self) -> list[Gst.Element]:
        """Encoder, payloader, and the way to a server that listens already.

        Raises:
            PipelineError: A part is missing, or the port or path is in use.
            ConfigError: The path has no leading slash.
        """
        options = self.options
        if not options.rtsp_mount_point.startswith("/"):
            raise ConfigError(f"rtsp-mount-point={options.rtsp_mount_point!r} must begin with a slash")
        port = options.udp_port or free_udp_port()
        way = {name: getattr(options, name) for name in ("sync", "qos")}
        coded, encoding = self._sound() if self._gets_sound() else self._video()
        parts = [
            make("queue", None, {"max-size-buffers": 4}), *coded,
            make("udpsink", None, {"host": "127.0.0.1", "port": port, "async": options.async_, **way}),
        ]  # fmt: skip
        self.stream = RtspStream(options.rtsp_port, options.rtsp_mount_point, port, encoding)
        _log.info("%s: the stream is at %s", self.get_name(), self.stream.address)
        return parts

    def _gets_sound(self) -> bool:
        caps = self.get_static_pad("sink").peer_query_caps(None)
        return bool(caps.get_size()) and structure_of(caps, 0).get_name() == "audio/x-raw"

    def _video(self) -> tuple[list[Gst.Element], str]:
        """Encoder and payloader, and the name in RTP."""
        options = self.options
        encoder, payloader, encoding = _CODECS[options.codec]
        coder = {name: getattr(options, name) for name in ("bitrate", "iframeinterval", "profile")}
        return [
            make(encoder, None, coder),
            make(payloader, None, {"pt": 96, "config-interval": -1}),
        ], encoding

    def _sound(self) -> tuple[list[Gst.Element], str]:
        names = ("audioconvert", "audioresample", "opusenc")
        return [*map(make, names), make("rtpopuspay", None, {"pt": 96})], "OPUS"

    def close(self) -> None:
        """The path goes, and with the last path the server."""
        stream, self.stream = self.stream, None
        if stream is not None:
            stream.close()
