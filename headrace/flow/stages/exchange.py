"""Stages that take buffers from user code, or give them to it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from headrace.errors import ConfigError, PipelineError
from headrace.flow.objects.feeders import Feeder
from headrace.flow.objects.operators import BufferProvider, BufferRetriever
from headrace.flow.objects.receivers import Receiver
from headrace.flow.stages.building import AnyFlow, Element, chain, streams_of
from headrace.flow.stages.stamping import stamp_frames
from headrace.flow.stream import MediaType, StreamInfo, node_name

_RAW = ("RGB", "RGBA", "I420")
_DECODERS = {"JPEG": ("image/jpeg", "jpegdec"), "PNG": ("image/png", "pngdec")}
#: Bounded by number, because a batch has no bytes.
_SOURCE = {"format": "time", "max-buffers": 4}
_NVMM = "video/x-raw(memory:NVMM)"


def retrieve(flow: AnyFlow, retriever: BufferRetriever, properties: dict[str, Any]) -> AnyFlow:
    """Converter to RGB and an ``appsink`` that hands its buffers over.

    Raises:
        PipelineError: There are several streams that are not batched.
    """
    streams = streams_of(flow, "retrieve")
    if len(streams) > 1:
        raise PipelineError("Upstream error: multiple streams must be batched")
    end = chain(flow, "retrieve", streams[0], [
        ("nvvideoconvert", "converter", {"compute-hw": 1}),
        ("capsfilter", "caps", {"caps": f"{_NVMM}, format=RGB"}),
        ("appsink", "sink", {"emit-signals": True, "sync": False, **properties}),
    ])  # fmt: skip
    flow.pipeline.attach(end, Receiver(node_name("retrieve", "receiver"), retriever), tips="new-sample")
    return flow.derive(flow.streams)


def inject(flow: AnyFlow, providers: Sequence[BufferProvider], properties: dict[str, Any]) -> AnyFlow:
    """An ``appsrc`` for each provider, and what makes frames in NV12 of what it gives."""
    ends = []
    for provider in providers:
        caps, elements = _description(provider)
        source = node_name("inject", "source")
        flow.pipeline.add("appsrc", source, {"caps": caps, **_SOURCE, **properties})
        if not caps.startswith("audio/"):
            stamp_frames(flow.pipeline[source].element, _rate(_attribute(provider, "framerate")))
        feeder = Feeder(node_name("inject", "feeder"), provider)
        flow.pipeline.attach(source, feeder, tips="need-data/enough-data")
        media = MediaType.AUDIO if caps.startswith("audio/") else MediaType.VIDEO
        end = chain(flow, "inject", StreamInfo(source), elements)
        ends.append(StreamInfo(end, "", media.value))
    return flow.derive(ends, batch_size=0)


def _description(provider: BufferProvider) -> tuple[str, list[Element]]:
    """Caps of what a provider makes, and the elements behind its source."""
    kind = str(_attribute(provider, "format"))
    if kind in _RAW or kind in _DECODERS:
        return _video(provider, kind)
    rate = _attribute(provider, "sample_rate", "rate")
    channels = _attribute(provider, "channels", "num_channels")
    caps = f"audio/x-raw, format={kind}, layout=interleaved, rate={rate}, channels={channels}"
    return caps, [("audioconvert", "converter", {})]


def _video(provider: BufferProvider, kind: str) -> tuple[str, list[Element]]:
    width, height = _attribute(provider, "width"), _attribute(provider, "height")
    rate = _rate(_attribute(provider, "framerate"))
    size = f"width={width}, height={height}, framerate={rate.numerator}/{rate.denominator}"
    to_batch: list[Element] = [
        ("nvvideoconvert", "converter", {}),
        ("capsfilter", "caps", {"caps": f"{_NVMM}, format=NV12"}),
    ]
    if kind in _DECODERS:
        name, decoder = _DECODERS[kind]
        # Pictures decode into formats that nvvideoconvert does not know.
        return f"{name}, {size}", [(decoder, "decoder", {}), ("videoconvert", "format", {}), *to_batch]
    on_device = str(getattr(provider, "device", "")).lower().startswith(("gpu", "cuda"))
    return f"{_NVMM if on_device else 'video/x-raw'}, format={kind}, {size}", to_batch


def _rate(rate: Any) -> Fraction:
    """A frame rate: 30, 29.97, (30000, 1001) or ``30/1``."""
    return Fraction(*rate) if isinstance(rate, tuple | list) else Fraction(rate).limit_denominator(1001)


def _attribute(provider: BufferProvider, *names: str) -> Any:
    for name in names:
        if getattr(provider, name, None) is not None:
            return getattr(provider, name)
    raise ConfigError(
        f"inject: {type(provider).__name__} must say what it makes: set its attribute {' or '.join(names)} "
        f"(pictures: format {', '.join((*_RAW, *_DECODERS))}, width, height, framerate; "
        "sound: format, sample_rate, channels)"
    )
