"""MediaInfo: what is in a file or stream, without playing it (contract §7)."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, field
from typing import Any

import gi
from gi.repository import GLib, Gst

from headrace.elements import register_all
from headrace.errors import SourceError
from headrace.paths import resolve
from headrace.source.uri import redacted, to_uri

_log = logging.getLogger(__name__)
_PATIENCE = 10 * Gst.SECOND


@dataclass(frozen=True, slots=True)
class VideoStreamInfo:
    """Pictures.

    Attributes:
        codec: Such as ``H.264``.
        width: Pixels.
        height: Pixels.
        framerate: Frames per second as numerator and denominator.
    """

    codec: str
    width: int
    height: int
    framerate: tuple[int, int]


@dataclass(frozen=True, slots=True)
class AudioStreamInfo:
    """Sound.

    Attributes:
        codec: Such as ``MPEG-4 AAC``.
        channels: Number of channels.
        sampling_rate: Samples per second.
    """

    codec: str
    channels: int
    sampling_rate: int


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What is in a file or stream; falsy when it could not be read.

    Attributes:
        live: Whether it goes on without end and cannot be sought in.
        duration: Length in ns, 0 when unknown.
        streams: What there is of pictures and sound.

    Example:
        >>> bool(MediaInfo.discover("/nowhere/video.mp4"))
        False
    """

    live: bool = False
    duration: int = 0
    streams: list[VideoStreamInfo | AudioStreamInfo] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.streams)

    @classmethod
    def discover(cls, uri: str | os.PathLike[str]) -> MediaInfo:
        """Look into a file or stream; a falsy object, and a line in the log, when that fails."""
        register_all()
        try:
            found = _discoverer().discover_uri(to_uri(_place(os.fspath(uri))))
        except (GLib.Error, SourceError) as error:
            _log.warning("%s: %s", redacted(os.fspath(uri)), redacted(str(error)))
            return cls()
        streams = [_video(one) for one in found.get_video_streams()]
        sounds = [_audio(one) for one in found.get_audio_streams()]
        duration = found.get_duration()
        return cls(found.get_live(), 0 if duration == Gst.CLOCK_TIME_NONE else duration, [*streams, *sounds])


def _discoverer() -> Any:
    gi.require_version("GstPbutils", "1.0")
    from gi.repository import GstPbutils

    return GstPbutils.Discoverer.new(_PATIENCE)


def _place(uri: str) -> str:
    is_file = "://" not in uri or uri.startswith("file://")
    return os.fspath(resolve(uri)) if is_file else uri


def _codec(stream: Any) -> str:
    from gi.repository import GstPbutils

    caps = stream.get_caps()
    return str(GstPbutils.pb_utils_get_codec_description(caps)) if caps is not None else ""


def _video(stream: Any) -> VideoStreamInfo:
    rate = (stream.get_framerate_num(), stream.get_framerate_denom())
    return VideoStreamInfo(_codec(stream), stream.get_width(), stream.get_height(), rate)


def _audio(stream: Any) -> AudioStreamInfo:
    return AudioStreamInfo(_codec(stream), stream.get_channels(), stream.get_sample_rate())
