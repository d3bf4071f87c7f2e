"""The common part of every element: pads on the data path, properties, errors to the bus."""

from __future__ import annotations

import logging
import traceback
import weakref
from collections.abc import Callable
from typing import Any, ClassVar

from gi.repository import GLib, GObject, Gst

from headrace.errors import HeadraceError
from headrace.gst.native import (
    CHAIN_FUNCTION,
    FLOW_ERROR,
    FLOW_FLUSHING,
    gst,
    make_floating,
)
from headrace.gst.options import gobject_properties, with_value
from headrace.gst.threads import keep_thread_state

_log = logging.getLogger(__name__)

ANY = Gst.Caps.new_any()


def template(
    name: str, direction: Gst.PadDirection, caps: Gst.Caps = ANY, presence: Gst.PadPresence | None = None
) -> Gst.PadTemplate:
    """A pad template; names with ``%u`` are request pads."""
    if presence is None:
        presence = Gst.PadPresence.REQUEST if "%" in name else Gst.PadPresence.ALWAYS
    return Gst.PadTemplate.new(name, direction, presence, caps)


class Element(Gst.Element):
    """Base of Headrace's elements.

    A subclass names its ``factory``, ``options_type`` and the usual GStreamer class attributes, adds its pads in
    ``__init__`` with `add_sink_pad` and `add_src_pad`, and gets buffers as addresses on streaming threads.

    Attributes:
        options: What the user set, an instance of ``options_type``; replaced, never changed in place.
    """

    factory: ClassVar[str] = ""
    __gsttemplates__: ClassVar[tuple[Gst.PadTemplate, ...]] = ()
    rank: ClassVar[int] = Gst.Rank.PRIMARY
    options_type: ClassVar[type[Any]]

    def __init__(self) -> None:
        super().__init__()
        make_floating(hash(self))
        self.options = self.options_type()
        self._chain_functions: dict[str, Any] = {}

    def do_get_property(self, spec: GObject.ParamSpec) -> Any:
        """GObject vmethod."""
        return getattr(self.options, spec.name.replace("-", "_"))

    def do_set_property(self, spec: GObject.ParamSpec, value: Any) -> None:
        """GObject vmethod; an unusable value is reported on the bus and the old one kept."""
        try:
            self.options = with_value(self.options, spec.name.replace("-", "_"), value)
            self.option_changed(spec.name.replace("-", "_"))
        except HeadraceError as error:
            self.post_error(error)

    def option_changed(self, field: str) -> None:
        """Hook: the user set an option, in any state and on any thread."""

    def add_sink_pad(
        self, pad_template: Gst.PadTemplate, name: str, chain: Callable[[Gst.Pad, int], int]
    ) -> Gst.Pad:
        """Make a sink pad whose buffers go to `chain(pad, address)`, which owns them and returns a flow value.

        The pad is not added to the element yet, so that event and query functions can be set first. An exception
        of `chain` becomes an error message on the bus and flow value ERROR.
        """
        pad = Gst.Pad.new_from_template(pad_template, name)
        # Weak, because the element owns the pad, which owns its functions: a strong reference would be a cycle
        # through C that Python's collector cannot see.
        method = weakref.WeakMethod(chain)  # type: ignore[arg-type]
        owner = weakref.ref(self)

        def on_buffer(_pad: int, _parent: int, buffer: int) -> int:
            keep_thread_state()
            call = method()
            if call is None:
                gst.gst_mini_object_unref(buffer)
                return FLOW_FLUSHING
            try:
                return call(pad, buffer)
            except Exception as error:
                element = owner()
                if element is not None:
                    element.post_error(error)
                return FLOW_ERROR

        function = CHAIN_FUNCTION(on_buffer)
        self._chain_functions[name] = function
        gst.gst_pad_set_chain_function_full(hash(pad), function, None, None)
        return pad

    @classmethod
    def template(cls, name: str) -> Gst.PadTemplate:
        """The pad template of this name.

        ``get_pad_template`` finds none in ``__init__``: while a subclass of a Python class is being constructed, the
        instance still has its parent's GObject class.
        """
        return next(t for t in cls.__gsttemplates__ if t.name_template == name)

    def add_src_pad(self, name: str = "src") -> Gst.Pad:
        """Make and add the source pad of an always template."""
        pad = Gst.Pad.new_from_template(self.template(name), name)
        self.add_pad(pad)
        return pad

    def run_task(self, pad: Gst.Pad, loop: Callable[[], bool], activated: Callable[[bool], None]) -> None:
        """Run `loop` again and again on a thread of the source pad's while the pad is active.

        Args:
            pad: A source pad.
            loop: One turn; returns whether to go on. An exception becomes a bus error and ends the task.
            activated: Called with True before the task starts, and with False to make a waiting `loop` return.
        """
        owner = weakref.ref(self)
        turn, switch = weakref.WeakMethod(loop), weakref.WeakMethod(activated)

        def run() -> None:
            keep_thread_state()
            function, element = turn(), owner()
            go_on = False
            if function is not None and element is not None:
                try:
                    go_on = function()
                except Exception as error:
                    element.post_error(error)
            if not go_on:
                pad.pause_task()

        def activate(_pad: Gst.Pad, _parent: Gst.Object, _mode: Gst.PadMode, active: bool) -> bool:
            change = switch()
            if change is not None:
                change(active)
            return bool(pad.start_task(run) if active else pad.stop_task())

        pad.set_activatemode_function_full(activate)

    def drop(self, buffer: int) -> None:
        """Give up a buffer that will not be pushed."""
        gst.gst_mini_object_unref(buffer)

    def forget_pad(self, name: str) -> None:
        """Drop what belongs to a released request pad."""
        self._chain_functions.pop(name, None)

    def on_event(self, pad: Gst.Pad, handler: Callable[[Gst.Pad, Gst.Event], bool]) -> None:
        """Send the pad's events to `handler(pad, event) -> bool`; an exception becomes a bus error and False."""
        pad.set_event_function_full(self._weakly(handler))

    def on_query(self, pad: Gst.Pad, handler: Callable[[Gst.Pad, Gst.Query], bool]) -> None:
        """Send the pad's queries to `handler(pad, query) -> bool`; an exception becomes a bus error and False."""
        pad.set_query_function_full(self._weakly(handler))

    def _weakly(self, handler: Callable[..., bool]) -> Callable[..., bool]:
        method = weakref.WeakMethod(handler)  # type: ignore[arg-type]
        owner = weakref.ref(self)

        def call(pad: Gst.Pad, _parent: Gst.Object, subject: Any) -> bool:
            keep_thread_state()
            function, element = method(), owner()
            if function is None or element is None:
                return False
            try:
                return bool(function(pad, subject))
            except Exception as error:
                element.post_error(error)
                return False

        return call

    def push(self, pad: Gst.Pad, buffer: int) -> int:
        """Push a buffer, handing over the reference; returns the flow value. Releases the GIL."""
        return int(gst.gst_pad_push(hash(pad), buffer))

    def post_error(self, error: BaseException, context: str = "") -> None:
        """Put an error on the bus: one line that names what is wrong, and the traceback as debug text.

        Args:
            error: What happened.
            context: Where: source and frame, for example ``source 2, frame 117``.
        """
        text, debug = describe(error, context)
        _log.debug("%s: %s\n%s", self.get_name(), text, debug)
        message = Gst.Message.new_error(self, GLib.Error.new_literal(_DOMAIN, text, _CODE), debug)
        self.post_message(message)

    def post_warning(self, text: str, debug: str = "") -> None:
        """Put a warning on the bus; the pipeline goes on."""
        self.post_message(Gst.Message.new_warning(self, GLib.Error.new_literal(_DOMAIN, text, _CODE), debug))


_DOMAIN = Gst.StreamError.quark()
_CODE = int(Gst.StreamError.FAILED)


def describe(error: BaseException, context: str = "") -> tuple[str, str]:
    """One line for people and the full traceback, causes included."""
    line = str(error) if isinstance(error, HeadraceError) else f"{type(error).__name__}: {error}"
    if context:
        line = f"{context}: {line}"
    return line, "".join(traceback.format_exception(type(error), error, error.__traceback__))


def register(element: type[Element]) -> None:
    """Make the element's factory known in this process."""
    if not Gst.Element.register(None, element.factory, element.rank, element):
        raise HeadraceError(f"GStreamer refused to register the element {element.factory!r}")


def properties_of(options: type[Any]) -> dict[str, tuple[Any, ...]]:
    """The ``__gproperties__`` of an element with these options."""
    return gobject_properties(options)
