"""Raw outputs that ride on the metadata, read as nvdspostprocess's configuration says (contract: configs §6)."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from headrace.errors import ConfigError
from headrace.infer.engines import ModelGraph, TensorSpec
from headrace.infer.nvinfer.config import CLASSIFIER, NvInferConfig
from headrace.infer.nvinfer.labels_file import class_names, read_label_lines
from headrace.infer.nvinfer.outputs import ordered_outputs
from headrace.infer.nvinfer.parsing import Parse, choose_parse
from headrace.infer.nvinfer.reading import checked, config_of
from headrace.infer.nvinfer.subject import Subject
from headrace.infer.parsers import NetworkInfo
from headrace.infer.result import Result
from headrace.keyfile import read_groups
from headrace.meta import Detections, TensorOutput
from headrace.paths import resolve

_OWN_KEYS = ("preprocessor-support", "release-tensor-meta")


@dataclass(frozen=True, slots=True)
class PostprocessConfig:
    """What a configuration says.

    Attributes:
        network: How outputs are read: the keys that nvinfer has, too. ``gie_unique_id`` says whose outputs.
        regions: Whether the outputs hang on regions of nvdspreprocess.
        release: Whether raw outputs are taken away once they were read.

    Example:
        >>> PostprocessConfig(NvInferConfig(gie_unique_id=4)).release
        False
    """

    network: NvInferConfig
    regions: bool = False
    release: bool = False


def read_postprocess_config(path: str | os.PathLike[str], library: str = "") -> PostprocessConfig:
    """Read a configuration file; YAML by its suffix, anything else is a key file.

    Args:
        path: The file.
        library: Where parse functions are: a Python file, or DeepStream's own library.

    Raises:
        ConfigError: The file cannot be read, or says what cannot be done.
    """
    place = resolve(path)
    groups = read_groups(place, "nvdspostprocess configuration")
    keys = groups.get("property", {})
    regions, release = (keys.pop(name, "0").strip().lower() in ("1", "true") for name in _OWN_KEYS)
    network = config_of(place, groups)
    if library and not network.custom_lib_path:
        network = network.with_values(custom_lib_path=str(resolve(library, place.parent)))
    if "gie_unique_id" not in network.given:
        raise ConfigError(
            f"{place}: [property] gie-unique-id is not set; give the id of the model whose outputs to read"
        )
    return PostprocessConfig(checked(network), regions, release)


class TensorReader:
    """Reads raw outputs; which function does it is decided when the first of a kind come. Used by one thread.

    Args:
        config: As `read_postprocess_config` returns it.

    Raises:
        ConfigError: The label file cannot be read.

    Example:
        >>> import numpy as np
        >>> config = NvInferConfig(network_type=1, classifier_threshold=0.5)
        >>> output = TensorOutput(1, {"prob": np.array([0.1, 0.9], np.float32)})
        >>> [label.class_id for label in TensorReader(config).read(output, (64, 32)).labels]
        [1]
    """

    def __init__(self, config: NvInferConfig) -> None:
        self._config = config
        self._lines = read_label_lines(config)
        self._labels = sum(self._lines, ()) if config.network_type == CLASSIFIER else class_names(self._lines)
        self._parsers: dict[Any, tuple[tuple[str, ...], Parse]] = {}

    def read(self, output: TensorOutput, picture_size: tuple[float, float]) -> Result:
        """What the outputs say.

        Args:
            output: Raw outputs of one picture.
            picture_size: Width and height of the picture, the frame or the part of it that the model saw. Outputs
                that do not tell the size of the network's input are taken to be in its pixels.

        Returns:
            Boxes in pixels of the picture.

        Raises:
            ConfigError: Nothing reads such outputs.
            ModelError: A function failed.
        """
        network = NetworkInfo(*output.network_size)
        if not network.width or not network.height:
            network = NetworkInfo(round(picture_size[0]), round(picture_size[1]))
        layers = {name: array[None] for name, array in output.layers.items()}
        names, parse = self._parser(network, layers)
        [result] = parse({name: layers[name] for name in names})
        found = result.detections
        if found is not None:
            found = _in_picture(found, output, network, picture_size)
        return replace(result, detections=found, names=self._labels)

    def _parser(self, network: NetworkInfo, layers: dict[str, NDArray[Any]]) -> tuple[tuple[str, ...], Parse]:
        outputs = tuple(TensorSpec(name, array.shape, str(array.dtype)) for name, array in layers.items())
        kind = (network, outputs)
        if kind not in self._parsers:
            shape = (None, network.channels, network.height, network.width)
            graph = ModelGraph(
                f"outputs of component {self._config.gie_unique_id}",
                (TensorSpec("input", shape, "float32"),),
                outputs,
            )
            names = ordered_outputs(self._config, graph)
            by_name = {spec.name: spec for spec in outputs}
            used = replace(graph, outputs=tuple(by_name[name] for name in names))
            self._parsers[kind] = names, choose_parse(Subject(self._config, used, network, self._lines))
        return self._parsers[kind]


def _in_picture(
    found: Detections, output: TensorOutput, network: NetworkInfo, picture_size: tuple[float, float]
) -> Detections:
    across, down = output.scale
    if not (across and down):
        across, down = network.width / picture_size[0], network.height / picture_size[1]
    return found.mapped((1 / across, 1 / down), (-output.offset[0] / across, -output.offset[1] / down))
