"""A model run as an nvinfer configuration says: preprocessing, run, outputs to results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.errors import ConfigError, ModelError
from headrace.infer.batch import FrameBatch
from headrace.infer.engines import ModelGraph, TensorSpec, open_engine, run_batch
from headrace.infer.labels import labels_in_metadata
from headrace.infer.model import Network, Result
from headrace.infer.nvinfer.config import CLASSIFIER, OTHER, NvInferConfig
from headrace.infer.nvinfer.labels_file import MISSING, class_names, read_label_lines
from headrace.infer.nvinfer.model_file import find_model
from headrace.infer.nvinfer.outputs import ordered_outputs, write_raw
from headrace.infer.nvinfer.parsing import choose_parse
from headrace.infer.nvinfer.subject import Outputs, Subject
from headrace.infer.onnx_model import NetworkInput
from headrace.infer.options import InferOptions
from headrace.infer.parsers import NetworkInfo
from headrace.infer.preprocess import Placement


class NvInferNetwork(Network):
    """The model of an nvinfer configuration.

    Args:
        config: As `checked` returns it.

    Attributes:
        config: The same.
        info: Size and channels of the network's input.

    Raises:
        ConfigError: No model or label file, or keys that do not fit the model.
        ModelError: The model cannot be loaded, or nothing reads its outputs.

    Example:
        >>> from headrace.infer.nvinfer import checked
        >>> NvInferNetwork(checked(NvInferConfig(network_type=OTHER)))
        Traceback (most recent call last):
        headrace.errors.ConfigError: nvinfer.txt: [property] onnx-file is not set; give the ONNX file of the model
    """

    def __init__(self, config: NvInferConfig) -> None:
        self.config = config
        lines = read_label_lines(config)
        self._engine = open_engine(find_model(config))
        try:
            self._prepare(lines)
        except BaseException:
            self._engine.close()
            raise

    def _prepare(self, lines: tuple[tuple[str, ...], ...]) -> None:
        config, graph = self.config, with_input_size(self.config, self._engine.graph)
        self.labels = class_names(lines) if config.network_type != CLASSIFIER else sum(lines, ())
        if not lines:
            self.labels = labels_in_metadata(dict(graph.metadata), graph.path) or ()
            lines = (
                (self.labels,)
                if config.network_type == CLASSIFIER
                else tuple((name,) for name in self.labels)
            )
        preprocess = config.preprocess()
        if graph.channels() not in (None, preprocess.channels):
            raise ConfigError(
                f"{config.where('model_color_format')}={config.model_color_format} ({config.color}) does not "
                f"fit {graph.path}, whose input is {graph.inputs[0]}; use 0 RGB, 1 BGR or 2 grey"
            )
        self._input = NetworkInput(graph, InferOptions(preprocess=preprocess), preprocess)
        self.info = NetworkInfo(self._input.width, self._input.height, preprocess.channels)
        self._mean = _mean_picture(config, self.info, graph.channels_last())
        self._outputs = ordered_outputs(config, graph)
        by_name = {output.name: output for output in graph.outputs}
        used = replace(graph, outputs=tuple(by_name[name] for name in self._outputs))
        self._parse = choose_parse(Subject(config, used, self.info, lines))
        self._runs = 0

    def results(self, frames: FrameBatch) -> list[Result]:
        """See `Network.results`."""
        if not len(frames):
            return []
        tensor = self._input.take(len(frames))
        frames.fill(tensor, self._input.options)
        if self._mean is not None:
            np.subtract(tensor, self._mean, out=tensor, casting="same_kind")
        results = self.results_of(tensor, frames.placements)
        self._input.give(tensor)
        return results

    def results_of(self, tensor: NDArray[Any], placements: Sequence[Placement]) -> list[Result]:
        """What there is to say of pictures that are a tensor already.

        Args:
            tensor: The network's input, a row for each picture.
            placements: Where each picture lies in its row.

        Returns:
            One result for each row, boxes in pixels of the picture.
        """
        outputs = run_batch(self._engine, tensor)
        outputs = {name: outputs[name] for name in self._outputs}
        if self.config.raw_output_file_write:
            write_raw(outputs, self.config.gie_unique_id, self._runs)
        self._runs += 1
        parsed = self._parse(outputs)
        return [
            self._finished(result, outputs, row, placement)
            for row, (result, placement) in enumerate(zip(parsed, placements, strict=True))
        ]

    def _finished(self, result: Result, outputs: Outputs, row: int, placement: Placement) -> Result:
        """Boxes in picture pixels, and what else was asked for."""
        found = result.detections
        if found is not None:
            masks = found.masks if self.config.output_instance_mask else None
            found = replace(found, xyxy=placement.to_frame(found.xyxy, clip=False), masks=masks)
        wanted = self.config.output_tensor_meta or self.config.network_type == OTHER
        result = replace(result, detections=found, names=self.labels)
        if not wanted:
            return result
        tensors = {name: array[row] for name, array in outputs.items()}
        size = (self.info.width, self.info.height, self.info.channels)
        return replace(result, tensors=tensors, network_size=size, placement=placement)

    def close(self) -> None:
        """Free the engine."""
        self._engine.close()


def with_input_size(config: NvInferConfig, graph: ModelGraph) -> ModelGraph:
    """The graph with the size of its input filled in from ``infer-dims``.

    Raises:
        ModelError: The model takes something else than one batch of images.
        ConfigError: ``infer-dims`` is missing, or differs from the graph's size.
    """
    if len(graph.inputs) != 1 or len(graph.inputs[0].shape) != 4:
        raise ModelError(
            f"{graph.path} takes {', '.join(map(str, graph.inputs)) or 'no input'}; nvinfer feeds models with one "
            "input, a batch of images (four axes): write a Python model for hrinfer"
        )
    spec, dims = graph.inputs[0], config.infer_dims
    if not dims:
        if graph.input_size() is None:
            raise ConfigError(f"{config.where('infer_dims')} is not set, but {spec} is open; give c;h;w")
        return graph
    known = graph.channels() in (1, 3)
    last = graph.channels_last() if known else config.network_input_order == 1
    wanted = (*dims[1:], dims[0]) if last else dims
    if any(size not in (None, want) for size, want in zip(spec.shape[1:], wanted, strict=True)):
        raise ConfigError(
            f"{config.where('infer_dims')}={';'.join(map(str, dims))} differs from the model's input {spec}"
        )
    return replace(graph, inputs=(TensorSpec(spec.name, (spec.shape[0], *wanted), spec.dtype),))


def _mean_picture(config: NvInferConfig, info: NetworkInfo, last: bool) -> NDArray[np.float32] | None:
    """What is subtracted from every row of the input: ``mean-file`` times the factor."""
    if not config.mean_file:
        return None
    where = f"{config.where('mean_file')}={config.mean_file}"
    if not Path(config.mean_file).is_file():
        raise ConfigError(f"{where} {MISSING}")
    picture = cv2.imread(config.mean_file, cv2.IMREAD_COLOR)
    if picture is None or picture.shape[:2] != (info.height, info.width):
        what = "no picture" if picture is None else f"a picture of {picture.shape[1]}x{picture.shape[0]}"
        raise ConfigError(f"{where} is {what}; give a PPM file of {info.width}x{info.height} pixels")
    if config.color != "BGR":
        picture = cv2.cvtColor(picture, getattr(cv2, f"COLOR_BGR2{config.color}"))
    mean = np.asarray(picture, np.float32).reshape(info.height, info.width, info.channels)
    return np.float32(config.net_scale_factor) * (mean if last else mean.transpose(2, 0, 1))
