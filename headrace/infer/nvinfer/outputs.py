"""A model's outputs as nvinfer hands them on: their order, and as files."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.infer.engines import ModelGraph
from headrace.infer.nvinfer.config import NvInferConfig

_log = logging.getLogger(__name__)


def ordered_outputs(config: NvInferConfig, graph: ModelGraph) -> tuple[str, ...]:
    """Names of the outputs to use, in order: ``output-blob-names``, otherwise all as in the graph.

    TensorFlow's ``:0`` at the end of a name may be left out or added. Names that the graph does not have are
    warned about, and all outputs are used: configurations keep the names of a model's older formats.
    """
    names = tuple(spec.name for spec in graph.outputs)
    by_base = {name.removesuffix(":0"): name for name in names}
    wanted = [by_base.get(name.removesuffix(":0")) for name in config.output_blob_names]
    found = tuple(name for name in wanted if name is not None)
    if len(found) < len(wanted):
        _log.warning(
            "%s=%s are not all outputs of %s; all of these are used: %s",
            config.where("output_blob_names"), ";".join(config.output_blob_names), graph.path, ", ".join(names),
        )  # fmt: skip
        return names
    return found or names


def write_raw(
    outputs: Mapping[str, NDArray[Any]], unique_id: int, run: int, folder: Path = Path()
) -> list[Path]:
    """Write the outputs of a run, one file of plain bytes for each layer.

    Returns:
        The files: component, layer, number of the run and size of the batch are in their names.
    """
    files = []
    for name, array in outputs.items():
        layer = re.sub(r"[^\w.-]", "_", name)
        file = folder / (
            f"gstnvdsinfer_uid-{unique_id:02d}_layer-{layer}_batch-{run:010d}_batchsize-{len(array):02d}.bin"
        )
        file.write_bytes(np.ascontiguousarray(array).tobytes())
        files.append(file)
    return files
