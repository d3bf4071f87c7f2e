"""What every element has, whatever class it derives from: options, properties, errors on the bus."""

from __future__ import annotations

import logging
import sysconfig
import traceback
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

from gi.repository import GLib, GObject, Gst

from headrace.errors import HeadraceError
from headrace.gst.native import make_floating
from headrace.gst.options import field_name, gobject_properties, with_value
from headrace.gst.threads import keep_thread_state

_log = logging.getLogger(__name__)

ANY = Gst.Caps.new_any()

#: What user code may raise; `SystemExit` included, which would end a streaming thread
#: or the process without a word. `KeyboardInterrupt` too: Ctrl-C itself arrives on the main thread only.
USER_ERRORS: tuple[type[BaseException], ...] = (Exception, SystemExit, KeyboardInterrupt)

#: Where files lie whose code is no user's: Headrace, Python itself, and what either imports.
_NOT_USERS = (str(Path(__file__).parents[1]), sysconfig.get_path("stdlib"), "<frozen ")
_LIBRARY = frozenset(("site-packages", "dist-packages"))


def template(
    name: str, direction: Gst.PadDirection, caps: Gst.Caps = ANY, presence: Gst.PadPresence | None = None
) -> Gst.PadTemplate:
    """A pad template; names with ``%u`` are request pads unless said otherwise."""
    if presence is None:
        presence = Gst.PadPresence.REQUEST if "%" in name else Gst.PadPresence.ALWAYS
    return Gst.PadTemplate.new(name, direction, presence, caps)


class Face:
    """Mix-in of Headrace's elements; stands before the GStreamer class.

    A subclass names its ``factory`` and ``options_type`` and the usual GStreamer class attributes.

    Attributes:
        options: What the user set, an instance of ``options_type``; replaced, never changed in place.
    """

    factory: ClassVar[str] = ""
    rank: ClassVar[int] = Gst.Rank.PRIMARY
    options_type: ClassVar[type[Any]]
    __gsttemplates__: ClassVar[tuple[Gst.PadTemplate, ...]] = ()
    get_name: Any  # from the GStreamer class
    post_message: Any

    def __init__(self) -> None:
        super().__init__()
        make_floating(hash(self))
        self.options = self.options_type()

    @classmethod
    def template(cls, name: str) -> Gst.PadTemplate:
        """The pad template of this name.

        ``get_pad_template`` finds none in ``__init__``: while a subclass of a Python class is being
        constructed, the instance still has its parent's GObject class.
        """
        return next(t for t in cls.__gsttemplates__ if t.name_template == name)

    def do_get_property(self, spec: GObject.ParamSpec) -> Any:
        """GObject vmethod."""
        return getattr(self.options, field_name(spec.name))

    def do_set_property(self, spec: GObject.ParamSpec, value: Any) -> None:
        """GObject vmethod; an unusable value is reported on the bus and the old one kept."""
        field = field_name(spec.name)
        try:
            self.options = with_value(self.options, field, value)
            self.option_changed(field)
        except HeadraceError as error:
            self.post_error(error)

    def option_changed(self, field: str) -> None:
        """Hook: the user set an option, in any state and on any thread."""

    def guarded(self, method: Callable[..., Any], otherwise: Any = None) -> Callable[..., Any]:
        """A function for GStreamer to call (a probe, a signal's handler) that loses no error.

        Args:
            method: A bound method, of this element or of something it owns. It is held weakly: a strong
                reference would be a cycle through C that Python's collector cannot see.
            otherwise: Returned after an error, which goes to the bus, and once the element is gone.
        """
        target, owner = weakref.WeakMethod(method), weakref.ref(self)

        def call(*arguments: Any) -> Any:
            keep_thread_state()
            function, element = target(), owner()
            if function is None or element is None:
                return otherwise
            try:
                return function(*arguments)
            except BaseException as error:  # noqa: BLE001 - C calls: even SystemExit would be lost
                element.post_error(error)
                return otherwise

        return call

    def post_error(self, error: BaseException, context: str = "") -> None:
        """Put an error on the bus: one line that names what is wrong, with the traceback of user code as debug text.

        Args:
            error: What happened.
            context: Where: source and frame, for example ``source 2 frame 117``.
        """
        text, debug = describe(error, context)
        _log.debug("%s: %s", self.get_name(), text, exc_info=error)
        self._post(Gst.Message.new_error, text, debug)

    def post_warning(self, text: str, debug: str = "") -> None:
        """Put a warning on the bus; the pipeline goes on."""
        _log.debug("%s: %s\n%s", self.get_name(), text, debug)
        self._post(Gst.Message.new_warning, text, debug)

    def _post(self, kind: Any, text: str, debug: str) -> None:
        error = GLib.Error.new_literal(Gst.stream_error_quark(), text, int(Gst.StreamError.FAILED))
        self.post_message(kind(self, error, debug))


def describe(error: BaseException, context: str = "") -> tuple[str, str]:
    """One line for people, with the user's file and line, and the traceback, where somebody else's code raised.

    An error of Headrace's own names what is wrong and what to do about it. How our code came to it tells a user
    nothing, so that its traceback is left out; the log has it at debug level.
    """
    raised_here = isinstance(error, HeadraceError)
    line = str(error) if raised_here else f"{type(error).__name__}: {error}{_place(error)}"
    if context:
        line = f"{context}: {line}"
    cause = next(filter(_is_users, _chain(error)), None) if raised_here else error
    return line, "".join(traceback.format_exception(cause)) if cause is not None else ""


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _is_users(error: BaseException) -> bool:
    """Whether a traceback goes through code that is neither ours nor a library's."""
    return isinstance(error, SyntaxError) or bool(_users_lines(error))


def _users_lines(error: BaseException) -> list[tuple[str, int]]:
    """Files and lines of users' code that an error came through, the innermost last."""
    steps = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    return [
        step for step in steps if not (step[0].startswith(_NOT_USERS) or _LIBRARY & {*Path(step[0]).parts})
    ]


def _place(error: BaseException) -> str:
    lines = _users_lines(error)
    return f" ({Path(lines[-1][0]).name}, line {lines[-1][1]})" if lines else ""


def register(element: type[Face]) -> None:
    """Make the element's factory known in this process."""
    if not Gst.Element.register(None, element.factory, element.rank, element):
        raise HeadraceError(f"GStreamer refused to register the element {element.factory!r}")


def properties_of(options: type[Any]) -> dict[str, tuple[Any, ...]]:
    """The ``__gproperties__`` of an element with these options."""
    return gobject_properties(options)
