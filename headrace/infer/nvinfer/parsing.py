"""Which function reads a model's outputs, as an nvinfer configuration and the graph say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from headrace.infer.cluster import cluster
from headrace.infer.nvinfer.boxes import choose_boxes
from headrace.infer.nvinfer.config import CLASSIFIER, SEMANTIC
from headrace.infer.nvinfer.subject import Outputs, Subject, custom_function, rows_of
from headrace.infer.parsers import (
    ParseParams,
    load_classifier_parser,
    load_segmentation_parser,
    parse_classifier,
    parse_segmentation,
)
from headrace.infer.result import Result

#: Reads the outputs of a batch; boxes in pixels of the network's input.
Parse = Callable[[Outputs], list[Result]]


def choose_parse(subject: Subject) -> Parse:
    """The function that reads the model's outputs.

    Raises:
        ConfigError: A custom function is compiled code, or nothing here reads the outputs of a detector.
        ModelError: A custom function cannot be loaded.
    """
    config = subject.config
    if config.network_type == CLASSIFIER:
        return _each(_classifier(subject))
    if config.network_type == SEMANTIC:
        return _each(_segmentation(subject))
    return _detector(subject) if config.detects else _nothing


def _nothing(outputs: Outputs) -> list[Result]:
    return [Result() for _ in rows_of(outputs)]


def _each(read: Callable[[Outputs], Result]) -> Parse:
    return lambda outputs: [read(row) for row in rows_of(outputs)]


def _detector(subject: Subject) -> Parse:
    find, config = choose_boxes(subject), subject.config

    def parse(outputs: Outputs) -> list[Result]:
        found = find(outputs)
        return [Result(detections=cluster(one, config.attributes, config.cluster_mode)) for one in found]

    return parse


def _classifier(subject: Subject) -> Callable[[Outputs], Result]:
    config, labels = subject.config, subject.labels
    spec = custom_function(config)
    if spec is None:
        return lambda outputs: Result(labels=parse_classifier(outputs, labels, config.classifier_threshold))
    custom = load_classifier_parser(spec, config.path.parent)
    params = ParseParams(sum(map(len, labels)), (config.classifier_threshold,), labels)
    return lambda outputs: Result(labels=custom(outputs, subject.network, params))


def _segmentation(subject: Subject) -> Callable[[Outputs], Result]:
    config, threshold = subject.config, subject.config.segmentation_threshold
    spec = custom_function(config)
    if spec is None:
        order, number = config.segmentation_output_order, config.gie_unique_id
        return lambda outputs: Result(
            segmentation=parse_segmentation(next(iter(outputs.values())), threshold, order, number)
        )
    custom = load_segmentation_parser(spec, config.path.parent)
    params = ParseParams(config.num_detected_classes, (threshold,))

    def read(outputs: Outputs) -> Result:
        found = custom(outputs, subject.network, params)
        return Result(segmentation=replace(found, unique_id=config.gie_unique_id))

    return read
