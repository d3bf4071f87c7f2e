"""Models that are a file: engine, preprocessing, decoder and labels put together."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ModelError
from headrace.infer.batch import FrameBatch
from headrace.infer.decoders import DecodeOptions, choose_decoder
from headrace.infer.decoders.registry import METADATA_KEY
from headrace.infer.engines import Engine, EngineOptions, ModelGraph, open_engine, run_batch
from headrace.infer.engines.base import numpy_dtype
from headrace.infer.labels import choose_labels, labels_in_metadata, read_labels
from headrace.infer.model import Classification, Classifier, Detector
from headrace.infer.nms import class_aware_nms
from headrace.infer.options import InferOptions
from headrace.infer.preprocess import PreprocessOptions
from headrace.meta import Detections

CLASSIFIER = "classifier"
#: Metadata key by which a model file describes its preprocessing, as JSON of `PreprocessOptions`.
PREPROCESS_KEY = "headrace.preprocess"
#: What torchvision's training code does, but for the crop: a region is all object already.
_CLASSIFIER_PREPROCESS = PreprocessOptions(
    resize="stretch", scale=1.0, mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375)
)


class NetworkInput:
    """Input tensors of a model's own size and type, reused from batch to batch; may be shared by threads.

    Args:
        graph: The model; has one image input.
        options: ``preprocess`` and ``input_size`` as the user set them.
        default: Preprocessing of the model's family, where neither user nor file says anything.

    Raises:
        ModelError: The input's size is open and not given.
    """

    def __init__(self, graph: ModelGraph, options: InferOptions, default: PreprocessOptions) -> None:
        spec = graph.inputs[0]
        size = graph.input_size() if None not in spec.shape[1:] else options.input_size or graph.input_size()
        if size is None:
            raise ModelError(
                f"{graph.path}: input {spec} has an open size; set input_size to width and height"
            )
        self.width, self.height = size
        stored = graph.metadata.get(PREPROCESS_KEY)
        default = PreprocessOptions.from_json(stored) if stored else default
        if graph.channels() == 1:
            default = replace(default, color="GRAY")
        self.options = options.preprocess or default
        shape = (self.options.channels, self.height, self.width)
        self._row_shape = (*shape[1:], shape[0]) if graph.channels_last() else shape
        self._dtype = numpy_dtype(spec.dtype)
        self._free: deque[NDArray[Any]] = deque(maxlen=4)

    def take(self, rows: int) -> NDArray[Any]:
        """A tensor with a number of rows and undefined content; hand it back with `give`."""
        try:
            tensor = self._free.pop()
        except IndexError:
            tensor = np.empty((0, *self._row_shape), self._dtype)
        if len(tensor) < rows:
            tensor = np.empty((rows, *self._row_shape), self._dtype)
        return tensor[:rows]

    def give(self, tensor: NDArray[Any]) -> None:
        """Take back a tensor that nobody uses any more."""
        self._free.append(tensor if tensor.base is None else tensor.base)


class ModelFile:
    """An opened model file with its labels.

    Attributes:
        engine: What runs it.
        graph: Tensors and metadata, with the number of labels where there are some.

    Raises:
        ModelError: The file is missing or broken.
        ConfigError: The labels given cannot be read.
    """

    def __init__(self, options: InferOptions) -> None:
        self.engine: Engine = open_engine(options.model, options.engine, EngineOptions(options.threads))
        self._given = None if options.labels is None else read_labels(options.labels)
        graph = self.engine.graph
        self._stored = labels_in_metadata(dict(graph.metadata), graph.path)
        known = self._given or self._stored
        self.graph = replace(graph, class_count=None if known is None else len(known))

    def labels(self, classes: int | None) -> tuple[str, ...]:
        """One name for each class; errors as for `choose_labels`."""
        return choose_labels(self._given, self._stored, classes, self.graph.path)

    def run(self, frames: FrameBatch, network: NetworkInput) -> dict[str, NDArray[Any]]:
        """Preprocess a batch and run the engine."""
        tensor = network.take(len(frames))
        frames.fill(tensor, network.options)
        outputs = run_batch(self.engine, tensor)
        network.give(tensor)
        return outputs


class OnnxDetector(Detector):
    """A detector from a model file, decoded by one of Headrace's decoders.

    Boxes come out in frame pixels, clipped to the frame, most confident first. May be called from several
    threads at once.

    Example:
        >>> OnnxDetector().load(InferOptions(model="missing.onnx"))
        Traceback (most recent call last):
        headrace.errors.ModelError: model file missing.onnx does not exist; check the path
    """

    def load(self, options: InferOptions) -> None:
        """Open the file that ``options.model`` names.

        Raises:
            ModelError: The file is missing or broken, or no decoder fits it.
            ConfigError: The number of labels given is not that of the model's classes.
        """
        self.attach(ModelFile(options), options)

    def attach(self, file: ModelFile, options: InferOptions) -> None:
        """Use a file that is open already; errors as for `load`."""
        self._file = file
        self._options = options
        graph = _with_one_image(file.graph)
        self.decoder = choose_decoder(graph, options.decoder)
        self.labels = self._file.labels(self.decoder.class_count(graph))
        self.network = NetworkInput(graph, options, self.decoder.preprocess(graph))

    @property
    def graph(self) -> ModelGraph:
        """Tensors and metadata of the loaded file."""
        return self._file.graph

    def infer(self, frames: FrameBatch) -> list[Detections]:
        """See `Detector.infer`."""
        if not len(frames):
            return []
        outputs = self._file.run(frames, self.network)
        decode = DecodeOptions(self._options.confidence, self.network.width, self.network.height)
        try:
            decoded = self.decoder.decode(outputs, decode)
        except (ValueError, IndexError) as error:
            shapes = "; ".join(map(str, self.graph.outputs))
            raise ModelError(
                f"decoder {self.decoder.name} cannot read the outputs of {self.graph.path} ({shapes}): "
                f"{error}; name another decoder"
            ) from error
        return [self._finish(found, frames, index) for index, found in enumerate(decoded)]

    def _finish(self, found: Detections, frames: FrameBatch, index: int) -> Detections:
        options = self._options
        if options.classes is not None:
            found = found[np.isin(found.class_id, options.classes)]
        overlap = options.nms if self.decoder.needs_nms else 1.0
        found = class_aware_nms(found, overlap, options.max_detections)
        found.xyxy = frames.to_frame_pixels(index, found.xyxy)
        return found[np.flatnonzero((found.xyxy[:, 2:] > found.xyxy[:, :2]).all(axis=1))]

    def close(self) -> None:
        """Free the engine."""
        self._file.engine.close()


class OnnxClassifier(Classifier):
    """A classifier from a model file with one output of class scores ``(N, classes)``.

    Scores that are no probabilities go through softmax. May be called from several threads at once.

    Example:
        >>> OnnxClassifier().labels
        ()
    """

    def load(self, options: InferOptions) -> None:
        """Open the file that ``options.model`` names; errors as for `OnnxDetector.load`."""
        self.attach(ModelFile(options), options)

    def attach(self, file: ModelFile, options: InferOptions) -> None:
        """Use a file that is open already; errors as for `load`."""
        self._file = file
        graph = _with_one_image(file.graph)
        if not is_classifier(graph, CLASSIFIER):
            raise ModelError(
                f"{graph.path} is no classifier: its outputs are {'; '.join(map(str, graph.outputs))}, "
                "but one output (N, classes) is needed"
            )
        self.labels = self._file.labels(graph.outputs[0].shape[1])
        self.network = NetworkInput(graph, options, _CLASSIFIER_PREPROCESS)

    @property
    def graph(self) -> ModelGraph:
        """Tensors and metadata of the loaded file."""
        return self._file.graph

    def classify(self, frames: FrameBatch) -> list[tuple[int, float, str]]:
        """See `Classifier.classify`."""
        if not len(frames):
            return []
        (scores,) = self._file.run(frames, self.network).values()
        chances = _probabilities(scores.reshape(len(frames), -1).astype(np.float32))
        best = chances.argmax(axis=1).tolist()
        names = self.labels or {number: f"class {number}" for number in best}
        return [Classification(c, float(row[c]), names[c]) for c, row in zip(best, chances, strict=True)]

    def close(self) -> None:
        """Free the engine."""
        self._file.engine.close()


def _with_one_image(graph: ModelGraph) -> ModelGraph:
    if len(graph.inputs) != 1 or len(graph.inputs[0].shape) != 4:
        raise ModelError(
            f"{graph.path} takes {', '.join(map(str, graph.inputs)) or 'no input'}; only models with "
            "one input, a batch of images (four axes), can be fed from frames: write a Python model for it"
        )
    return graph


def is_classifier(graph: ModelGraph, decoder: str = "auto") -> bool:
    """Whether a graph is taken as a classifier: one output ``(N, classes)``, and no decoder named."""
    if decoder == "auto":
        decoder = graph.metadata.get(METADATA_KEY, CLASSIFIER)
    if decoder != CLASSIFIER or len(graph.outputs) != 1:
        return False
    shape = graph.outputs[0].shape
    return len(shape) == 2 or (len(shape) == 4 and shape[2:] == (1, 1))


def _probabilities(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Softmax by row, unless the rows are probabilities already."""
    if scores.min() >= 0 and np.allclose(scores.sum(axis=1), 1, atol=1e-3):
        return scores
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)
