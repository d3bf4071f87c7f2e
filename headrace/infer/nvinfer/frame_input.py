"""From frames to the input of a model, as an nvinfer configuration says."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ConfigError, ModelError
from headrace.infer.batch import FrameBatch
from headrace.infer.engines import ModelGraph, TensorSpec
from headrace.infer.files.network_input import NetworkInput
from headrace.infer.nvinfer.config import NvInferConfig
from headrace.infer.options import InferOptions
from headrace.infer.parsers import NetworkInfo
from headrace.infer.preprocess.mean import read_mean_picture

_log = logging.getLogger(__name__)


class FrameInput:
    """Makes a model's input from frames.

    Args:
        config: The configuration.
        graph: The model.

    Attributes:
        info: Size and channels of the input.

    Raises:
        ConfigError: Keys do not fit the model; names the key.
        ModelError: The model takes something else than one batch of images.
    """

    def __init__(self, config: NvInferConfig, graph: ModelGraph) -> None:
        graph = with_input_size(config, graph)
        options = config.preprocess()
        if graph.channels() not in (None, options.channels):
            raise ConfigError(
                f"{config.where('model_color_format')}={config.model_color_format} ({config.color}) does not fit "
                f"{graph.path}, whose input is {graph.inputs[0]}; use 0 RGB, 1 BGR or 2 grey"
            )
        self._tensors = NetworkInput(graph, InferOptions(preprocess=options), options)
        self.info = NetworkInfo(self._tensors.width, self._tensors.height, options.channels)
        self._mean = _mean(config, self.info, graph.channels_last())

    def fill(self, frames: FrameBatch) -> NDArray[Any]:
        """The input for these frames; hand it back with `give`."""
        tensor = self._tensors.take(len(frames))
        frames.fill(tensor, self._tensors.options)
        if self._mean is not None:
            np.subtract(tensor, self._mean, out=tensor, casting="same_kind")
        return tensor

    def give(self, tensor: NDArray[Any]) -> None:
        """Take back a tensor that nobody uses any more."""
        self._tensors.give(tensor)


def with_input_size(config: NvInferConfig, graph: ModelGraph) -> ModelGraph:
    """The graph with the size of its input filled in from ``infer-dims``.

    A size that the graph has already stays, with a warning if ``infer-dims`` is another.

    Raises:
        ModelError: The model takes something else than one batch of images.
        ConfigError: ``infer-dims`` is missing.
    """
    if len(graph.inputs) != 1 or len(graph.inputs[0].shape) != 4:
        raise ModelError(
            f"{graph.path} takes {', '.join(map(str, graph.inputs)) or 'no input'}; frames are fed to models with one "
            "input, a batch of images (four axes): use nvdspreprocess and input-tensor-meta, or a Python model"
        )
    spec, dims = graph.inputs[0], config.infer_dims
    if not dims:
        if graph.input_size() is None:
            raise ConfigError(f"{config.where('infer_dims')} is not set, but {spec} is open; give c;h;w")
        return graph
    known = graph.channels() in (1, 3)
    last = graph.channels_last() if known else config.network_input_order == 1
    wanted = (*dims[1:], dims[0]) if last else dims
    shape = tuple(size or want for size, want in zip(spec.shape[1:], wanted, strict=True))
    if shape != wanted:
        text = ";".join(map(str, dims))
        _log.warning("%s=%s has no effect: the model's input is %s", config.where("infer_dims"), text, spec)
    return replace(graph, inputs=(TensorSpec(spec.name, (spec.shape[0], *shape), spec.dtype),))


def _mean(config: NvInferConfig, info: NetworkInfo, last: bool) -> NDArray[np.float32] | None:
    """What is subtracted from every row of the input: ``mean-file`` times the factor."""
    if not config.mean_file:
        return None
    try:
        picture = read_mean_picture(config.mean_file, (info.width, info.height), config.color)
    except ConfigError as error:
        raise ConfigError(f"{config.path}: {error}") from error
    return np.float32(config.net_scale_factor) * (picture if last else picture.transpose(2, 0, 1))


def tensor_info(graph: ModelGraph) -> NetworkInfo:
    """Size and channels of an input that is a tensor already; zero where the graph leaves them open."""
    shape = [size or 0 for size in graph.inputs[0].shape] if graph.inputs else []
    channels, height, width = (shape[1], *shape[-2:]) if len(shape) >= 4 else (0, 0, 0)
    return NetworkInfo(width, height, channels)
