"""Rendering and encoding one clip; as a program, ``python -m headrace.assets.encoding CLIP FOLDER SECONDS FILE...``."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from headrace.assets.streams import CLIPS, Clip
from headrace.elements import register_all
from headrace.errors import PipelineError

# GStreamer's versions are chosen by what was imported above.
from gi.repository import GLib, Gst  # isort: skip

#: Encoders of a codec in order of preference, each with its settings: good quality at the speed of a preview.
_ENCODERS = {
    "h264": (
        "x264enc speed-preset=veryfast pass=qual quantizer=23 key-int-max=30",
        "openh264enc rate-control=quality bitrate=4000000 gop-size=30 complexity=low",
    ),
    "h265": ("x265enc speed-preset=ultrafast option-string=crf=26:keyint=30:log-level=none",),
    "jpeg": ("jpegenc quality=60",),
}
#: The codecs of clips.
CODECS = tuple(_ENCODERS)
#: The same with a fixed rate, for clips that are to be as hard to decode as a camera's.
_RATED = {
    "x264enc": "x264enc speed-preset=veryfast pass=cbr bitrate={kbits} key-int-max=30",
    "openh264enc": "openh264enc rate-control=bitrate bitrate={kbits}000 gop-size=30 complexity=low",
}
_PACKAGES = {
    "h264": "gstreamer1.0-plugins-ugly",
    "h265": "gstreamer1.0-plugins-bad",
    "jpeg": "gstreamer1.0-plugins-good",
}
_MUXERS = {".mp4": "mp4mux", ".mov": "qtmux"}


def codec_of(file: str) -> str:
    """What a file is encoded with, by its name.

    Example:
        >>> [codec_of(name) for name in ("a_h265.mp4", "a.h264", "a.mjpeg", "a.mov")]
        ['h265', 'h264', 'jpeg', 'h264']
    """
    if file.endswith(".mjpeg"):
        return "jpeg"
    return "h265" if "h265" in file else "h264"


def missing_encoder(codec: str) -> str:
    """Why a codec cannot be used, and what to install; empty if it can."""
    if _encoder(codec) is not None:
        return ""
    names = " or ".join(line.partition(" ")[0] for line in _ENCODERS[codec])
    return f"no {codec} encoder ({names}): apt install {_PACKAGES[codec]}; see headrace doctor"


def _encoder(codec: str) -> str | None:
    """Factory and settings of the encoder that is installed."""
    for line in _ENCODERS[codec]:
        if Gst.ElementFactory.find(line.partition(" ")[0]) is not None:
            return line
    return None


def encode(clip: Clip, folder: Path, seconds: float, files: Sequence[str], kbits: int = 0) -> None:
    """Render a clip once and write some of its files; each has its name only when it is complete.

    Args:
        clip: The clip.
        folder: Where the files go.
        seconds: How long it is.
        files: Those of its files that are wanted.
        kbits: Rate of H.264 in kbit/s; 0: what good quality takes.

    Raises:
        PipelineError: An element is missing, or a file cannot be written.
    """
    register_all()
    try:
        pipeline = Gst.parse_launch(_description(clip, seconds, files, kbits))
    except GLib.Error as error:
        raise PipelineError(f"{error.message}; see headrace doctor", f"clip {clip.name}") from error
    partial = {name: folder / f".{name}.part" for name in files}
    for name, path in partial.items():
        pipeline.get_by_name(name).set_property("location", str(path))
    try:
        _play(pipeline, clip.name)
        for name, path in partial.items():
            path.replace(folder / name)
    finally:
        pipeline.set_state(Gst.State.NULL)
        for path in partial.values():
            path.unlink(missing_ok=True)


def _description(clip: Clip, seconds: float, files: Sequence[str], kbits: int) -> str:
    lines = [
        f'hrsimsrc scene="{clip.address(seconds)}" ! queue ! videoconvert ! video/x-raw,format=I420 ! tee name=raw'
    ]
    for codec in dict.fromkeys(map(codec_of, files)):
        encoder = _encoder(codec) or ""
        if kbits:
            factory = encoder.partition(" ")[0]
            encoder = _RATED.get(factory, encoder).format(kbits=kbits)
        lines.append(f"raw. ! queue ! {encoder} ! tee name={codec}")
        for name in files:
            if codec_of(name) == codec:
                # A sink that waited for the first frames of others would hold up the tee, and so their encoders.
                sink = f"filesink name={name} async=false"
                lines.append(f"{codec}. ! queue ! {_ending(name, codec)} ! {sink}")
    return " ".join(lines)


def _ending(name: str, codec: str) -> str:
    muxer = _MUXERS.get(Path(name).suffix)
    if codec == "jpeg":
        return "identity"
    if muxer is None:
        return f"{codec}parse ! video/x-{codec},stream-format=byte-stream,alignment=au"
    return f"{codec}parse ! {muxer}"


def _play(pipeline: Gst.Element, name: str) -> None:
    bus = pipeline.get_bus()
    pipeline.set_state(Gst.State.PLAYING)
    message = bus.timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.ERROR | Gst.MessageType.EOS)
    if message.type == Gst.MessageType.ERROR:
        error, debug = message.parse_error()
        raise PipelineError(error.message, f"clip {name}: {message.src.get_name()}", debug or "")


def main(arguments: Sequence[str]) -> int:
    """Encode the files that are named; errors go to standard error in a line."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    name, folder, seconds, *files = arguments
    clip = next(clip for clip in CLIPS if clip.name == name)
    try:
        encode(clip, Path(folder), float(seconds), files)
    except PipelineError as error:
        sys.stderr.write(f"{error.element}: {error}\n" if error.element else f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {os.strerror(error.errno or 0)}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
