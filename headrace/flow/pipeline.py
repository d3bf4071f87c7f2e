"""Pipeline: elements by name, linked, probed and run (contract §1)."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Literal

from gi.repository import GLib, Gst

from headrace.elements import register_all
from headrace.elements.filter import where
from headrace.errors import PipelineError
from headrace.flow.linking import link
from headrace.flow.messages import (
    EOSMessage,
    ErrorMessage,
    Message,
    PipelineState,
    SourceEndedMessage,
    StateTransitionMessage,
    WarningMessage,
)
from headrace.flow.node import Node
from headrace.flow.operators import Probe
from headrace.gst.face import describe
from headrace.gst.structures import structure_of
from headrace.gst.threads import shorten_switch_interval
from headrace.meta.buffer import Buffer

_log = logging.getLogger(__name__)
_POLL = 100 * Gst.MSECOND
#: Seconds that elements get to let go of what they hold before the pipeline is given up.
_PATIENCE = 12.0
OnMessage = Callable[[Message], Any]


class Pipeline:
    """Elements, linked, that run on their own threads.

    Messages are handled on a thread of the pipeline's own, so two pipelines in one process do not meet.

    Args:
        name: Shown in messages.

    Example:
        >>> pipeline = Pipeline("example")
        >>> _ = pipeline.add("videotestsrc", "source", {"num-buffers": 3}).add("fakesink", "sink")
        >>> _ = pipeline.link("source", "sink").start()
        >>> pipeline.wait()
    """

    def __init__(self, name: str) -> None:
        register_all()
        self.name = name
        self.gst = Gst.Pipeline.new(name)
        self._nodes: dict[str, Node] = {}
        self._thread: threading.Thread | None = None
        self._on_message: OnMessage | None = None
        self._error: PipelineError | None = None
        self._quit = threading.Event()
        self._stop_asked = False

    def add(self, type_name: str, name: str, properties: Mapping[str, Any] | None = None) -> Pipeline:
        """Make an element and add it.

        Raises:
            PipelineError: There is no such element, or the name is taken.
        """
        if self.gst.get_by_name(name) is not None:
            raise PipelineError(f"Element creation failed: the name {name!r} is taken", name)
        element = Gst.ElementFactory.make(type_name, name)
        if element is None:
            raise PipelineError(
                f"Element creation failed: no element {type_name!r}; run: headrace doctor", name
            )
        self.gst.add(element)
        self[name].set(properties or {})
        return self

    def __getitem__(self, name: str) -> Node:
        """The handle of an element.

        Raises:
            PipelineError: There is none of this name.
        """
        if name not in self._nodes:
            element = self.gst.get_by_name(name)
            if element is None:
                raise PipelineError(f"{name} Not found", name)
            self._nodes[name] = Node(self, element)
        return self._nodes[name]

    def link(self, *names: Any) -> Pipeline:
        """Link elements: names in a row, or ``(source, target), (source_hint, target_hint)``.

        Raises:
            PipelineError: They do not fit, or one does not exist.
        """
        if len(names) < 2:
            raise PipelineError("link needs two elements at least")
        if isinstance(names[0], tuple):
            (source, target), hints = names[0], names[1]
            link(self[source].element, self[target].element, *hints)
            return self
        for source, target in pairwise(names):
            link(self[source].element, self[target].element)
        return self

    def attach(self, target: str, what: Probe, tips: str = "") -> Pipeline:
        """Attach a probe to an element; see `Node.attach`."""
        if not isinstance(what, Probe):
            raise PipelineError(f"Unsupported object type {type(what).__name__}: attach a Probe", target)
        self[target].attach(what, tips)
        return self

    def start(self, on_message: OnMessage | None = None) -> Pipeline:
        """Start to play; returns at once.

        Args:
            on_message: Called for each `Message` on the pipeline's own thread.
        """
        if on_message is not None and not callable(on_message):
            raise PipelineError("on_message must be callable")
        self._on_message = on_message
        self._quit.clear()
        self._stop_asked = False
        self._error = None
        shorten_switch_interval()
        self._thread = threading.Thread(target=self._run, name=f"headrace-{self.name}", daemon=True)
        self._thread.start()
        return self

    def wait(self, on_error: Literal["raise", "return"] = "raise") -> None:
        """Wait for the end, then free everything the elements hold.

        Args:
            on_error: ``raise`` ends the pipeline at the first error and raises it; ``return`` goes on until end of
                stream or `quit`, as DeepStream's programs expect.

        Raises:
            PipelineError: An element failed; or user code on a streaming thread does not return, so that the
                pipeline cannot be freed: its debug text shows where each thread is.
        """
        thread = self._thread
        while thread is not None and thread.is_alive() and not self._quit.is_set():
            thread.join(0.05)
            if on_error == "raise" and self._error is not None:
                self.quit()
        self._free()
        if on_error == "raise" and self._error is not None:
            raise self._error

    def _free(self) -> None:
        helper = threading.Thread(target=self._shut_down, name=f"headrace-end-{self.name}", daemon=True)
        helper.start()
        helper.join(_PATIENCE)
        if helper.is_alive():
            raise PipelineError(
                f"pipeline {self.name!r} does not end: code of an element or probe has not returned for "
                f"{_PATIENCE:g} s; see the debug text for where",
                debug=_stacks(),
            )

    def _shut_down(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self.gst.get_state(0).state != Gst.State.NULL:
            # In READY elements have finished, but their last messages are not flushed yet as they are in NULL.
            self.gst.set_state(Gst.State.READY)
            while (message := self.gst.get_bus().pop()) is not None:
                self._handle(message)
        self.gst.set_state(Gst.State.NULL)

    def stop(self) -> None:
        """Send end of stream in at every source, so that files are finished; does not wait.

        While the pipeline is still on its way to play, the end is sent as soon as it does: sources that are
        being opened take it for damage. `quit` ends one that never gets there.
        """
        self._stop_asked = self._thread is not None
        if self.gst.get_state(0).state == Gst.State.PLAYING:
            self._send_end()

    def _send_end(self) -> None:
        if self._stop_asked:
            self._stop_asked = False
            self.gst.send_event(Gst.Event.new_eos())

    def quit(self) -> None:
        """End without waiting for what is under way."""
        self._quit.set()

    def failed(self, element: Gst.Element, probe: Probe, buffer: Buffer, error: BaseException) -> bool:
        """An operator raised: post it on the bus in the element's name; the buffer is dropped."""
        meta = buffer.batch_meta
        place = f"probe {probe.name!r}" + (f", {where(meta)}" if meta is not None else "")
        text, debug = describe(error, place)
        gerror = GLib.Error.new_literal(Gst.stream_error_quark(), text, int(Gst.StreamError.FAILED))
        element.post_message(Gst.Message.new_error(element, gerror, debug))
        return False

    def _run(self) -> None:
        if self.gst.set_state(Gst.State.PLAYING) == Gst.StateChangeReturn.FAILURE:
            self._error = self._error or PipelineError(f"pipeline {self.name!r} could not start")
            self._quit.set()
        bus = self.gst.get_bus()
        while True:
            message = bus.timed_pop(0 if self._quit.is_set() else _POLL)
            if message is None:
                if self._quit.is_set():
                    return
                continue
            if self._handle(message):
                return

    def _handle(self, message: Gst.Message) -> bool:
        """Deal with one bus message; returns whether the pipeline has ended."""
        told = translate(message)
        state = told.new_state if isinstance(told, StateTransitionMessage) else None
        if state == PipelineState.PLAYING and message.src == self.gst:
            self._send_end()
        if isinstance(told, ErrorMessage):
            _log.debug("error from %s: %s\n%s", told.origin, told.text, told.debug)
            # The first error from an element is the cause; what others report after it are consequences.
            if self._error is None or not self._error.element:
                self._error = PipelineError(told.text, told.origin, told.debug)
        if told is not None and self._on_message is not None:
            self._on_message(told)
        return isinstance(told, EOSMessage)


def _stacks() -> str:
    """Where every thread of the process is in Python code."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    frames = sys._current_frames().items()
    return "\n".join(f"{names.get(i, i)}:\n{''.join(traceback.format_stack(frame))}" for i, frame in frames)


def translate(message: Gst.Message) -> Message | None:
    """A bus message in Headrace's words, ``None`` for one that says nothing to users."""
    origin = message.src.get_name() if message.src is not None else ""
    kind = message.type
    if kind == Gst.MessageType.EOS:
        return EOSMessage()
    if kind == Gst.MessageType.ERROR:
        error, debug = message.parse_error()
        return ErrorMessage(origin, error.message, debug or "")
    if kind == Gst.MessageType.WARNING:
        error, debug = message.parse_warning()
        return WarningMessage(origin, error.message, debug or "")
    if kind == Gst.MessageType.STATE_CHANGED:
        old, new, _ = message.parse_state_changed()
        return StateTransitionMessage(PipelineState(int(old)), PipelineState(int(new)), origin)
    structure = structure_of(message) if kind == Gst.MessageType.ELEMENT else None
    if structure is not None and structure.get_name() == "stream-eos":
        return SourceEndedMessage(structure.get_value("stream-id"))
    return None
