"""The common part of the video encoders: properties as DeepStream names them, and what they mean for x264 and x265."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, ClassVar

from gi.repository import Gst

from headrace.elements.base.built import Built, caps_filter
from headrace.elements.base.parts import first_installed, make
from headrace.errors import ConfigError
from headrace.gst.options import option

_CPU = "encoded by the CPU"
_KILO = 1000
#: preset-level 1 to 4, in words of x264 and x265.
_SPEEDS = ("ultrafast", "superfast", "veryfast", "faster", "medium")


@dataclasses.dataclass(frozen=True)
class EncoderOptions:
    """Options of nvv4l2h264enc and nvv4l2h265enc."""

    bitrate: int = option(4_000_000, "bits per second; may change while playing")
    iframeinterval: int = option(30, "frames from one key frame to the next")
    profile: int = option(0, "H.264: 0 baseline, 2 main, 4 high; H.265: 0 main", maximum=7)
    preset_level: int = option(1, "0 or 1 fastest, up to 4 smallest", maximum=4)
    qp_range: str = option("", "smallest and largest quantizer, min,max; more pairs behind : are not used")
    idrinterval: int = option(256, "frames between two IDR frames", no_effect="every key frame is one")
    insert_sps_pps: bool = option(False, "parameter sets with each key frame", no_effect="always so")
    insert_aud: bool = option(False, "access unit delimiters", no_effect="always so in H.264")
    insert_vui: bool = option(False, "colorimetry in the stream", no_effect="always so")
    control_rate: int = option(1, "0 variable, 1 constant bit rate", maximum=3, no_effect="always constant")
    preset_id: int = option(1, "preset of the hardware", minimum=1, maximum=7, no_effect="see preset-level")
    tuning_info_id: int = option(2, "tuning of the hardware", no_effect="always for low latency")
    num_B_Frames: int = option(0, "frames between references", no_effect="there are none, for low latency")
    maxperf_enable: bool = option(False, "highest clocks", no_effect=_CPU)
    bufapi_version: bool = option(False, "version of the memory interface", no_effect="there is one")
    gpu_id: int = option(0, "GPU", no_effect=_CPU)
    capture_io_mode: int = option(0, "how data is read", no_effect="no V4L2 device")
    output_io_mode: int = option(0, "how frames are written", no_effect="no V4L2 device")


class Encoder(Built):
    """Face of an encoder: batches of one source or frames in, coded frames out.

    A subclass names the elements that may do the work, best first, and the caps of each profile.
    """

    encoders: ClassVar[tuple[str, ...]] = ()
    coded_caps: ClassVar[str] = ""
    profiles: ClassVar[dict[int, str]] = {}
    encoder: Gst.Element | None = None

    def build(self) -> list[Gst.Element]:
        """Converter, encoder and the caps that the profile asks for.

        Raises:
            PipelineError: No encoder is installed.
            ConfigError: The profile or the range of quantizers is not known.
        """
        options = self.options
        if options.profile not in self.profiles:
            raise ConfigError(f"profile={options.profile} is not known; use one of {sorted(self.profiles)}")
        factory = first_installed(self.encoders, f"able to encode {self.coded_caps.partition(',')[0]}")
        self.encoder = make(factory, "encoder")
        for name, value in settings_of(factory, options):
            Gst.util_set_object_arg(self.encoder, name, str(value))
        coded = f"{self.coded_caps},profile={self.profiles[options.profile]}"
        raw = caps_filter("video/x-raw,format={NV12,I420}")
        return [make("nvvideoconvert"), raw, self.encoder, caps_filter(coded)]

    def option_changed(self, field: str) -> None:
        """The bit rate may change while playing."""
        if field == "bitrate" and self.encoder is not None:
            name, value = next(settings_of(self.encoder.get_factory().get_name(), self.options))
            self.encoder.set_property(name, value)


def settings_of(factory: str, options: EncoderOptions) -> Iterator[tuple[str, Any]]:
    """Properties of an encoder of GStreamer's for these options, the bit rate first.

    Raises:
        ConfigError: ``qp-range`` is no pair of numbers.
    """
    quantizers = parse_qp_range(options.qp_range)
    if factory == "openh264enc":
        yield from (("bitrate", options.bitrate), ("gop-size", options.iframeinterval), ("complexity", "low"))
        yield "rate-control", "bitrate"
    else:
        yield "bitrate", max(options.bitrate // _KILO, 1)
        yield from (("key-int-max", options.iframeinterval), ("tune", "zerolatency"))
        yield "speed-preset", _SPEEDS[options.preset_level]
    if factory == "x265enc":
        limits = f":qpmin={quantizers[0]}:qpmax={quantizers[1]}" if quantizers else ""
        # Whoever joins a stream can begin at any key frame.
        yield "option-string", f"repeat-headers=1:open-gop=0{limits}"
    elif quantizers:
        yield from (("qp-min", quantizers[0]), ("qp-max", quantizers[1]))


def parse_qp_range(text: str) -> tuple[int, int] | None:
    """``10,40:12,45`` → ``(10, 40)``; ``None`` for no text.

    Raises:
        ConfigError: Something else.
    """
    if not text:
        return None
    try:
        low, high = (int(part) for part in text.split(":")[0].split(","))
    except ValueError as error:
        raise ConfigError(f"qp-range={text!r}: write min,max") from error
    if not 0 <= low <= high <= 51:
        raise ConfigError(f"qp-range={text!r}: quantizers go from 0 to 51")
    return low, high
