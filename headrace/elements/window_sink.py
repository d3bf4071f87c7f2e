"""The common part of sinks that show frames in a window."""

from __future__ import annotations

import dataclasses
import functools
import logging
import os
from collections.abc import Iterator

from gi.repository import Gst

from headrace.elements.base.built import Built
from headrace.elements.base.caps import ANY_CAPS
from headrace.elements.base.parts import make
from headrace.gst.face import template
from headrace.gst.options import option, property_name

_log = logging.getLogger(__name__)

#: Tried in this order.
_WINDOWS = ("glimagesink", "waylandsink", "xvimagesink", "ximagesink")
_MANAGER = "the window manager places windows"
_GPU = "the window system chooses"


@dataclasses.dataclass(frozen=True)
class WindowOptions:
    """Options of the sinks with a window; those without `no_effect` are GStreamer's own, passed on."""

    sync: bool = option(True, "show frames at their time; without it at once")
    async_: bool = option(True, "wait for the first frame before the pipeline is paused")
    qos: bool = option(True, "tell upstream when frames come too late")
    max_lateness: int = option(
        20_000_000, "frames later than this are dropped, ns; -1: none", kind="int64", minimum=-1
    )
    ts_offset: int = option(0, "shift of all times, ns", kind="int64")
    window_x: int = option(0, "left edge of the window", no_effect=_MANAGER)
    window_y: int = option(0, "top edge of the window", no_effect=_MANAGER)
    window_width: int = option(0, "width of the window", no_effect=_MANAGER)
    window_height: int = option(0, "height of the window", no_effect=_MANAGER)
    gpu_id: int = option(0, "GPU", no_effect=_GPU)


class WindowSink(Built):
    """Face of a sink: a window if there is a display, otherwise a sink that discards frames, in time.

    A subclass gives the element its name, options and class attributes.
    """

    __gsttemplates__ = (template("sink", Gst.PadDirection.SINK, ANY_CAPS),)

    shown: Gst.Element | None = None

    def build(self) -> list[Gst.Element]:
        """A converter and a window, or what discards frames."""
        window = next(windows(), None)
        if window is None:
            say_discarded()
            # Kept, the last batch would hold frames of the decoders.
            self.shown = make("fakesink", None, {"enable-last-sample": False})
        else:
            self.shown = window
        for field in dataclasses.fields(self.options):
            self.option_changed(field.name)
        return [self.shown] if window is None else [make("nvvideoconvert"), window]

    def option_changed(self, field: str) -> None:
        """Pass an option on to the sink that is used."""
        name = property_name(field)
        if self.shown is not None and self.shown.find_property(name) is not None:
            self.shown.set_property(name, getattr(self.options, field))


def windows() -> Iterator[Gst.Element]:
    """Sinks that can open a window here, in state READY; none without a display."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return
    for factory in _WINDOWS:
        sink = Gst.ElementFactory.make(factory, None)
        # Tried outside of the pipeline: that one cannot does not matter if another can.
        if sink is not None and sink.set_state(Gst.State.READY) != Gst.StateChangeReturn.FAILURE:
            yield sink
        elif sink is not None:
            sink.set_state(Gst.State.NULL)


@functools.cache
def say_discarded() -> None:
    """Say once in a process that there is no display."""
    _log.warning("there is no display: sinks with a window discard their frames")
