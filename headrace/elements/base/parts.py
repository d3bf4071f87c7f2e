"""Elements of GStreamer's own inside a bin: made, added, linked; one that is missing names its package."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from gi.repository import Gst

from headrace.errors import PipelineError

_BASE, _GOOD = "gstreamer1.0-plugins-base", "gstreamer1.0-plugins-good"
_BAD, _UGLY, _LIBAV = "gstreamer1.0-plugins-bad", "gstreamer1.0-plugins-ugly", "gstreamer1.0-libav"
#: Element to the Debian and Ubuntu package that supplies it.
_PACKAGES = {
    "videoconvert": _BASE, "videoscale": _BASE, "videotestsrc": _BASE, "uridecodebin": _BASE, "decodebin": _BASE,
    "autovideosink": _GOOD, "glimagesink": "gstreamer1.0-gl", "jpegenc": _GOOD, "jpegdec": _GOOD,
    "mp4mux": _GOOD, "matroskamux": _GOOD, "splitmuxsink": _GOOD, "rtspsrc": _GOOD, "rtph264pay": _GOOD,
    "rtph265pay": _GOOD, "udpsrc": _GOOD, "h264parse": _BAD, "h265parse": _BAD, "x265enc": _BAD,
    "openh264enc": _BAD, "x264enc": _UGLY, "avenc_mpeg4": _LIBAV, "avdec_h264": _LIBAV, "avdec_h265": _LIBAV,
}  # fmt: skip


def make(factory: str, name: str | None = None, properties: Mapping[str, Any] | None = None) -> Gst.Element:
    """Make an element.

    Raises:
        PipelineError: It is not installed; the text names the package.
    """
    element = Gst.ElementFactory.make(factory, name)
    if element is None:
        raise PipelineError(f"GStreamer element {factory!r} is missing; {remedy(factory)}")
    for key, value in (properties or {}).items():
        element.set_property(key, value)
    return element


def remedy(factory: str) -> str:
    """What to do about an element that is missing."""
    package = _PACKAGES.get(factory)
    return f"run: apt install {package}" if package else "run: headrace doctor"


def first_installed(factories: Iterable[str], purpose: str) -> str:
    """The first of these elements that is installed.

    Raises:
        PipelineError: None of them is.
    """
    names = list(factories)
    for factory in names:
        if Gst.ElementFactory.find(factory) is not None:
            return factory
    raise PipelineError(f"nothing here is {purpose}: {' or '.join(names)} is missing; {remedy(names[0])}")


def chain(bin: Gst.Bin, *elements: Gst.Element) -> None:
    """Add elements to a bin and link them in order.

    Raises:
        PipelineError: Two of them do not fit together.
    """
    for element in elements:
        bin.add(element)
    for first, second in itertools.pairwise(elements):
        if not first.link(second):
            raise PipelineError(f"{first.get_name()} cannot be linked to {second.get_name()}")
