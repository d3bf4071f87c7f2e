"""A model run as an nvinfer configuration says: preprocessing, run, outputs to results."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ModelError
from headrace.infer.batch import FrameBatch
from headrace.infer.engines import EngineOptions, open_engine, run_batch
from headrace.infer.engines.base import rows_for, settle
from headrace.infer.files.labels import labels_in_metadata
from headrace.infer.model import Model
from headrace.infer.nvinfer.config import CLASSIFIER, OTHER, NvInferConfig
from headrace.infer.nvinfer.frame_input import FrameInput, tensor_info
from headrace.infer.nvinfer.keys import warn_once
from headrace.infer.nvinfer.labels_file import class_names, read_label_lines
from headrace.infer.nvinfer.model_file import find_model
from headrace.infer.nvinfer.outputs import ordered_outputs, write_raw
from headrace.infer.nvinfer.parsing import choose_parse
from headrace.infer.nvinfer.subject import Outputs, Subject, has_users_function, rows_of
from headrace.infer.preprocess import Placement
from headrace.infer.result import Result
from headrace.meta import TensorOutput


class NvInferNetwork(Model):
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
        precision = "f32" if config.network_mode == 0 else "auto"
        self._engine = open_engine(find_model(config), options=EngineOptions(precision=precision))
        try:
            self._prepare(lines)
        except BaseException:
            self._engine.close()
            raise

    def _prepare(self, lines: tuple[tuple[str, ...], ...]) -> None:
        config, graph = self.config, self._engine.graph
        self._input = None if config.input_tensor_from_meta else FrameInput(config, graph)
        self.info = tensor_info(graph) if self._input is None else self._input.info
        stored = labels_in_metadata(dict(graph.metadata), graph.path) or ()
        if config.network_type == CLASSIFIER:
            lines = lines or (stored,)
        else:
            self.labels = class_names(lines) if lines else stored
            self._check_labels()
        self._outputs = ordered_outputs(config, graph)
        by_name = {output.name: output for output in graph.outputs}
        used = replace(graph, outputs=tuple(by_name[name] for name in self._outputs))
        self._parse = choose_parse(Subject(config, used, self.info, lines))
        # Users' functions may not be made for several threads, and files of raw outputs are numbered.
        self._alone = has_users_function(config) or config.raw_output_file_write
        self._runs = 0

    @property
    def concurrency(self) -> int:
        """See `Model.concurrency`."""
        return 1 if self._alone else self._engine.concurrency

    @property
    def rows(self) -> int | None:
        """See `Model.rows`."""
        return rows_for(self._engine)

    def settle(self, live: bool, pictures: int) -> None:
        """See `Model.settle`."""
        settle(self._engine, live or self._alone, pictures)

    def _check_labels(self) -> None:
        config, names = self.config, len(self.labels)
        if config.detects and config.labelfile_path and names < config.num_detected_classes:
            warn_once(
                f"{config.where('labelfile_path')}={config.labelfile_path} names {names} classes, but "
                f"num-detected-classes={config.num_detected_classes}; objects of the others have no label"
            )

    def results(self, frames: FrameBatch) -> list[Result]:
        """See `Model.results`; boxes are not clipped to the picture."""
        if not len(frames):
            return []
        if self._input is None:
            raise ModelError(
                f"{self.config.where('input_tensor_from_meta')}=1: the model takes tensors, no frames"
            )
        tensor = self._input.fill(frames)
        results = self.results_of(tensor)
        self._input.give(tensor)
        return [_placed(*pair) for pair in zip(results, frames.placements, strict=True)]

    def results_of(self, tensor: NDArray[Any]) -> list[Result]:
        """See `Model.results_of`."""
        outputs = run_batch(self._engine, tensor)
        outputs = {name: outputs[name] for name in self._outputs}
        if self.config.raw_output_file_write:
            write_raw(outputs, self.config.gie_unique_id, self._runs)
        self._runs += 1
        rows = zip(self._parse(outputs), rows_of(outputs), strict=True)
        return [self._finished(result, layers) for result, layers in rows]

    def _finished(self, result: Result, layers: Outputs) -> Result:
        """With names, and only what was asked for."""
        config, found, tensors = self.config, result.detections, None
        if found is not None:
            if not np.isfinite(found.xyxy).all():
                raise ModelError(
                    f"{self._engine.graph.path}: boxes are not finite (NaN or infinite); export it again"
                )
            found = replace(found, masks=found.masks if config.output_instance_mask else None)
        if config.output_tensor_meta or config.network_type == OTHER:
            size = self.info.width, self.info.height, self.info.channels
            tensors = TensorOutput(config.gie_unique_id, layers, size)
        return replace(result, detections=found, names=self.labels, tensors=tensors)

    def close(self) -> None:
        """Free the engine."""
        self._engine.close()


def _placed(result: Result, placement: Placement) -> Result:
    """What was found, in pixels of the picture."""
    if result.tensors is not None:
        result.tensors.scale, result.tensors.offset = placement.scale, (placement.left, placement.top)
    if result.detections is None:
        return result
    return replace(result, detections=placement.detections_to_frame(result.detections, clip=False))
