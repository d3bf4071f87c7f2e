"""What a pipeline does about the messages of its elements (contract §1.1)."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from typing import Any

from gi.repository import Gst

from headrace.errors import PipelineError
from headrace.flow.messages import (
    SERVICE_MAKER_MESSAGES,
    DynamicSourceMessage,
    EOSMessage,
    ErrorMessage,
    InfoMessage,
    Message,
    PipelineState,
    StateTransitionMessage,
    WarningMessage,
)
from headrace.flow.playing.manners import Manners
from headrace.flow.playing.stalls import StallWatch
from headrace.flow.playing.translation import translate
from headrace.gst.face import describe

_log = logging.getLogger("headrace.flow.pipeline")
#: Errors that end a pipeline whatever its manners.
_FATAL = (
    "Reconnection attempts exceeded for all sources or EOS received.",
    "Output window was closed",
)
_DETAIL = re.compile(r"\S+\.c\(\d+\): .*?:\n(.+)", re.DOTALL)
OnMessage = Callable[[Message], Any]


class Events:
    """Deals with the messages of one run of a pipeline, on the pipeline's own thread.

    Args:
        pipeline: The pipeline.
        manners: What is printed, and what an error does.
        on_message: The user's callback.

    Attributes:
        error: The first error from an element, which is the cause: what others report after it are consequences.
        started: Whether the pipeline has been playing.
        over: Whether the loop has ended; programs of pyservicemaker are told nothing more.
    """

    def __init__(self, pipeline: Gst.Pipeline, manners: Manners, on_message: OnMessage | None) -> None:
        self._pipeline = pipeline
        self._manners = manners
        self._on_message = on_message
        self._stalls = StallWatch(pipeline)
        self._printed: set[str] = set()
        self.error: PipelineError | None = None
        self.started = False
        self._resumed = False
        self.over = False

    def handle(self, message: Gst.Message) -> bool:
        """Deal with one bus message; returns whether the pipeline has ended."""
        told = translate(message)
        ended = False
        if isinstance(told, StateTransitionMessage):
            self.started |= message.src == self._pipeline and told.new_state == PipelineState.PLAYING
        elif isinstance(told, EOSMessage):
            self._manners.say("End of stream")
            ended = True
        elif isinstance(told, ErrorMessage):
            ended = self._failed(told, message.src)
        elif isinstance(told, WarningMessage | InfoMessage):
            kind = "WARNING" if isinstance(told, WarningMessage) else "INFO"
            self._manners.say(f"{kind} from {told.origin}: {told.text}{_tail(told.debug)}")
        elif isinstance(told, DynamicSourceMessage):
            self._manners.say(_about(told))
        self._tell(told)
        return ended

    def is_stalled(self) -> bool:
        """Whether an error has cut the streams so that the end will not come; asked while nothing happens."""
        if self.error is None or not self._stalls.is_stalled():
            return False
        self._manners.say(
            "No data can come any more after the error; the end of the stream is not waited for"
        )
        return True

    def is_given_up(self, message: Gst.Message) -> bool:
        """Whether the pipeline will never play, asked after a message.

        GStreamer gives up the way there at any element's error, even where that element could go on. Programs that
        expect to go on after errors do: the way is gone on with, once.
        """
        failed = Gst.StateChangeReturn.FAILURE
        if message.type != Gst.MessageType.ERROR or self.started:
            return False
        if self._pipeline.get_state(0)[0] != failed:
            return False
        if self._resumed or not self._manners.keeps_going:
            return True
        self._resumed = True
        return bool(self._pipeline.set_state(Gst.State.PLAYING) == failed)

    def fail(self, text: str) -> None:
        """Note that the pipeline itself failed; what an element reported before is more to the point."""
        self.error = self.error or PipelineError(text)

    def _failed(self, told: ErrorMessage, element: Gst.Object) -> bool:
        _log.debug("error from %s: %s\n%s", told.origin, told.text, told.debug)
        self._manners.say(f"ERROR from {told.origin}: {told.text}{_tail(told.debug)}")
        if self.error is None or not self.error.element:
            self.error = PipelineError(_explained(told.text, told.debug), told.origin, told.debug)
        return any(text in told.text or text in told.debug for text in _FATAL) or self._never_began(element)

    def _never_began(self, element: Any) -> bool:
        """Whether an element failed before it got ready for data, while the pipeline starts for the first time."""
        if self.started or not isinstance(element, Gst.Element):
            return False
        result, state, _ = element.get_state(0)
        return bool(result != Gst.StateChangeReturn.ASYNC and state < Gst.State.PAUSED)

    def _tell(self, told: Message | None) -> None:
        if told is None or self._on_message is None:
            return
        if self._manners.console and (self.over or not isinstance(told, SERVICE_MAKER_MESSAGES)):
            return
        try:
            self._on_message(told)
        except Exception as error:  # noqa: BLE001 - user code: any error is told, none may end this thread
            text, debug = describe(error, "on_message")
            if self._manners.keeps_going:
                self.print_user_error(text, debug)
            else:
                self.error = self.error or PipelineError(text, debug=debug)

    def print_user_error(self, text: str, debug: str) -> None:
        """Print what user code raised (contract §2): each traceback once, as code that fails does so at each frame."""
        known = debug in self._printed
        self._printed.add(debug)
        print(text if known else f"{text}\n{debug}".rstrip(), file=sys.stderr, flush=True)  # noqa: T201


def _explained(text: str, debug: str) -> str:
    """An error's text with the detail that elements written in C put behind the place in their source."""
    detail = _DETAIL.fullmatch(debug)
    line = f"{text.rstrip('.')}: {detail[1]}" if detail else text
    return (
        f"{line}; an output of it, or of an element behind it, has no link" if "not-linked" in line else line
    )


def _tail(debug: str) -> str:
    return f"\n{debug}" if debug else ""


def _about(told: DynamicSourceMessage) -> str:
    names = f"[{told.source_id}:{told.sensor_id}:{told.sensor_name}]"
    return f"new stream added {names}" if told.source_added else f"new stream removed {names}"
