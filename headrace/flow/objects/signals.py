"""Objects that answer signals of elements, and objects that give elements orders."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gi.repository import GObject, Gst

from headrace.errors import PipelineError
from headrace.flow.objects.configurable import Configurable
from headrace.gst.face import USER_ERRORS
from headrace.gst.threads import keep_thread_state

if TYPE_CHECKING:
    from headrace.flow.node import Node
    from headrace.flow.objects.probing import Failed

_log = logging.getLogger(__name__)


class SignalHandler(Configurable):
    """Answers signals of an element; a subclass says which in `handlers`.

    Args:
        name: Unique on its element.

    Example:
        >>> class Pads(SignalHandler):
        ...     def handlers(self):
        ...         return {"pad-added": self.added}
        ...     def added(self, element, pad):
        ...         print(pad.get_name())
        >>> list(Pads("pads").handlers())
        ['pad-added']
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def handlers(self) -> Mapping[str, Callable[..., Any]]:
        """Signal name to bound method; it is called with the element and the signal's arguments."""
        return {}

    def after_error(self, keep: bool) -> Any:
        """What a signal's emitter gets when a method raised; ``keep`` says whether the stream goes on."""
        return None

    def connect(self, element: Gst.Element, tips: str, failed: Failed) -> None:
        """Connect to an element, which does not keep this object alive.

        Args:
            element: Whose signals.
            tips: Names of signals joined by ``/``; all of `handlers` when empty.
            failed: A method told of errors in user code.

        Raises:
            PipelineError: The element has no such signal, or this object does not answer it.
        """
        handlers = self.handlers()
        for signal in tips.split("/") if tips else handlers:
            if signal not in handlers or not GObject.signal_lookup(signal, element):
                name = element.get_name()
                raise PipelineError(
                    f"{self.name!r} cannot be attached to signal {signal!r} of {name!r}; it answers "
                    f"{', '.join(handlers)}",
                    name,
                )
            element.connect(signal, self._guarded(handlers[signal], failed))

    def _guarded(self, method: Callable[..., Any], failed: Failed) -> Callable[..., Any]:
        weak, answer, report = weakref.ref(self), weakref.WeakMethod(method), weakref.WeakMethod(failed)

        def call(element: Gst.Element, *arguments: Any) -> Any:
            keep_thread_state()
            handler, function, tell = weak(), answer(), report()
            if handler is None or function is None or tell is None:
                return None
            try:
                return function(element, *arguments)
            except USER_ERRORS as error:
                return handler.after_error(tell(element, repr(handler.name), error))

        return call


class Emitter(Configurable):
    """Gives orders to elements by their action signals.

    Args:
        name: What it is called in messages.

    Example:
        >>> emitter = Emitter("orders")
        >>> emitter.emit("start-sr")
        []
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.targets: dict[str, list[Node]] = {}

    def attach(self, action: str, node: Node) -> Emitter:
        """Let an action of this emitter reach an element.

        Raises:
            PipelineError: The element has no such action signal.
        """
        if not GObject.signal_lookup(action, node.element):
            raise PipelineError(
                f"element {node.name!r} has no action {action!r} for {self.name!r}", node.name
            )
        self.targets.setdefault(action, []).append(node)
        return self

    def emit(self, action: str, *arguments: Any) -> list[Any]:
        """Emit an action at every element attached for it; returns their answers."""
        return [node.element.emit(action, *arguments) for node in self.targets.get(action, [])]


class SourceManager(Emitter):
    """Adds files to the dynamic source that it is attached to, and removes them (contract §5).

    Attach it for the actions ``add-source``, ``remove-source`` and ``terminate``.

    Example:
        >>> SourceManager("files").add_source("file:///a.mp4")
        -1
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._next = 0

    def add_source(self, uri: str) -> int:
        """Queue a file; returns its number, -1 when there is no element that takes it."""
        if not self.targets.get("add-source"):
            _log.warning("%s cannot add %s: it is attached to no dynamic source", self.name, uri)
            return -1
        number = self._next
        self._next += 1
        return number if all(answer is not False for answer in self.emit("add-source", uri, number)) else -1

    def remove_source(self, source_id: int) -> None:
        """Remove a queued file."""
        self.emit("remove-source", source_id)

    def terminate(self) -> None:
        """End the stream when what is queued has been played."""
        self.emit("terminate")
