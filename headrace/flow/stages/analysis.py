"""Stages that look at frames and write metadata: models, analytics, preprocessing."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

from headrace.flow.objects.operators import BatchMetadataOperator, Probe
from headrace.flow.stages.building import QUEUE, AnyFlow, chain, each, streams_of
from headrace.flow.stream import StreamInfo
from headrace.frames.tensor import Tensor, as_tensor
from headrace.meta.batch import BatchMetadata
from headrace.paths import resolve

_log = logging.getLogger("headrace.flow")
Generator = Callable[[int], Mapping[str, Any]]


def infer(
    flow: AnyFlow, config: str | os.PathLike[str], with_triton: bool, properties: dict[str, Any]
) -> AnyFlow:
    """A model behind each stream: ``nvinfer``, ``nvinferserver``, or ``nvinferaudio`` for sound."""
    if resolve(config).exists():
        properties = {"config-file-path": os.fspath(config), **properties}
    else:
        _log.warning("infer: %s does not exist, so the element is set by its properties alone", config)
    if flow.batch_size:
        properties.setdefault("batch-size", flow.batch_size)
    ends = []
    for stream in streams_of(flow, "infer"):
        factory = "nvinferserver" if with_triton else "nvinferaudio" if stream.is_audio else "nvinfer"
        end = chain(flow, "infer", stream, [(factory, "infer", properties)])
        ends.append(StreamInfo(end, "", stream.media_type))
    return flow.derive(ends)


def analyze(flow: AnyFlow, config: str | os.PathLike[str], properties: dict[str, Any]) -> AnyFlow:
    """Analytics behind each stream.

    Raises:
        FileNotFoundError: There is no such configuration file.
    """
    place = resolve(config)
    if not place.exists():
        raise FileNotFoundError(f"analyze: the configuration file {place} does not exist")
    properties = {"config-file": os.fspath(config), **properties}
    return each(flow, "analyze", "nvdsanalytics", "analytics", properties)


def preprocess(
    flow: AnyFlow,
    config_file: str | os.PathLike[str],
    generator: Generator | None,
    properties: dict[str, Any],
) -> AnyFlow:
    """``nvdspreprocess`` and a queue behind each stream, with generated tensors if there is a generator."""
    properties = {"config-file": os.fspath(config_file), "target-unique-ids": "1", **properties}
    ends = []
    for stream in streams_of(flow, "preprocess"):
        element = ("nvdspreprocess", "preprocess", properties)
        name = chain(flow, "preprocess", stream, [element])
        if generator is not None:
            target = int(str(properties["target-unique-ids"]).split(";")[0])
            probe = Probe(f"{name}-tensors", TensorsOfBatch(generator, target))
            flow.pipeline.attach(name, probe)
        here = StreamInfo(name, "", stream.media_type)
        ends.append(
            StreamInfo(chain(flow, "preprocess", here, [("queue", "queue", QUEUE)]), "", stream.media_type)
        )
    return flow.derive(ends)


class TensorsOfBatch(BatchMetadataOperator):
    """Puts the tensors of a generator on each batch.

    Args:
        generator: Called with the number of frames; gives tensors by name.
        target: Unique id of the model that takes them.
    """

    def __init__(self, generator: Generator, target: int) -> None:
        super().__init__()
        self._generate = generator
        self._target = target

    def handle_metadata(self, batch_meta: BatchMetadata) -> None:
        """Called for each batch."""
        for number, (name, given) in enumerate(self._generate(batch_meta.n_frames).items()):
            tensor = given if isinstance(given, Tensor) else as_tensor(given)
            meta = batch_meta.acquire_preprocess_batch_meta()
            meta.set_preprocessed_tensor(name, number, self._target, tensor)
            batch_meta.append(meta)


def apply(
    flow: AnyFlow,
    config: str | os.PathLike[str] | None,
    library: str | os.PathLike[str] | None,
    properties: dict[str, Any],
) -> AnyFlow:
    """``nvdsvideotemplate`` behind each stream."""
    if config is not None:
        properties = {"config-file": os.fspath(config), **properties}
    if library is not None:
        properties = {"customlib-name": os.fspath(library), **properties}
    return each(flow, "apply", "nvdsvideotemplate", "template", properties)
