"""Adding elements behind the streams of a flow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from headrace.errors import PipelineError
from headrace.flow.stream import StreamInfo, node_name

if TYPE_CHECKING:
    from headrace.flow.flow import Flow

AnyFlow = TypeVar("AnyFlow", bound="Flow")
#: Factory, part of the name, properties.
Element = tuple[str, str, Mapping[str, Any]]
#: Between branches: few batches, because each holds pixels.
QUEUE = {"max-size-buffers": 4, "max-size-bytes": 0, "max-size-time": 0}


def chain(flow: Flow, method: str, stream: StreamInfo, elements: Sequence[Element]) -> str:
    """Add elements in a row behind a stream; returns the name of the last.

    A branch of a fork begins with a queue: without one a sink that waits for its first frame would keep the
    other branches from getting theirs.
    """
    pipeline = flow.pipeline
    if _is_fork(flow, stream):
        elements = [("queue", "queue", QUEUE), *elements]
    hints = (stream.template, "")
    previous = stream.originator
    for factory, part, properties in elements:
        name = node_name(method, part)
        pipeline.add(factory, name, properties)
        pipeline.link((previous, name), hints)
        previous, hints = name, ("", "")
    return previous


def _is_fork(flow: Flow, stream: StreamInfo) -> bool:
    factory = flow.pipeline[stream.originator].element.get_factory()
    return factory is not None and factory.get_name() == "tee"


def streams_of(flow: Flow, method: str) -> list[StreamInfo]:
    """The streams of a flow.

    Raises:
        PipelineError: There are none.
    """
    streams = flow.streams
    if not streams:
        raise PipelineError(f"Upstream error: there is no stream for {method}; begin with batch_capture")
    return streams


def each(
    flow: AnyFlow, method: str, factory: str, part: str, properties: Mapping[str, Any], template: str = ""
) -> AnyFlow:
    """Add one element behind each stream; ``template`` names the pads that streams leave it by."""
    ends = [
        StreamInfo(chain(flow, method, stream, [(factory, part, properties)]), template, stream.media_type)
        for stream in streams_of(flow, method)
    ]
    return flow.derive(ends)


def end_each(flow: AnyFlow, method: str, elements: Callable[[StreamInfo], Sequence[Element]]) -> AnyFlow:
    """Add the last elements of a branch behind each stream; the returned flow is where the branch began.

    So that more branches of a fork can be called on it, in a row as well as one by one.
    """
    for stream in streams_of(flow, method):
        chain(flow, method, stream, elements(stream))
    return flow.derive(flow.streams)


def attach_to_streams(
    flow: Flow, what: Any, name: str, tips: str, properties: Mapping[str, Any] | None
) -> None:
    """Attach an object to the element of each stream, at the stream's pad unless tips say otherwise."""
    for stream in streams_of(flow, "attach"):
        # A template such as src_%u is no pad yet: then the element's usual one.
        pad = "" if "%" in stream.template else stream.template
        flow.pipeline.attach(stream.originator, what, name, tips or pad, properties)
