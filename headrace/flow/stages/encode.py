"""Stages that encode streams into files or send them over the network."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from headrace.errors import PipelineError
from headrace.flow.stages.building import AnyFlow, Element, end_each, streams_of
from headrace.flow.stages.render import pictures, sound
from headrace.flow.stream import StreamInfo

_MUXERS = {".mp4": "mp4mux", ".mov": "qtmux"}
_PICTURES = (".jpg", ".mjpg")
_HERE = ("127.0.0.1", "localhost")
_KINDS = ".mp4, .mov, .jpg, .mjpg, .wav, udp://localhost:port or rtsp://localhost:port"
_NVMM = "video/x-raw(memory:NVMM)"


@dataclass(frozen=True, slots=True)
class EncodeOptions:
    """How `Flow.encode` encodes.

    Attributes:
        codec_type: ``h264``, ``h265`` or ``av1``.
        bitrate: Bit per second.
        profile: 0 baseline, 2 main, 4 high for H.264; other codecs take 0 for main.
        iframeinterval: Frames from one key frame to the next.
        sync: Whether the sink keeps to the clock.

    Example:
        >>> EncodeOptions.make({"bitrate": 500000}).codec_type
        'h264'
    """

    codec_type: str = "h264"
    bitrate: int = 2_000_000
    profile: int = 0
    iframeinterval: int = 10
    sync: bool | None = None

    @classmethod
    def make(cls, options: Mapping[str, Any]) -> EncodeOptions:
        """Options from keyword arguments.

        Raises:
            TypeError: There is no such option or codec.
        """
        known = [field.name for field in fields(cls)]
        unknown = ", ".join(name for name in options if name not in known)
        if unknown:
            raise TypeError(f"encode has no option {unknown}; options: {', '.join(known)}")
        made = cls(**options)
        if made.codec_type not in CODECS:
            raise TypeError(f"encode: codec_type is {', '.join(CODECS)}, not {made.codec_type!r}")
        return made

    @property
    def to_sink(self) -> dict[str, Any]:
        """What the sink is told of it."""
        return {} if self.sync is None else {"sync": self.sync}


@dataclass(frozen=True, slots=True)
class Codec:
    """Elements of a video codec.

    Attributes:
        hardware: Encoder that takes its options in DeepStream's names.
        software: Encoder of the CPU.
        parser: What comes behind either.
        payloader: Makes RTP packets of it.
    """

    hardware: str
    software: str
    parser: str
    payloader: str


CODECS: Mapping[str, Codec] = {
    "h264": Codec("nvv4l2h264enc", "x264enc", "h264parse", "rtph264pay"),
    "h265": Codec("nvv4l2h265enc", "x265enc", "h265parse", "rtph265pay"),
    "av1": Codec("nvv4l2av1enc", "av1enc", "av1parse", "rtpav1pay"),
}
_H264_PROFILES = {0: "baseline", 2: "main", 4: "high"}


def encode(
    flow: AnyFlow,
    dest: str | os.PathLike[str],
    use_sw_codec: bool,
    enable_osd: bool,
    options: EncodeOptions,
) -> AnyFlow:
    """Encode each stream into the destination; `Flow.encode` says what the arguments mean.

    Raises:
        TypeError: The destination is of another kind, or does not go with a stream's.
        PipelineError: There are several streams for one destination.
    """
    streams = streams_of(flow, "encode")
    if len(streams) > 1:
        raise PipelineError(
            f"Upstream error: {len(streams)} streams cannot go to {dest}; batch or select them"
        )

    def elements(stream: StreamInfo) -> list[Element]:
        if stream.is_audio:
            return _wave(dest, options)
        return [*pictures(flow.batch_size, enable_osd), *_video(flow, dest, use_sw_codec, options)]

    return end_each(flow, "encode", elements)


def _wave(dest: str | os.PathLike[str], options: EncodeOptions) -> list[Element]:
    if Path(dest).suffix.lower() != ".wav":
        raise TypeError(f"encode: sound goes into .wav files, not into {dest}")
    return [*sound(), ("wavenc", "encoder", {}), _file("filesink", dest, options)]


def _video(
    flow: AnyFlow, dest: str | os.PathLike[str], use_sw_codec: bool, options: EncodeOptions
) -> list[Element]:
    address, suffix = urlsplit(os.fspath(dest)), Path(dest).suffix.lower()
    codec = CODECS[options.codec_type]
    encoded = [*_encoder(codec, use_sw_codec, options), (codec.parser, "parser", {})]
    if address.scheme in ("udp", "rtsp"):
        # Who joins later gets the codec's headers, too.
        headers = {} if options.codec_type == "av1" else {"config-interval": 1}
        payloader = (codec.payloader, "payloader", {"pt": 96, **headers})
        return [*encoded, payloader, _network(flow, address, options)]
    if suffix in _MUXERS:
        return [*encoded, (_MUXERS[suffix], "muxer", {}), _file("filesink", dest, options)]
    if suffix in _PICTURES:
        sink = "filesink" if suffix == ".mjpg" else "multifilesink"
        return [*_to("I420"), ("jpegenc", "encoder", {}), _file(sink, dest, options)]
    raise TypeError(f"encode: the destination is {_KINDS}, not {dest}")


def _encoder(codec: Codec, use_sw_codec: bool, options: EncodeOptions) -> list[Element]:
    if not use_sw_codec:
        properties = {
            "bitrate": options.bitrate, "profile": options.profile, "iframeinterval": options.iframeinterval,
        }  # fmt: skip
        return [*_to("NV12", _NVMM), (codec.hardware, "encoder", properties)]
    kilobits = max(options.bitrate // 1000, 1)
    if codec.software == "av1enc":
        fast = {"target-bitrate": kilobits, "keyframe-max-dist": options.iframeinterval, "cpu-used": 8}
        return [*_to("I420"), (codec.software, "encoder", {**fast, "usage-profile": "realtime"})]
    fast = {"bitrate": kilobits, "key-int-max": options.iframeinterval}
    encoder = (codec.software, "encoder", {**fast, "speed-preset": "superfast", "tune": "zerolatency"})
    if codec.software == "x264enc" and options.profile in _H264_PROFILES:
        profile = f"video/x-h264, profile={_H264_PROFILES[options.profile]}"
        return [*_to("I420"), encoder, ("capsfilter", "profile", {"caps": profile})]
    return [*_to("I420"), encoder]


def _to(format: str, kind: str = "video/x-raw") -> list[Element]:
    return [
        ("nvvideoconvert", "format", {}),
        ("capsfilter", "caps", {"caps": f"{kind}, format={format}"}),
    ]


def _file(factory: str, dest: str | os.PathLike[str], options: EncodeOptions) -> Element:
    return factory, "sink", {"location": os.fspath(dest), **options.to_sink}


def _network(flow: AnyFlow, address: SplitResult, options: EncodeOptions) -> Element:
    port = address.port
    if address.hostname not in _HERE or port is None:
        raise TypeError(f"encode: the destination is {_KINDS}, not {address.geturl()}")
    if address.scheme == "rtsp":
        if options.codec_type != "h264":
            raise TypeError(f"encode: rtsp:// serves h264, not {options.codec_type}")
        rtsp_port, port = port, _free_port()
        flow.pipeline.start_rtsp_server(rtsp_port, port)
    return "udpsink", "sink", {"host": "127.0.0.1", "port": port, "async": False, **options.to_sink}


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
