"""The common part of elements that take a batch and pass it on."""

from __future__ import annotations

import time
import traceback
from collections import Counter

from gi.repository import Gst

from headrace.elements.base.caps import BATCH_CAPS
from headrace.elements.mux.output import parse_source_event
from headrace.errors import ConfigError
from headrace.gst import payload
from headrace.gst.buffer import BufferRef
from headrace.gst.element import Element
from headrace.gst.face import USER_ERRORS, describe, template
from headrace.gst.native import FLOW_ERROR, FLOW_OK, make_writable
from headrace.meta.batch import Batch, BatchMetadata
from headrace.profiling import span

#: What an element does with a batch whose processing failed.
ON_ERROR = ("stop", "drop", "disable")
ON_ERROR_HELP = "when user code fails: stop the pipeline, drop the batch, or disable the element"

BATCH_TEMPLATES = (
    template("sink", Gst.PadDirection.SINK, BATCH_CAPS),
    template("src", Gst.PadDirection.SRC, BATCH_CAPS),
)


class Filter(Element):
    """Takes batches on ``sink``, changes metadata or pixels in place, passes them on at ``src``.

    A subclass implements `process`; `start` and `stop` surround a run (READY→PAUSED and back), `source_event`
    hears of sources that come and go. All but `start` and `stop` run on the streaming thread.

    Attributes:
        dropped: Number of batches that were not passed on, by reason.
        busy_seconds: Time spent in this element's own code so far.
        batches: Number of batches so far.
        frames: Number of frames in them.
    """

    __gsttemplates__ = BATCH_TEMPLATES

    def __init__(self) -> None:
        super().__init__()
        self.sink_pad = self.add_sink_pad(self.template("sink"), "sink", self._chain)
        self.on_event(self.sink_pad, self.handle_event)
        self.on_query(self.sink_pad, self._query)
        self.add_pad(self.sink_pad)
        self.src_pad = self.add_src_pad()
        self.on_query(self.src_pad, self._query)
        self.disabled = False
        self.dropped: Counter[str] = Counter()
        self.busy_seconds = 0.0
        self.batches = self.frames = 0

    def process(self, batch: Batch, buffer: int) -> None:
        """Work on one batch, in place.

        Args:
            batch: Metadata and pixels; this element is the only one that holds them now.
            buffer: Address of the buffer, for its timestamps.
        """

    def start(self) -> None:
        """Get ready for a run; what this raises is reported and the state change fails."""

    def stop(self) -> None:
        """End a run and free what `start` took."""

    def source_event(self, what: str, index: int) -> None:
        """A source came (``pad-added``), went (``pad-deleted``) or ended (``stream-eos``)."""

    def do_change_state(self, transition: Gst.StateChange) -> Gst.StateChangeReturn:
        """GStreamer vmethod: calls `start` and `stop`."""
        try:
            if transition == Gst.StateChange.READY_TO_PAUSED:
                self._check_policy()
                self.disabled = False
                self.start()
        except USER_ERRORS as error:
            self.post_error(error)
            return Gst.StateChangeReturn.FAILURE
        result = Gst.Element.do_change_state(self, transition)
        try:
            if transition == Gst.StateChange.PAUSED_TO_READY:
                self.stop()
        except USER_ERRORS as error:
            self.post_error(error)  # the way down must not fail: the pipeline could not be freed
        return result

    def _check_policy(self) -> None:
        policy = getattr(self.options, "on_error", "stop")
        if policy not in ON_ERROR:
            raise ConfigError(f"on-error={policy!r} is not known; use one of {', '.join(ON_ERROR)}")

    def handle_event(self, pad: Gst.Pad, event: Gst.Event) -> bool:
        """Events from upstream; passed on."""
        self.announce_source(event)
        if event.type == Gst.EventType.CAPS:  # by default they would stop here
            return bool(self.src_pad.push_event(event))
        return bool(pad.event_default(self, event))

    def announce_source(self, event: Gst.Event) -> None:
        """Call `source_event` if the event says something of a source."""
        if event.type == Gst.EventType.CUSTOM_DOWNSTREAM:
            told = parse_source_event(event)
            if told is not None:
                self.source_event(*told)

    def count(self, batch: Batch | None, seconds: float) -> None:
        """Add a batch to the statistics."""
        self.busy_seconds += seconds
        if batch is not None:
            self.batches += 1
            self.frames += len(batch.meta.frames)

    def _query(self, pad: Gst.Pad, query: Gst.Query) -> bool:
        """Questions about caps are answered by whoever is on the other side: they go through unchanged."""
        if query.type == Gst.QueryType.CAPS:
            return bool(pad.proxy_query_caps(query))
        if query.type == Gst.QueryType.ACCEPT_CAPS:
            return bool(pad.proxy_query_accept_caps(query))
        return bool(pad.query_default(self, query))

    def _chain(self, _pad: Gst.Pad, buffer: int) -> int:
        held = BufferRef(make_writable(buffer))
        batch = payload.find(held.address)
        if isinstance(batch, Batch) and not self.disabled:
            started = time.perf_counter()
            try:
                with span(self, batch.meta.frames):
                    self.process(batch, held.address)
            except USER_ERRORS as error:
                flow = self.failed(error, batch)
                if flow is not None:
                    return flow
            self.count(batch, time.perf_counter() - started)
        # The payload goes with the buffer: a reference kept here while it is downstream would delay its end.
        del batch
        return self.push(self.src_pad, held.steal())

    def failed(self, error: BaseException, batch: Batch) -> int | None:
        """Deal with an error as ``on-error`` says.

        Returns:
            A flow value when the batch is not to be passed on, otherwise ``None``.
        """
        policy = getattr(self.options, "on_error", "stop")
        context = where(batch.meta)
        try:
            return self._apply(policy, error, context)
        finally:
            # Frames of the traceback hold the batch, and often the error itself.
            traceback.clear_frames(error.__traceback__)

    def _apply(self, policy: str, error: BaseException, context: str) -> int | None:
        if policy == "stop":
            self.post_error(error, context)
            return FLOW_ERROR
        text, trace = describe(error)
        if policy == "disable":
            self.disabled = True
            self.post_warning(f"{context}: {text}; the element is disabled", trace)
            return None
        self.dropped[text] += 1
        total = sum(self.dropped.values())
        self.post_warning(f"{context}: {text}; the batch is dropped ({total} so far)", trace)
        return FLOW_OK


def where(meta: BatchMetadata) -> str:
    """The sources and frame numbers of a batch, for messages."""
    frames = [f"source {frame.source_id} frame {frame.frame_number}" for frame in meta.frames]
    shown = ", ".join(frames[:3])
    return shown + (f" and {len(frames) - 3} more" if len(frames) > 3 else "")


def parse_ids(text: str) -> tuple[int, ...] | None:
    """Class or component ids as DeepStream writes them, ``0;2;3`` or ``0:2``; ``None`` for no text.

    Raises:
        ConfigError: Something that is no number.
    """
    for separator in ";:,":
        text = text.replace(separator, " ")
    try:
        return tuple(int(part) for part in text.split()) or None
    except ValueError as error:
        raise ConfigError(f"{text!r} is no list of numbers; write for example 0;2;3") from error
