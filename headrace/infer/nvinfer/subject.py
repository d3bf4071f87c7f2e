"""What the parse functions of nvinfer are chosen by: configuration, graph, input and labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from numpy.typing import NDArray

from headrace.errors import ConfigError
from headrace.infer.engines import ModelGraph
from headrace.infer.nvinfer.config import CLASSIFIER, DETECTOR, INSTANCE, SEMANTIC, NvInferConfig
from headrace.infer.nvinfer.standins import BUILT_IN, STAND_INS
from headrace.infer.parsers import NetworkInfo

#: Outputs by name; of a batch with its rows on the first axis, or of one row.
Outputs = Mapping[str, NDArray[Any]]

_FUNCTIONS = {
    DETECTOR: "parse_bbox_func_name",
    CLASSIFIER: "parse_classifier_func_name",
    SEMANTIC: "parse_segmentation_func_name",
    INSTANCE: "parse_bbox_instance_mask_func_name",
}


class Subject(NamedTuple):
    """A model and what a configuration says of it.

    Attributes:
        config: The configuration.
        graph: The model; its outputs are those that are used.
        network: Its input.
        labels: Lines of the label file.
    """

    config: NvInferConfig
    graph: ModelGraph
    network: NetworkInfo
    labels: tuple[tuple[str, ...], ...]


def rows_of(outputs: Outputs) -> Iterator[Outputs]:
    """The outputs of each row of a batch, without the batch axis; views."""
    for row in range(len(next(iter(outputs.values())))):
        yield {name: array[row] for name, array in outputs.items()}


def function_field(config: NvInferConfig) -> str:
    """The field that names the custom function for this kind of network."""
    return _FUNCTIONS[config.network_type]


def has_users_function(config: NvInferConfig) -> bool:
    """Whether the outputs are read by a function that the user wrote."""
    name = str(getattr(config, _FUNCTIONS.get(config.network_type, ""), ""))
    return bool(name) and name not in BUILT_IN and (":" in name or config.custom_lib_path.endswith(".py"))


def custom_function(config: NvInferConfig) -> str | None:
    """The custom parse function as ``place:function``; ``None`` where the built-in one is to be used.

    Raises:
        ConfigError: It is compiled code; says what to write instead.
    """
    field = function_field(config)
    name, library = str(getattr(config, field)), config.custom_lib_path
    if not name or name in BUILT_IN:
        return None
    if name in STAND_INS and not library.endswith(".py"):
        return STAND_INS[name]
    if ":" in name:
        return name
    if library.endswith(".py"):
        return f"{library}:{name}"
    place = f"in {Path(library).name} " if library else ""
    raise ConfigError(
        f"{config.where(field)}={name} {place}is compiled code for DeepStream and cannot be used here; write the "
        f"function in Python and name it file.py:{name}"
    )
