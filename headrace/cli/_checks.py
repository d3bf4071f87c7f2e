"""What Headrace needs of the system, and which package supplies it; uses the standard library until proven there."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

_VENV = "and make the virtual environment with --system-site-packages"
#: Module to what pip installs it with; the flag says whether Headrace needs it.
_PACKAGES = (
    ("numpy", "numpy", True), ("cv2", "opencv-python-headless", True), ("onnxruntime", "onnxruntime", True),
    ("lap", "lap", True), ("msgspec", "msgspec", True), ("pydantic", "pydantic", True), ("yaml", "pyyaml", True),
    ("rich", "rich", True), ("typer", "typer", True), ("openvino", "openvino", False), ("torch", "torch", False),
)  # fmt: skip
#: Typelib, its package, what for; those with a purpose are not needed otherwise.
_TYPELIBS = (
    ("Gst", "gir1.2-gstreamer-1.0", ""),
    ("GstBase", "gir1.2-gstreamer-1.0", ""),
    ("GstVideo", "gir1.2-gst-plugins-base-1.0", ""),
    ("GstPbutils", "gir1.2-gst-plugins-base-1.0", "MediaInfo"),
    ("GstRtspServer", "gir1.2-gst-rtsp-server-1.0", "RTSP servers, nvrtspoutsinkbin"),
)
#: Elements (one of those in a row is enough), the package, what for, whether it is needed.
_CORE = "libgstreamer1.0-0"
_BASE, _GOOD = "gstreamer1.0-plugins-base", "gstreamer1.0-plugins-good"
_BAD, _UGLY, _LIBAV = "gstreamer1.0-plugins-bad", "gstreamer1.0-plugins-ugly", "gstreamer1.0-libav"
_ELEMENTS: tuple[tuple[tuple[str, ...], str, str, bool], ...] = (
    (("queue",), _CORE, "pipelines", True),
    (("tee",), _CORE, "several outputs", True),
    (("capsfilter",), _CORE, "pipelines", True),
    (("filesrc",), _CORE, "files", True),
    (("filesink",), _CORE, "--out", True),
    (("clocksync",), _CORE, "--live", True),
    (("uridecodebin",), _BASE, "files and streams", True),
    (("videoconvert",), _BASE, "formats of decoders", True),
    (("appsink",), _BASE, "own programs", False),
    (("qtdemux",), _GOOD, "MP4 files", True),
    (("mp4mux",), _GOOD, "--out", True),
    (("matroskademux",), _GOOD, "MKV files", False),
    (("avidemux",), _GOOD, "AVI files", False),
    (("jpegdec",), _GOOD, "MJPEG", False),
    (("rtspsrc",), _GOOD, "RTSP cameras", False),
    (("v4l2src",), _GOOD, "local cameras", False),
    (("souphttpsrc",), _GOOD, "http addresses", False),
    (("h264parse",), _BAD, "H.264", True),
    (("h265parse",), _BAD, "H.265", False),
    (("avdec_h264", "openh264dec", "nvh264dec", "vah264dec", "vaapih264dec"), _LIBAV, "decoding H.264", True),
    (("avdec_h265", "nvh265dec", "vah265dec", "libde265dec"), _LIBAV, "decoding H.265", False),
    (("x264enc", "openh264enc"), _UGLY, "encoding H.264 for --out and nvv4l2h264enc", True),
    (("x265enc",), _BAD, "encoding H.265, nvv4l2h265enc", False),
    (("jpegenc",), _GOOD, "nvjpegenc", False),
    (("matroskamux",), _GOOD, "recordings as MKV", False),
    (("rtph264pay",), _GOOD, "sending H.264 over RTP and RTSP", False),
    (("udpsink",), _GOOD, "sending over UDP", False),
    (("autovideosink",), _GOOD, "windows: nveglglessink, nv3dsink", False),
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is there or not.

    Attributes:
        group: Heading it stands under.
        name: What it is.
        ok: Whether it is there.
        needed: Whether Headrace does not work without it.
        detail: Version, purpose or what is wrong.
        apt: Debian and Ubuntu package that supplies it.
        pip: Python package that supplies it.
        hint: What else to do.
    """

    group: str
    name: str
    ok: bool
    needed: bool
    detail: str = ""
    apt: str = ""
    pip: str = ""
    hint: str = ""


def all_checks() -> Iterator[Check]:
    """Check everything, in the order in which one thing needs the other."""
    yield Check("python", "Python", sys.version_info >= (3, 10), True, sys.version.split()[0], apt="python3")
    yield from _packages()
    yield from _bindings()
    yield from _gstreamer()
    yield from _own()
    for tool in ("gst-launch-1.0", "gst-inspect-1.0"):
        found = shutil.which(tool)
        yield Check("tools", tool, bool(found), False, found or "", apt="gstreamer1.0-tools")


def _packages() -> Iterator[Check]:
    for module, package, needed in _PACKAGES:
        ok, detail = _try(partial(_version, module))
        yield Check("python", module, ok, needed, detail, pip=package)


def _bindings() -> Iterator[Check]:
    ok, detail = _try(partial(_version, "gi"))
    yield Check("gstreamer", "PyGObject (gi)", ok, True, detail, apt="python3-gi", hint=_VENV)
    for name, package, purpose in _TYPELIBS:
        found, detail = _try(partial(_typelib, name)) if ok else (False, "needs PyGObject")
        shown = f"{purpose}: {detail}" if purpose else detail
        yield Check("gstreamer", f"typelib {name}", found, not purpose, shown, apt=package)
    found, detail = _try(_overrides) if ok else (False, "needs PyGObject")
    yield Check(
        "gstreamer", "Python overrides of Gst", found, True, detail, apt="python3-gst-1.0", hint=_VENV
    )


def _version(module: str) -> str:
    return str(getattr(importlib.import_module(module), "__version__", ""))


def _typelib(name: str) -> str:
    importlib.import_module("gi").require_version(name, "1.0")
    return "1.0"


def _overrides() -> str:
    importlib.import_module("gi.overrides.Gst")
    return ""


def _gst() -> Any:
    gi = importlib.import_module("gi")
    gi.require_version("Gst", "1.0")
    gst = importlib.import_module("gi.repository.Gst")
    if not gst.is_initialized():
        gst.init(None)
    return gst


def _gstreamer() -> Iterator[Check]:
    try:
        gst = _gst()
    except (ImportError, ValueError) as error:
        gst, why = None, str(error)
    version = gst.version() if gst else (0, 0, 0, 0)
    shown = ".".join(map(str, version[:3])) if gst else why
    yield Check("gstreamer", "GStreamer 1.20 or newer", version >= (1, 20), True, shown, apt=_CORE)
    unknown = "" if gst else "; not known without PyGObject"
    for names, package, purpose, needed in _ELEMENTS:
        found = next((name for name in names if gst and gst.ElementFactory.find(name)), "")
        yield Check(
            "elements", found or " or ".join(names[:2]), bool(found), needed, purpose + unknown, apt=package
        )
    loader = bool(gst and gst.Registry.get().find_plugin("python"))
    purpose = "Headrace's elements in gst-launch-1.0"
    yield Check("tools", "plugin python", loader, False, purpose, apt="gstreamer1.0-python3-plugin-loader")


def _own() -> Iterator[Check]:
    ok, detail = _try(_own_elements)
    yield Check("headrace", "elements", ok, True, detail)
    for what, find in (("engines", _engines), ("decoders", _decoders), ("trackers", _trackers)):
        ok, detail = _try(find)
        yield Check("headrace", what, ok, True, detail)


def _own_elements() -> str:
    from headrace.elements import ELEMENTS, register_all

    register_all()
    gst = _gst()
    missing = [name for name in ELEMENTS if gst.ElementFactory.find(name) is None]
    if missing:
        raise ImportError(f"not registered: {', '.join(missing)}")
    return ", ".join(ELEMENTS)


def _engines() -> str:
    from headrace.infer.engines.registry import available_engines, missing_engines

    if not available_engines():
        raise ImportError("; ".join(f"{name}: {why}" for name, why in missing_engines().items()))
    return ", ".join(available_engines())


def _decoders() -> str:
    from headrace.infer.decoders.registry import known_decoders

    return ", ".join(known_decoders())


def _trackers() -> str:
    from headrace.track.registry import trackers

    return ", ".join(trackers())


def _try(find: Callable[[], str]) -> tuple[bool, str]:
    """Whether it can be had, and its version or what is wrong."""
    try:
        return True, find()
    except Exception as error:  # noqa: BLE001 - a broken package may raise anything while it is imported
        return False, " ".join(str(error).split()) or type(error).__name__
