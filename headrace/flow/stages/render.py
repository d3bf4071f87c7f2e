"""Stages that show, throw away or serve streams."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

from headrace.flow.stages.building import AnyFlow, Element, end_each
from headrace.flow.stream import RenderMode, StreamInfo

_TILES = ("width", "height")


def render(
    flow: AnyFlow,
    mode: RenderMode,
    enable_osd: bool,
    server: Mapping[str, Any],
    seg_mask_config: Mapping[str, Any] | None,
    properties: dict[str, Any],
) -> AnyFlow:
    """The end of each stream by its kind and the mode; `Flow.render` says what the arguments mean."""
    mode = RenderMode(mode)
    speaker = str(properties.pop("audio-sink", None) or "autoaudiosink")
    tiles = {name: properties.pop(name) for name in _TILES if name in properties}
    drawing = pictures(flow.batch_size, enable_osd, tiles, seg_mask_config)

    def elements(stream: StreamInfo) -> list[Element]:
        if mode == RenderMode.DISCARD:
            return [("fakesink", "sink", properties)]
        before = sound() if stream.is_audio else drawing
        return [*before, _sink(mode, stream, server, speaker, properties)]

    return end_each(flow, "render", elements)


def pictures(
    batch_size: int,
    enable_osd: bool,
    tiles: Mapping[str, Any] | None = None,
    seg_mask_config: Mapping[str, Any] | None = None,
) -> list[Element]:
    """What makes one picture, drawn on, of a batch.

    Args:
        batch_size: Frames in a batch; more than one are tiled.
        enable_osd: Whether boxes and texts are drawn.
        tiles: Size of the tiled picture.
        seg_mask_config: Properties of ``nvsegvisual``; without them it is left out.
    """
    elements: list[Element] = [("nvvideoconvert", "converter", {})]
    if seg_mask_config is not None:
        settings = {name.replace("_", "-"): value for name, value in seg_mask_config.items()}
        elements.append(("nvsegvisual", "segvisual", {"batch-size": max(batch_size, 1), **settings}))
    if batch_size > 1:
        elements.append(("nvmultistreamtiler", "tiler", tiles or {}))
    if enable_osd:
        elements.append(("nvdsosd", "osd", {"display-mask": True}))
    return elements


def sound() -> list[Element]:
    """What makes sound fit for a sink."""
    return [("audioconvert", "converter", {}), ("audioresample", "resampler", {})]


def _sink(
    mode: RenderMode,
    stream: StreamInfo,
    server: Mapping[str, Any],
    speaker: str,
    properties: Mapping[str, Any],
) -> Element:
    if mode == RenderMode.STREAM:
        return "nvrtspoutsinkbin", "sink", {**server, "sync": False, **properties}
    if stream.is_audio:
        return speaker, "sink", properties
    return "nv3dsink" if platform.processor() == "aarch64" else "nveglglessink", "sink", properties
