"""Which file is run: the ONNX file that a configuration names, or the one beside an engine or another format."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

from headrace.errors import ConfigError
from headrace.infer.nvinfer.config import NvInferConfig
from headrace.infer.nvinfer.keys import warn_once
from headrace.infer.nvinfer.labels_file import missing
from headrace.paths import resolve

_log = logging.getLogger(__name__)
#: What DeepStream adds to a model's name: batch size, GPU and number type.
_BUILT = re.compile(r"(_b\d+_gpu\d+_\w+)?\.(engine|plan|trt)$")
_OTHERS = {
    "model_engine_file": "a TensorRT engine, which runs on the GPU that it was built for",
    "tlt_encoded_model": "an encrypted TAO model, which only TensorRT's converter opens",
    "uff_file": "a UFF model",
    "model_file": "a Caffe model",
}


def find_model(config: NvInferConfig) -> str | Path:
    """The ONNX file to run, or the URL of a model on a server.

    ``onnx-file`` if it is set; for an engine ``NAME.onnx_b1_gpu0_fp16.engine`` and the other formats the ONNX
    file of that name beside it, with one line in the log.

    Raises:
        ConfigError: No key names a model, or none that can be used; says what to give instead.
    """
    engine = Path(config.model_engine_file)
    if config.model_engine_file and engine.suffix.lower() in (".onnx", ".ort") and engine.exists():
        return engine
    if "://" in config.onnx_file:
        return config.onnx_file
    if config.onnx_file:
        return _onnx_file(config)
    named = [field for field in _OTHERS if getattr(config, field)]
    for field in named:
        text = getattr(config, field)
        beside = next((file for file in map(resolve, candidates(Path(text))) if file.is_file()), None)
        if beside is not None:
            warn_once(f"{config.where(field)}={text} is {_OTHERS[field]}; {beside} is used instead")
            return beside
    if not named:
        raise ConfigError(f"{config.where('onnx_file')} is not set; give the ONNX file of the model")
    text = getattr(config, named[-1])
    tried = " or ".join(file.name for file in candidates(Path(text)))
    raise ConfigError(
        f"{config.where(named[-1])}={text} is {_OTHERS[named[-1]]} and cannot be used here; set onnx-file to the ONNX "
        f"file of the model, or put it beside as {tried}"
    )


def _onnx_file(config: NvInferConfig) -> Path:
    file, where = Path(config.onnx_file), config.where("onnx_file")
    if not file.is_file():
        raise ConfigError(f"{where}={file} {missing(file)}")
    if config.model_engine_file:
        _log.info("%s=%s is used; TensorRT engines cannot be used here", where, file)
    return file


def candidates(file: Path) -> Iterator[Path]:
    """Where the ONNX file of another file would be: up to ``.onnx`` in its name, the name and ``.onnx``, its stem.

    Example:
        >>> [str(file) for file in candidates(Path("net.onnx_b1_gpu0_fp16.engine"))]
        ['net.onnx']
        >>> [str(file) for file in candidates(Path("resnet18.etlt"))]
        ['resnet18.etlt.onnx', 'resnet18.onnx']
    """
    head, onnx, _ = file.name.partition(".onnx")
    if onnx:
        yield file.with_name(head + onnx)
        return
    name = _BUILT.sub("", file.name)
    yield file.with_name(f"{name}.onnx")
    if Path(name).suffix:
        yield file.with_name(f"{Path(name).stem}.onnx")
