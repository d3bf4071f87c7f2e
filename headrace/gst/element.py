"""Elements with pads of their own on the data path: chain functions by address, tasks, events, queries."""

from __future__ import annotations

import functools
import itertools
import weakref
from collections.abc import Callable, Collection
from typing import Any

from gi._gi import Repository, Transfer
from gi.repository import Gst

from headrace.errors import PipelineError
from headrace.gst.buffer import BufferRef
from headrace.gst.bypass import Bypass
from headrace.gst.face import Face
from headrace.gst.native import (
    CHAIN_FUNCTION,
    FLOW_ERROR,
    FLOW_FLUSHING,
    FLOW_NOT_LINKED,
    FLOW_NOT_NEGOTIATED,
    FLOW_OK,
    gst,
    gst_quick,
)
from headrace.gst.threads import keep_thread_state


class Element(Face, Gst.Element):
    """Base of the elements that handle batches.

    A subclass adds its pads in ``__init__`` with `add_sink_pad` and `add_src_pad` and gets buffers as
    addresses, which it owns, on streaming threads.
    """

    def __init__(self) -> None:
        super().__init__()
        self._chain_functions: dict[str, Any] = {}
        self._tasks: dict[int, Callable[[], None]] = {}

    def add_sink_pad(
        self, pad_template: Gst.PadTemplate, name: str, chain: Callable[[Gst.Pad, int], int]
    ) -> Gst.Pad:
        """Make a sink pad whose buffers go to `chain`: it owns them and returns a flow value.

        The pad is not added to the element yet, so that event and query functions can be set first. An
        exception of `chain` becomes an error message on the bus and flow value ERROR.
        """
        pad = Gst.Pad.new_from_template(pad_template, name)
        self._chain_to(pad, chain)
        return pad

    def add_bypassed_pads(self, chain: Callable[[Gst.Pad, int], int]) -> tuple[Gst.Pad, Gst.Pad, Bypass]:
        """Make sink and source pad of always templates, and a `Bypass` from one to the other, closed.

        As with `add_sink_pad`, the pads are not added to the element yet.
        """
        names = "sink", "src"
        sink, source = (Gst.GhostPad.new_no_target_from_template(name, self.template(name)) for name in names)
        return sink, source, Bypass(sink, source, self._chain_to(sink, chain))

    def _chain_to(self, pad: Gst.Pad, chain: Callable[[Gst.Pad, int], int]) -> Any:
        """Send a pad's buffers to a method; returns the function that C calls."""
        # Weak, because the element owns the pad, which owns its functions: a strong reference would be a
        # cycle through C that Python's collector cannot see.
        method, owner = weakref.WeakMethod(chain), weakref.ref(self)

        def on_buffer(_pad: int, _parent: int, buffer: int) -> int:
            keep_thread_state()
            call = method()
            if call is None:
                gst_quick.gst_mini_object_unref(buffer)
                return FLOW_FLUSHING
            try:
                return call(pad, buffer)
            except BaseException as error:  # noqa: BLE001 - C calls: even SystemExit would be lost
                element = owner()
                if element is not None:
                    element.post_error(error)
                return FLOW_ERROR

        function = CHAIN_FUNCTION(on_buffer)
        self._chain_functions[pad.get_name()] = function
        gst.gst_pad_set_chain_function_full(hash(pad), function, None, None)
        return function

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
            activated: Called with True before the task starts, and with False to make a waiting `loop`
                return.
        """
        owner = weakref.ref(self)
        target = weakref.ref(pad)
        turn, switch = weakref.WeakMethod(loop), weakref.WeakMethod(activated)

        def run() -> None:
            keep_thread_state()
            function, element = turn(), owner()
            if function is not None and element is not None:
                try:
                    # Not one turn for each call from C: that would let go of the interpreter and ask for it again.
                    while function():
                        pass
                except BaseException as error:  # noqa: BLE001 - C calls: even SystemExit would be lost
                    element.post_error(error)
            source = target()
            if source is not None:
                source.pause_task()

        def activate(source: Gst.Pad, _parent: Gst.Object, _mode: Gst.PadMode, active: bool) -> bool:
            change, element = switch(), owner()
            try:
                if change is not None:
                    change(active)
            except BaseException as error:  # noqa: BLE001 - C calls: even SystemExit would be lost
                if element is not None:
                    element.post_error(error)
                active = False
            return bool(source.start_task(run) if active else source.stop_task())

        pad.set_activatemode_function_full(activate)
        self._tasks[hash(pad)] = run

    def restart_task(self, pad: Gst.Pad) -> None:
        """Start a task again that has paused itself, after a flush."""
        pad.start_task(self._tasks[hash(pad)])

    def drop(self, buffer: int) -> None:
        """Give up a buffer that will not be pushed."""
        gst_quick.gst_mini_object_unref(buffer)

    def hand_out(self, pad: Gst.Pad) -> Gst.Pad:
        """The last thing that `do_request_new_pad` does: what it returns, with as many references as C expects.

        By its introspection data the method gives GStreamer a reference, so the binding adds one. But GStreamer
        takes its own, as with elements in C, and the pad would never be freed.
        """
        if _binding_gives_a_reference():
            gst.gst_object_unref(hash(pad))
        return pad

    def forget_pad(self, name: str) -> None:
        """Drop what belongs to a released request pad."""
        self._chain_functions.pop(name, None)

    def on_event(self, pad: Gst.Pad, handler: Callable[[Gst.Pad, Gst.Event], bool]) -> None:
        """Send the pad's events to `handler(pad, event) -> bool`; errors go to the bus."""
        pad.set_event_function_full(self._weakly(handler))

    def on_query(self, pad: Gst.Pad, handler: Callable[[Gst.Pad, Gst.Query], bool]) -> None:
        """Send the pad's queries to `handler(pad, query) -> bool`; errors go to the bus."""
        pad.set_query_function_full(self._weakly(handler))

    def _weakly(self, handler: Callable[..., bool]) -> Callable[..., bool]:
        call = self.guarded(handler, otherwise=False)
        return lambda pad, _parent, subject: bool(call(pad, subject))

    def push_all(self, pad: Gst.Pad, buffers: list[BufferRef]) -> int:
        """Push buffers in order until one is not taken; returns the last flow value."""
        flow = FLOW_OK
        while buffers and flow == FLOW_OK:
            flow = self.push(pad, buffers.pop(0).steal())
        return flow

    def report_flow(self, flow: int) -> None:
        """Say on the bus why a task of this element's stops; upstream may have ended and never hear of it.

        An element that fails has posted its own error before, and the first error on the bus is the one that
        counts.
        """
        if flow in _STOPPED:
            self.post_error(PipelineError(f"streaming stopped: {_STOPPED[flow]}"))

    def must_renegotiate(self, pad: Gst.Pad) -> bool:
        """Whether caps of a source pad are to be chosen anew; asked for each buffer, so not by the binding."""
        return bool(gst_quick.gst_pad_check_reconfigure(hash(pad)))

    def push(self, pad: Gst.Pad, buffer: int) -> int:
        """Push a buffer, handing over the reference; returns the flow value. Releases the GIL."""
        return int(gst.gst_pad_push(hash(pad), buffer))


_STOPPED = {
    FLOW_NOT_LINKED: "nothing is linked to the output",
    FLOW_NOT_NEGOTIATED: "the elements downstream cannot take these frames (not negotiated)",
    FLOW_ERROR: "an element downstream failed",
}


@functools.cache
def _binding_gives_a_reference() -> bool:
    methods = Repository.get_default().find_by_name("Gst", "Element").get_vfuncs()
    asked = next(method for method in methods if method.get_name() == "request_new_pad")
    return bool(asked.get_caller_owns() == Transfer.EVERYTHING)


def requested_index(name: str | None, taken: Collection[int]) -> int | None:
    """Index of a new request pad: that of its name, the first free one without a name, ``None`` if it is taken."""
    if name is None:
        return next(index for index in itertools.count() if index not in taken)
    index = int(name.rsplit("_", 1)[1])
    return None if index in taken else index
