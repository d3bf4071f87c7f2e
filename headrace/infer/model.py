"""What a model written in Python looks like."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from numpy.typing import NDArray

from headrace.errors import ModelError
from headrace.infer.batch import FrameBatch
from headrace.infer.options import InferOptions
from headrace.meta import Detections, Label, Segmentation, TensorOutput


class Classification(NamedTuple):
    """The class of one picture.

    Attributes:
        class_id: Number of the class, from 0.
        confidence: 0–1.
        label: The class's name.

    Example:
        >>> Classification(2, 0.75, "red").label
        'red'
    """

    class_id: int
    confidence: float
    label: str


@dataclass(frozen=True, slots=True)
class Result:
    """What a model says of one picture; what it does not speak of is ``None``.

    Attributes:
        detections: Objects, boxes in pixels of the frame.
        names: Names of the classes of ``detections``.
        labels: What a classifier recognised, one entry for each of its outputs that say something.
        segmentation: The class of each pixel of the network's picture.
        tensors: Raw outputs.

    Example:
        >>> Result(labels=(Label("red", 3, 0.9),)).detections is None
        True
    """

    detections: Detections | None = None
    names: Sequence[str] = ()
    labels: Sequence[Label] | None = None
    segmentation: Segmentation | None = None
    tensors: TensorOutput | None = None


class Model(ABC):  # noqa: B024 - what is abstract differs in the two kinds
    """What detectors and classifiers have in common; derive from one of those.

    Attributes:
        labels: Names of the classes by number; empty when numbers are all there is.
    """

    labels: tuple[str, ...] = ()

    def load(self, options: InferOptions) -> None:
        """Get ready: read weights, warm up. Called once, from any thread, before frames come.

        Args:
            options: What the user set; ``options.labels``, where given, are in ``self.labels`` already.
        """
        return

    def close(self) -> None:
        """Free what `load` took. Called once, after the last frame."""
        return


class Detector(Model):
    """Finds objects in frames: give it ``labels`` and `infer`.

    One thread at a time calls it. What it raises is reported with its traceback.

    Example:
        >>> class Whole(Detector):
        ...     labels = ("frame",)
        ...
        ...     def infer(self, frames):
        ...         return [Detections([[0, 0, f.width, f.height]], [1.0], [0]) for f in frames]
        >>> Whole().labels
        ('frame',)
    """

    @abstractmethod
    def infer(self, frames: FrameBatch) -> list[Detections]:
        """Objects of each frame of a batch, boxes in pixels of the frame.

        Args:
            frames: The batch; in secondary mode each frame is the region of one object.

        Returns:
            One `Detections` for each frame, in order.
        """


class Classifier(Model):
    """Names what a picture shows: give it ``labels`` and `classify`.

    One thread at a time calls it.

    Example:
        >>> class Day(Classifier):
        ...     labels = ("night", "day")
        ...
        ...     def classify(self, frames):
        ...         bright = [float(picture.mean()) / 255 for picture in frames.numpy()]
        ...         return [Classification(int(b > 0.5), max(b, 1 - b), self.labels[b > 0.5]) for b in bright]
        >>> Day().labels[1]
        'day'
    """

    @abstractmethod
    def classify(self, frames: FrameBatch) -> Sequence[tuple[int, float, str]]:
        """The class of each picture of a batch.

        Args:
            frames: The batch; in secondary mode each frame is the region of one object.

        Returns:
            ``(class_id, confidence, label)`` for each frame, in order.
        """


class Network(Model):
    """A model with results of any kind: give it `results`.

    One thread at a time calls it.

    Example:
        >>> class Bright(Network):
        ...     def results(self, frames):
        ...         means = [{"mean": picture.mean(axis=(0, 1))} for picture in frames.numpy()]
        ...         return [Result(tensors=TensorOutput(1, mean)) for mean in means]
        >>> Bright().labels
        ()
    """

    @abstractmethod
    def results(self, frames: FrameBatch) -> Sequence[Result]:
        """What there is to say of each picture of a batch; boxes in pixels of the picture.

        Args:
            frames: The batch; in secondary mode each frame is the region of one object.

        Returns:
            One `Result` for each frame, in order.
        """

    def results_of(self, tensor: NDArray[Any]) -> Sequence[Result]:
        """What there is to say of a tensor that is the model's input already.

        Args:
            tensor: A row for each picture.

        Returns:
            One `Result` for each row, boxes in pixels of the model's input.

        Raises:
            ModelError: The model takes frames only.
        """
        raise ModelError(
            f"{type(self).__name__} takes frames, no tensors; give it a method results_of(tensor)"
        )
