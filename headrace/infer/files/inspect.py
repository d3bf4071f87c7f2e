"""What a model file is, for people and programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from headrace.errors import ModelError
from headrace.frames import Frame
from headrace.infer.batch import FrameBatch
from headrace.infer.decoders import guess_decoders
from headrace.infer.engines import TensorSpec
from headrace.infer.files.file_model import FileModel
from headrace.infer.files.labels import COCO
from headrace.infer.files.model_file import ModelFile
from headrace.infer.files.network_input import PREPROCESS_KEY
from headrace.infer.files.sidecar import find_sidecar
from headrace.infer.options import InferOptions
from headrace.infer.preprocess import PreprocessOptions

_DEFAULTS = InferOptions()
#: A frame of 16:9.
_WIDE = (1920, 1080)


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
        task: What the model is for, such as ``detect``; empty without a decoder.
        labels: Class names; empty when unknown.
        preprocess: How frames become input; ``None`` without a decoder.
        input_size: Width and height of the input; ``None`` where open.
        wide_size: Width and height at which frames of 16:9 run; ``None`` without a decoder.
        decoder_options: Options of the decoder's own that were set.
        reasons: Why decoder, labels, preprocessing and size are what they are.
        candidates: Every decoder that fits, the best first, with score and reason.
        problem: Why the file cannot be used as it is; empty when it can.

    Example:
        >>> info = ModelInfo("m.onnx", "onnxruntime", (), (), {}, decoder="yolox", task="detect")
        >>> info.as_dict()["decoder"], info.as_dict()["outputs"]
        ('yolox', [])
    """

    path: str
    engine: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    metadata: dict[str, str]
    decoder: str = ""
    task: str = ""
    labels: tuple[str, ...] = ()
    preprocess: PreprocessOptions | None = None
    input_size: tuple[int, int] | None = None
    wide_size: tuple[int, int] | None = None
    decoder_options: Mapping[str, Any] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    problem: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The same in types that JSON knows."""
        values = asdict(self)
        for name in ("inputs", "outputs"):
            values[name] = [{**tensor, "shape": list(tensor["shape"])} for tensor in values[name]]
        return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}

    def as_sidecar(self) -> dict[str, Any]:
        """What the file beside the model would say to have all this again (`write_sidecar`)."""
        said: dict[str, Any] = {"decoder": self.decoder}
        if self.labels:
            said["labels"] = list(self.labels)
        # A size that is named is kept to: only where it is not the frames that decide.
        if self.input_size is not None and self.wide_size in (None, self.input_size):
            said["input_size"] = list(self.input_size)
        if self.decoder_options:
            said["decoder_options"] = dict(self.decoder_options)
        if self.preprocess is not None:
            steps = asdict(self.preprocess)
            said["preprocess"] = {k: list(v) if isinstance(v, tuple) else v for k, v in steps.items()}
        return said


def describe(path: str | Path, options: InferOptions = _DEFAULTS) -> ModelInfo:
    """Open a model file and tell what it is; a file that no decoder fits is described too.

    Args:
        path: The file.
        options: Engine, decoder, labels and the like, as for `load_model`.

    Raises:
        ModelError: The file is missing or broken.
        ConfigError: The labels given do not fit, or the file beside the model cannot be used.
    """
    file = ModelFile.open(replace(options, model=str(path)))
    graph = file.graph
    info = ModelInfo(
        graph.path, file.engine.name, graph.inputs, graph.outputs, dict(graph.metadata),
        candidates=tuple(map(str, guess_decoders(graph))),
    )  # fmt: skip
    try:
        model = FileModel(file)
        whole = model.network.size
        model.prepare(FrameBatch([Frame.from_array(np.zeros((*_WIDE[::-1], 3), np.uint8), "RGB")]))
    except ModelError as error:
        size = graph.input_size() if graph.inputs else None
        return replace(info, problem=str(error), input_size=size)
    finally:
        file.engine.close()
    return replace(
        info,
        decoder=model.decoder.name,
        task=model.decoder.task,
        labels=model.labels,
        preprocess=model.network.options,
        input_size=whole,
        wide_size=model.network.size,
        decoder_options=file.options.decoder_options,
        reasons=_reasons(file, model, options),
    )


def _reasons(file: ModelFile, model: FileModel, asked: InferOptions) -> tuple[str, ...]:
    decoder = model.decoder
    sidecar = find_sidecar(file.options.model)
    reasons = [
        f"decoder {decoder.name}: {model.guess.match.reason}",
        f"labels: {_labels_from(file, model)}",
        f"preprocessing: {_preprocess_from(file, decoder.name)}",
        f"input size: {_size_from(file, model)}",
    ]
    if sidecar is not None and file.options != replace(asked, model=file.options.model):
        reasons.append(f"{sidecar.name} says some of this")
    return tuple(reasons)


def _size_from(file: ModelFile, model: FileModel) -> str:
    if None not in file.graph.inputs[0].shape[1:]:
        return "of the graph"
    if file.options.input_size is None and model.graph.input_size() is None:
        return f"{model.decoder.name}'s own, the graph leaves it open"
    return "of the options or the file"


def _labels_from(file: ModelFile, model: FileModel) -> str:
    labels = model.labels
    if file.given is not None:
        return "as given"
    if file.stored is not None:
        return "names in the file"
    if labels == model.decoder.class_names != ():
        return f"{model.decoder.name} knows no others"
    if labels == COCO:
        return "80 classes are taken for COCO's"
    return "numbers: nothing names the classes" if labels else "nothing tells their number"


def _preprocess_from(file: ModelFile, decoder: str) -> str:
    base = (
        f"{PREPROCESS_KEY} in the file"
        if PREPROCESS_KEY in file.graph.metadata
        else f"what {decoder}'s own code does"
    )
    changes = file.options.preprocess
    if isinstance(changes, PreprocessOptions):
        return "as given"
    return f"{base}, but for {', '.join(changes)}" if changes else base
