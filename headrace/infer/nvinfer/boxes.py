"""What finds a detector's boxes: a function of the user's, or a known decoder."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from headrace.errors import ConfigError, ModelError
from headrace.infer.decoders import BoxDecoder, DecodeOptions, choose_decoder
from headrace.infer.nms import suppress
from headrace.infer.nvinfer.keys import warn_once
from headrace.infer.nvinfer.subject import Outputs, Subject, custom_function, function_field, rows_of
from headrace.infer.parsers import ParseParams, load_parser
from headrace.meta import Detections

_log = logging.getLogger(__name__)

#: Boxes of each row of a batch, in pixels of the network's input, still to be clustered.
FindBoxes = Callable[[Outputs], list[Detections]]
#: Masks are costly: boxes that overlap a better one of their class by more are left out before.
_MASK_IOU = 0.5


def choose_boxes(subject: Subject) -> FindBoxes:
    """What finds the boxes.

    A custom function that is compiled code is stood in for where the graph's outputs are known here.

    Raises:
        ConfigError: Nothing here reads the outputs.
        ModelError: A custom function cannot be loaded.
    """
    config, refused = subject.config, None
    thresholds = tuple(one.pre_cluster_threshold for one in config.attributes)
    try:
        spec = custom_function(config)
    except ConfigError as error:
        spec, refused = None, error
    if spec is not None:
        custom = load_parser(spec, config.path.parent)
        params = ParseParams(config.num_detected_classes, thresholds, subject.labels)
        return lambda outputs: [custom(row, subject.network, params) for row in rows_of(outputs)]
    decoder = _known_decoder(subject, refused)
    _say(refused, subject, f"the built-in decoder {decoder.name}")
    return _decoded(subject, decoder, min(thresholds))


def _known_decoder(subject: Subject, refused: ConfigError | None) -> BoxDecoder:
    config, graph = subject.config, subject.graph
    try:
        decoder = choose_decoder(replace(graph, class_count=config.num_detected_classes)).decoder
        if not isinstance(decoder, BoxDecoder):
            raise ModelError(f"{graph.path} is taken for a {decoder.name}, which finds no boxes")
        if not decoder.batched(graph):
            raise ModelError(
                f"{graph.path} is taken for a {decoder.name}, whose outputs have no batch; use hrinfer"
            )
    except ModelError as error:
        if refused is not None:
            raise refused from error
        raise ConfigError(
            f"{config.where(function_field(config))} is not set, but nothing here reads the outputs of {graph.path}: "
            f"{'; '.join(map(str, graph.outputs))}. The built-in parser wants layers with cov and bbox in their "
            "names; write a parser in Python and name it file.py:function"
        ) from error
    _compare(subject, decoder.class_count(graph))
    grouping = any(one.group_threshold for one in config.attributes)
    if _overlapping(decoder) and (config.cluster_mode == 4 or (config.cluster_mode == 0 and not grouping)):
        _log.warning(
            "%s=%d leaves overlapping boxes of a %s model as they are; use 2, non-maximum suppression",
            config.where("cluster_mode"), config.cluster_mode, decoder.name,
        )  # fmt: skip
    return decoder


def _overlapping(decoder: BoxDecoder) -> bool:
    return decoder.overlapping and decoder.task != "segment"


def _compare(subject: Subject, classes: object) -> None:
    """Say so where a model's number of classes, if it is known, is not the configuration's."""
    config = subject.config
    if isinstance(classes, int) and classes != config.num_detected_classes:
        _log.warning(
            "%s=%d, but %s has %d classes; objects of others are dropped",
            config.where("num_detected_classes"), config.num_detected_classes, subject.graph.path, classes,
        )  # fmt: skip


def _decoded(subject: Subject, decoder: BoxDecoder, threshold: float) -> FindBoxes:
    size = subject.network.width, subject.network.height
    options, limit = DecodeOptions(threshold, *size), np.array(size * 2, np.float32)

    def find(outputs: Outputs) -> list[Detections]:
        try:
            boxes = decoder.decode(outputs, options).numpy()
            if decoder.task == "segment":
                boxes = decoder.complete(suppress(boxes, _MASK_IOU), outputs, options)
            found = boxes.split(len(next(iter(outputs.values()))))
        except (ValueError, IndexError) as error:
            raise ModelError(
                f"decoder {decoder.name} cannot read the outputs of {subject.graph.path}: {error}"
            ) from error
        return [
            one if one.rotation is not None else replace(one, xyxy=np.clip(one.xyxy, 0, limit))
            for one in found
        ]

    return find


def _say(refused: ConfigError | None, subject: Subject, instead: str) -> None:
    if refused is not None:
        field = function_field(subject.config)
        name = getattr(subject.config, field)
        warn_once(f"{subject.config.where(field)}={name} is compiled code; {instead} is used")
