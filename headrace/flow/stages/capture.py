"""Stages that begin a flow: sources, muxers, decoders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from headrace.errors import PipelineError, SourceError
from headrace.flow.objects.factory import CommonFactory
from headrace.flow.objects.signals import SourceManager
from headrace.flow.source_config import RecordConfig, SensorInfo, SourceConfig
from headrace.flow.stages.building import AnyFlow, chain, streams_of
from headrace.flow.stages.cameras import add_cameras
from headrace.flow.stream import MediaType, StreamInfo, as_media_types, node_name
from headrace.keyfile import YAML_SUFFIXES
from headrace.paths import resolve

if TYPE_CHECKING:
    from headrace.flow.flow import Flow

Media = MediaType | str | Iterable[MediaType | str]
Paths = str | os.PathLike[str]
_TEMPLATES = {MediaType.VIDEO: "vsrc_%u", MediaType.AUDIO: "asrc_%u"}
_MUX_DEFAULTS = {
    "width": 1920, "height": 1080, "batch-size": 0, "batched-push-timeout": 33000, "buffer-pool-size": 4,
    "drop-pipeline-eos": False, "live-source": False, "compute-hw": 1,
}  # fmt: skip
_ACTIONS = ("add-source", "remove-source", "terminate")


def capture(
    flow: AnyFlow,
    inputs: Sequence[Paths] | Paths,
    manager: SourceManager | None,
    media_types: Media,
    properties: Mapping[str, Any],
) -> AnyFlow:
    """A source for each address, or one that a manager feeds."""
    uris = [as_uri(one) for one in ([inputs] if isinstance(inputs, str | os.PathLike) else inputs)]
    base = node_name("capture", "source")
    if manager is None:
        names = [f"{base}_{index}" for index in range(len(uris))]
        streams = _add_sources(flow, names, uris, as_media_types(media_types), properties)
        return flow.derive(streams, batch_size=0)
    flow.pipeline.add("nvdsdynamicsrcbin", base, properties)
    for action in _ACTIONS:
        manager.attach(action, flow.pipeline[base])
    for uri in uris:
        manager.add_source(uri)
    return flow.derive([StreamInfo(base, "", MediaType.VIDEO.value)], batch_size=0)


def batch(flow: AnyFlow, properties: Mapping[str, Any]) -> AnyFlow:
    """A muxer for the streams of each kind of media.

    Raises:
        PipelineError: They are batched already, or there are none.
    """
    if flow.batch_size:
        raise PipelineError("Upstream error: the streams are batched already")
    streams = streams_of(flow, "batch")
    sizes = [sum(one.media_type == stream.media_type for one in streams) for stream in streams]
    size = int(properties.get("batch-size") or max(sizes))
    return flow.derive(_mux(flow, "batch", streams, {"batch-size": size, **properties}), batch_size=size)


def decode(flow: AnyFlow, properties: Mapping[str, Any]) -> AnyFlow:
    """``decodebin`` and a converter behind each stream."""
    ends = []
    for stream in streams_of(flow, "decode"):
        elements = [("decodebin", "decoder", properties), ("nvvideoconvert", "converter", {})]
        ends.append(StreamInfo(chain(flow, "decode", stream, elements), "", MediaType.VIDEO.value))
    return flow.derive(ends)


def batch_capture(
    flow: AnyFlow,
    input: Sequence[Paths] | Paths,
    record: RecordConfig | None,
    media_types: Media,
    properties: Mapping[str, Any],
) -> AnyFlow:
    """Sources and a muxer, or the one element that is both.

    Raises:
        TypeError: The input is neither a list nor a YAML file.
    """
    config = _config(input)
    if config.source_type == "nvmultiurisrcbin":
        return _capture_many(flow, config, record, properties)
    kinds = as_media_types(media_types)
    if config.camera_list:
        streams = add_cameras(flow, config.camera_list)
    else:
        streams = _capture_each(flow, config, record, kinds, properties)
    size = int(properties.get("batch-size") or len(streams) // len(kinds))
    known = {name: properties[name] for name in (*_MUX_DEFAULTS, "gpu-id") if name in properties}
    mux = {**_MUX_DEFAULTS, **known, "batch-size": size}
    return flow.derive(_mux(flow, "batch_capture", streams, mux), batch_size=size)


def as_uri(address: Paths) -> str:
    """A source's address; a bare path becomes ``file://``.

    Raises:
        SourceError: The file does not exist.

    Example:
        >>> as_uri("rtsp://camera/1")
        'rtsp://camera/1'
    """
    text = os.fspath(address)
    if urlsplit(text).scheme and "://" in text:
        return text
    place = resolve(text).absolute()
    if not place.exists():
        raise SourceError(f"File {text} doesn't exist")
    return place.as_uri() if place.is_file() else str(place)


def _config(input: Sequence[Paths] | Paths) -> SourceConfig:
    """A file's sources, or those of a list, named by their places in it."""
    config = SourceConfig()
    if isinstance(input, list | tuple):
        base = node_name("batch_capture", "source")
        config.sensor_list = [
            SensorInfo(f"{base}_{index}", "", as_uri(one)) for index, one in enumerate(input)
        ]
    elif isinstance(input, str | os.PathLike) and Path(input).suffix.lower() in YAML_SUFFIXES:
        config.load(input)
    else:
        raise TypeError(f"batch_capture takes a list of addresses or a YAML file, not {input!r}")
    return config


def _capture_each(
    flow: Flow,
    config: SourceConfig,
    record: RecordConfig | None,
    kinds: list[MediaType],
    properties: Mapping[str, Any],
) -> list[StreamInfo]:
    settings: dict[str, Any] = {"file-loop": False, **config.source_properties}
    settings.update({name: properties[name] for name in ("file-loop", "gpu-id") if name in properties})
    if record is not None:
        settings.update(record.source_properties())
    names = [sensor.sensor_id for sensor in config.sensor_list]
    uris = [as_uri(sensor.uri) for sensor in config.sensor_list]
    streams = _add_sources(flow, names, uris, kinds, settings, config.source_type)
    if record is not None and record.recording_type == "cloud":
        _record_on_command(flow, names, record)
    return streams


def _add_sources(
    flow: Flow,
    names: Sequence[str],
    uris: Sequence[str],
    kinds: Sequence[MediaType],
    properties: Mapping[str, Any],
    factory: str = "nvurisrcbin",
) -> list[StreamInfo]:
    streams = []
    sound = {"disable-audio": False} if MediaType.AUDIO in kinds else {}
    for name, uri in zip(names, uris, strict=True):
        flow.pipeline.add(factory, name, {**properties, **sound, "uri": uri})
        streams += [StreamInfo(name, _TEMPLATES[kind], kind.value) for kind in kinds]
    return streams


def _record_on_command(flow: Flow, names: Sequence[str], record: RecordConfig) -> None:
    controller = CommonFactory.create("smart_recording_action", node_name("batch_capture", "recorder"))
    controller.set(record.broker_properties())
    for name in names:
        for action in ("start-sr", "stop-sr"):
            controller.attach(action, flow.pipeline[name])
        flow.pipeline.attach(name, "smart_recording_signal", f"{name}-recorded", "sr-done")
    # The nodes that it gives orders to do not know it, so the pipeline keeps it alive.
    flow.pipeline[names[0]].keep(controller)


def _capture_many(
    flow: AnyFlow, config: SourceConfig, record: RecordConfig | None, properties: Mapping[str, Any]
) -> AnyFlow:
    known = {name: value for name, value in properties.items() if name in (*_MUX_DEFAULTS, "gpu-id")}
    known.pop("batch-size", None)
    sensors = config.sensor_list
    settings = {
        "width": _MUX_DEFAULTS["width"], "height": _MUX_DEFAULTS["height"],
        **known, **config.source_properties, **(record.source_properties() if record else {}),
        "uri-list": ",".join(as_uri(sensor.uri) for sensor in sensors),
        "sensor-id-list": ",".join(sensor.sensor_id for sensor in sensors),
        "sensor-name-list": ",".join(sensor.sensor_name for sensor in sensors),
    }  # fmt: skip
    size = int(settings.setdefault("max-batch-size", max(len(sensors), 1)))
    name = node_name("batch_capture", "source")
    flow.pipeline.add("nvmultiurisrcbin", name, settings)
    return flow.derive([StreamInfo(name, "", MediaType.VIDEO.value)], batch_size=size)


def _mux(
    flow: Flow, method: str, streams: Sequence[StreamInfo], properties: Mapping[str, Any]
) -> list[StreamInfo]:
    """One muxer for each kind of media; streams have the pads of their order, whenever they appear."""
    ends = []
    for kind in dict.fromkeys(stream.media_type for stream in streams):
        name = node_name(method, "mux")
        flow.pipeline.add("nvstreammux", name, properties)
        mux = flow.pipeline[name].element
        for index, stream in enumerate(one for one in streams if one.media_type == kind):
            # Now, so that a short stream does not end the batches before a slow source has opened.
            mux.request_pad_simple(f"sink_{index}")
            flow.pipeline.link((stream.originator, name), (stream.template, f"sink_{index}"))
        ends.append(StreamInfo(name, "src", kind))
    return ends
