"""TensorRT: plans for NVIDIA's GPUs, and ONNX files, for which a plan is built once and kept."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from pathlib import Path

from headrace.errors import ModelError
from headrace.infer.engines.base import Engine, EngineKind, EngineOptions
from headrace.infer.engines.cache import cache_folder, content_key

_log = logging.getLogger(__name__)


def open_file(model: str, options: EngineOptions) -> Engine:
    """Load a plan, or build one from an ONNX file; errors as for `TensorRtEngine` and `build`."""
    from headrace.infer.engines.tensorrt_plan import TensorRtEngine, build, platform

    if not model.lower().endswith(".onnx"):
        return TensorRtEngine(model, *read_plan(Path(model).read_bytes(), model), options)
    place = plan_place(Path(model), options, platform(options))
    if not place.exists():
        _log.info("%s: TensorRT builds a plan, which takes minutes, and keeps it as %s", model, place)
        write_plan(place, *build(model, options))
    return TensorRtEngine(model, *read_plan(place.read_bytes(), str(place)), options)


def plan_place(model: Path, options: EngineOptions, where: str) -> Path:
    """Where the plan of an ONNX file is kept: another file for each content, precision, size and platform.

    Args:
        model: The ONNX file.
        options: ``precision`` and ``input_size`` are built into the plan.
        where: Version of TensorRT and name of the GPU: a plan runs on no other.
    """
    weights = model.with_name(f"{model.name}.data")  # where files above 2 GB keep them
    stored = weights.stat() if weights.exists() else None
    beside = None if stored is None else (stored.st_size, stored.st_mtime_ns)
    key = content_key(model, options.precision, options.input_size, where, beside)
    return cache_folder("tensorrt") / f"{model.stem}-{key}.engine"


def read_plan(content: bytes, model: str) -> tuple[bytes, dict[str, str]]:
    """A plan, and the metadata before it where there is some: its length in four bytes, then JSON.

    Exporters such as ultralytics write them so; TensorRT itself keeps none.

    Raises:
        ModelError: The file is cut off in the metadata.
    """
    if content[4:5] != b"{" or content.startswith(b"ftrt"):
        return content, {}
    end = 4 + int.from_bytes(content[:4], "little")
    try:
        stored = json.loads(content[4:end])
    except ValueError as error:
        raise ModelError(f"model file {model} is damaged in its metadata; copy the file again") from error
    return content[end:], {str(key): str(value) for key, value in stored.items()}


def write_plan(place: Path, plan: bytes, metadata: dict[str, str]) -> None:
    """Keep a plan so that `read_plan` reads it; a file is there whole or not at all."""
    text = json.dumps(metadata).encode()
    with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as file:
        file.write(len(text).to_bytes(4, "little") + text + plan)
    os.replace(file.name, place)


ENGINE = EngineKind(
    name="tensorrt",
    open=open_file,
    library="tensorrt",
    install="pip install tensorrt torch",
    suffixes=(".engine", ".plan", ".trt"),
    on_request=(".onnx",),
    devices={"cuda": 0},
)
