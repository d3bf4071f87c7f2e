"""Which function reads a model's outputs, as an nvinfer configuration and the graph say."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ConfigError, ModelError
from headrace.infer.cluster import cluster
from headrace.infer.decoders import DecodeOptions, choose_decoder
from headrace.infer.engines import ModelGraph
from headrace.infer.model import Result
from headrace.infer.nvinfer.config import CLASSIFIER, DETECTOR, INSTANCE, SEMANTIC, NvInferConfig
from headrace.infer.parsers import (
    NetworkInfo,
    ParseParams,
    load_classifier_parser,
    load_parser,
    load_segmentation_parser,
    parse_classifier,
    parse_detectnet,
    parse_segmentation,
)
from headrace.meta import Detections

_log = logging.getLogger(__name__)

#: Outputs of a batch by name, rows of the batch on the first axis.
Outputs = Mapping[str, NDArray[Any]]
#: Reads the outputs of a batch; boxes in pixels of the network's input.
Parse = Callable[[Outputs], list[Result]]
_FUNCTIONS = {
    DETECTOR: "parse_bbox_func_name",
    CLASSIFIER: "parse_classifier_func_name",
    SEMANTIC: "parse_segmentation_func_name",
    INSTANCE: "parse_bbox_instance_mask_func_name",
}
#: DeepStream's C functions that do what the built-in parser does.
_BUILT_IN = {"NvDsInferClassiferParseCustomSoftmax", "NvDsInferParseCustomResnet"}


def choose_parse(
    config: NvInferConfig, graph: ModelGraph, network: NetworkInfo, labels: tuple[tuple[str, ...], ...]
) -> Parse:
    """The function that reads the model's outputs.

    Args:
        config: What to look for, and how.
        graph: The model.
        network: Its input.
        labels: Lines of the label file.

    Raises:
        ConfigError: A custom function is compiled code, and nothing here reads the graph.
        ModelError: A custom function cannot be loaded; or nothing reads the outputs of a detector.
    """
    if config.network_type == CLASSIFIER:
        return _each(_classifier(config, network, labels))
    if config.network_type == SEMANTIC:
        return _each(_segmentation(config, network))
    if config.detects:
        return _detector(config, graph, network, labels)
    return _nothing


def _nothing(outputs: Outputs) -> list[Result]:
    return [Result()] * len(next(iter(outputs.values())))


def _each(read: Callable[[Outputs], Result]) -> Parse:
    """From a function of one row to one of a batch."""

    def parse(outputs: Outputs) -> list[Result]:
        rows = len(next(iter(outputs.values())))
        return [read({name: array[row] for name, array in outputs.items()}) for row in range(rows)]

    return parse


def _classifier(
    config: NvInferConfig, network: NetworkInfo, labels: tuple[tuple[str, ...], ...]
) -> Callable[[Outputs], Result]:
    spec = custom_function(config)
    if spec is None:
        return lambda outputs: Result(labels=parse_classifier(outputs, labels, config.classifier_threshold))
    custom = load_classifier_parser(spec, config.path.parent)
    params = ParseParams(sum(map(len, labels)), (config.classifier_threshold,), labels)
    return lambda outputs: Result(labels=custom(outputs, network, params))


def _segmentation(config: NvInferConfig, network: NetworkInfo) -> Callable[[Outputs], Result]:
    spec, threshold = custom_function(config), config.segmentation_threshold
    if spec is None:
        order = config.segmentation_output_order
        return lambda outputs: Result(
            segmentation=parse_segmentation(
                next(iter(outputs.values())), threshold, order, config.gie_unique_id
            )
        )
    custom = load_segmentation_parser(spec, config.path.parent)
    params = ParseParams(config.num_detected_classes, (threshold,))
    return lambda outputs: Result(
        segmentation=replace(custom(outputs, network, params), unique_id=config.gie_unique_id)
    )


def _detector(
    config: NvInferConfig, graph: ModelGraph, network: NetworkInfo, labels: tuple[tuple[str, ...], ...]
) -> Parse:
    thresholds = tuple(one.pre_cluster_threshold for one in config.attributes)
    find = _boxes(config, graph, network, thresholds, labels)

    def parse(outputs: Outputs) -> list[Result]:
        found = find(outputs)
        return [Result(detections=cluster(one, config.attributes, config.cluster_mode)) for one in found]

    return parse


def _boxes(
    config: NvInferConfig,
    graph: ModelGraph,
    network: NetworkInfo,
    thresholds: tuple[float, ...],
    labels: tuple[tuple[str, ...], ...],
) -> Callable[[Outputs], list[Detections]]:
    """What finds boxes: a custom function, the parser of DetectNet's grid, or a decoder that knows the graph."""
    size, classes = (network.width, network.height), config.num_detected_classes
    compiled = ""
    try:
        spec = custom_function(config)
    except ConfigError as error:
        spec, compiled = None, str(error)
    if spec is not None:
        custom = load_parser(spec, config.path.parent)
        params = ParseParams(classes, thresholds, labels)
        return _rows(lambda outputs: custom(outputs, network, params))
    names = [spec.name.lower() for spec in graph.outputs]
    if all(any(word in name for name in names) for word in ("cov", "bbox")):
        _say(compiled, config, "the built-in parser of DetectNet's grid is used")
        return _rows(lambda outputs: parse_detectnet(outputs, size, classes, thresholds))
    return _decoded(config, graph, size, min(thresholds), compiled)


def _rows(read: Callable[[Outputs], Detections]) -> Callable[[Outputs], list[Detections]]:
    def find(outputs: Outputs) -> list[Detections]:
        rows = len(next(iter(outputs.values())))
        return [read({name: array[row] for name, array in outputs.items()}) for row in range(rows)]

    return find


def _decoded(
    config: NvInferConfig, graph: ModelGraph, size: tuple[int, int], threshold: float, compiled: str
) -> Callable[[Outputs], list[Detections]]:
    try:
        decoder = choose_decoder(replace(graph, class_count=config.num_detected_classes))
    except ModelError as error:
        if compiled:
            raise ConfigError(compiled) from error
        raise ConfigError(
            f"{config.path}: [property] nothing here reads the outputs of {graph.path}: "
            f"{'; '.join(map(str, graph.outputs))}. The built-in parser wants layers with cov and bbox in their "
            f"names; write a parser in Python and set {config_key(config)}=file.py:function"
        ) from error
    _say(compiled, config, f"the graph is of the family {decoder.name}, whose built-in decoder is used")
    grouping = any(one.group_threshold for one in config.attributes)
    if decoder.needs_nms and (config.cluster_mode == 4 or (config.cluster_mode == 0 and not grouping)):
        _log.warning(
            "%s: [property] cluster-mode=%d leaves overlapping boxes of a %s model as they are; set cluster-mode=2",
            config.path, config.cluster_mode, decoder.name,
        )  # fmt: skip
    options = DecodeOptions(threshold, *size)

    def find(outputs: Outputs) -> list[Detections]:
        try:
            found = decoder.decode(outputs, options)
        except (ValueError, IndexError) as error:
            raise ModelError(
                f"decoder {decoder.name} cannot read the outputs of {graph.path}: {error}"
            ) from error
        limit = np.array(size * 2, np.float32)
        return [replace(one, xyxy=np.clip(one.xyxy, 0, limit)) for one in found]

    return find


def _say(compiled: str, config: NvInferConfig, instead: str) -> None:
    if compiled:
        _log.info("%s: %s is compiled code; %s", config.path, config_key(config), instead)


def config_key(config: NvInferConfig) -> str:
    """The key that names the custom function for this kind of network."""
    return _FUNCTIONS[config.network_type].replace("_", "-")


def custom_function(config: NvInferConfig) -> str | None:
    """The custom parse function as ``place:function``; ``None`` where the built-in one is to be used.

    Raises:
        ConfigError: It is compiled code; says what to write instead.
    """
    name = str(getattr(config, _FUNCTIONS[config.network_type]))
    library = config.custom_lib_path
    if not name or name in _BUILT_IN:
        return None
    if ":" in name:
        return name
    if library.endswith(".py"):
        return f"{library}:{name}"
    place = f"in {Path(library).name} " if library else ""
    raise ConfigError(
        f"{config.path}: [property] {config_key(config)}={name} {place}is compiled code for DeepStream and cannot "
        f"be used here; write the function in Python and set {config_key(config)}=file.py:{name}"
    )
