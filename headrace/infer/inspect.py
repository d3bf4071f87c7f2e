"""What a model file is, for people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from headrace.errors import ModelError
from headrace.infer.engines import TensorSpec
from headrace.infer.file_model import FileModel, ModelFile
from headrace.infer.options import InferOptions
from headrace.infer.preprocess import PreprocessOptions

_DEFAULTS = InferOptions()


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model file and what Headrace would do with it.

    Attributes:
        path: The file.
        engine: Engine that runs it.
        inputs: Tensors it takes.
        outputs: Tensors it gives.
        metadata: What the exporter stored.
        decoder: Name of the decoder that fits, or empty when none does.
        labels: Class names; empty when unknown.
        preprocess: How frames become input; ``None`` without a decoder.
        input_size: Width and height of the input; ``None`` where open.
        problem: Why the file cannot be used as it is; empty when it can.

    Example:
        >>> ModelInfo("m.onnx", "onnxruntime", (), (), {}, decoder="yolox").problem
        ''
    """

    path: str
    engine: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    metadata: dict[str, str]
    decoder: str = ""
    labels: tuple[str, ...] = ()
    preprocess: PreprocessOptions | None = None
    input_size: tuple[int, int] | None = None
    problem: str = ""


def describe(path: str | Path, options: InferOptions = _DEFAULTS) -> ModelInfo:
    """Open a model file and tell what it is; a file that no decoder fits is described too.

    Args:
        path: The file.
        options: Engine, decoder, labels and the like, as for `load_model`.

    Raises:
        ModelError: The file is missing or broken.
        ConfigError: The labels given do not fit.
    """
    options = replace(options, model=str(path))
    file = ModelFile.open(options)
    graph = file.graph
    info = ModelInfo(graph.path, file.engine.name, graph.inputs, graph.outputs, dict(graph.metadata))
    try:
        model = FileModel(file, options)
    except ModelError as error:
        size = graph.input_size() if graph.inputs else None
        return replace(info, problem=str(error), input_size=size)
    finally:
        file.engine.close()
    return replace(
        info,
        decoder=model.decoder.name,
        labels=model.labels,
        preprocess=model.network.options,
        input_size=(model.network.width, model.network.height),
    )
