"""What a model written in Python looks like."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray

from headrace.errors import ModelError
from headrace.infer.batch import FrameBatch
from headrace.infer.options import InferOptions
from headrace.infer.outcome import Outcome, as_results, check_count
from headrace.infer.result import Result
from headrace.meta import Detections, Label
from headrace.meta.skeleton import Edges


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


class Model(ABC):
    """What models have in common; derive from `Detector`, `Classifier` or `Network`.

    One thread at a time calls it, unless it says otherwise (`concurrency`). What it raises is reported with its
    traceback.

    Attributes:
        concurrency: How many calls of `results` from different threads overlap usefully; 1 where only one thread at
            a time may call.
        rows: Pictures in a call when calls overlap; ``None`` where a whole batch in one call is best.
        labels: Names of the classes by number; empty when numbers are all there is.
        skeleton: Pairs of keypoints that a line joins when they are drawn; ``None`` joins those of people (17 points
            in COCO's order) and no others.
    """

    labels: tuple[str, ...] = ()
    skeleton: Edges | None = None

    @property
    def concurrency(self) -> int:  # noqa: D102 - see above
        return 1

    @property
    def rows(self) -> int | None:  # noqa: D102 - see above
        return None

    def settle(self, live: bool, pictures: int) -> None:
        """Called before the first batch, so that the model may choose between a short time and many at once.

        Args:
            live: Whether batches come one at a time, at a pace of their own.
            pictures: Pictures in a batch.
        """
        return

    def load(self, options: InferOptions) -> None:
        """Get ready: read weights, warm up. Called once, from any thread, before frames come.

        Args:
            options: What the user set; ``options.labels``, where given, are in ``self.labels`` already.
        """
        return

    def warm(self, pictures: int, whole: bool = True) -> None:
        """Do before the first batch what makes it slow on a device: compile kernels, record runs.

        Called between two batches, or before a model is at work; at once if there is nothing to do.

        Args:
            pictures: The greatest number of pictures in a batch.
            whole: Whether they are whole frames; else what is cut out of frames.
        """
        return

    def adjust(self, options: InferOptions) -> None:
        """Go on with other thresholds. Called between two batches when the user changes them while playing.

        Only what says which results are wanted has changed, such as ``options.confidence``; for what belongs to the
        network (labels, engine, decoder) a model is loaded anew. To the detections of a `Detector` the stage applies
        ``confidence``, ``classes`` and ``max_detections`` itself.

        Args:
            options: All options.
        """
        return

    def close(self) -> None:
        """Free what `load` took. Called once, after the last frame."""
        return

    def fits(self, frames: FrameBatch) -> bool:
        """Whether the model can look at these frames as it is; if not, `prepare` is called first.

        Args:
            frames: What `results` will be given.
        """
        return True

    def prepare(self, frames: FrameBatch) -> None:
        """Get ready for frames that do not fit. Called while no other call is under way."""
        return

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
            f"{type(self).__name__} takes frames, no tensors of nvdspreprocess; give it a method results_of(tensor)"
        )


class Detector(Model):
    """Finds objects in frames: give it ``labels`` and `infer`.

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
    def infer(self, frames: FrameBatch) -> Sequence[Detections]:
        """Objects of each frame of a batch, boxes in pixels of the frame.

        Args:
            frames: The batch; in secondary mode each frame is the region of one object.

        Returns:
            One `Detections`, `Oriented`, `Instances` or `Keypoints` for each frame, in order.
        """

    def results(self, frames: FrameBatch) -> list[Result]:
        """See `Model.results`.

        Raises:
            ModelError: `infer` returned something else than it should.
        """
        where = f"{type(self).__name__}.infer"
        return as_results(self.infer(frames), len(frames), where, self.labels, "Detections", self.skeleton)


class Classifier(Model):
    """Names what a picture shows: give it ``labels`` and `classify`.

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

    def results(self, frames: FrameBatch) -> list[Result]:
        """See `Model.results`.

        Raises:
            ModelError: `classify` returned something else than it should.
        """
        found = self.classify(frames)
        check_count(found, len(frames), f"{type(self).__name__}.classify", "classification")
        return [Result(labels=(self._label(one, row),)) for row, one in enumerate(found)]

    def _label(self, found: Any, row: int) -> Label:
        try:
            class_id, confidence, label = found
            return Label(str(label), int(class_id), float(confidence), 0, len(self.labels))
        except (TypeError, ValueError) as error:
            raise ModelError(
                f"{type(self).__name__}.classify, frame {row} of the batch: returned {found!r}; "
                "expected (class_id, confidence, label)"
            ) from error


class Network(Model):
    """Says anything of pictures: give it `infer`.

    Example:
        >>> class Bright(Network):
        ...     def infer(self, frames):
        ...         return [{"mean": picture.mean(axis=(0, 1))} for picture in frames.numpy()]
        >>> Bright().labels
        ()
    """

    @abstractmethod
    def infer(self, frames: FrameBatch) -> Sequence[Outcome]:
        """What there is to say of each picture of a batch, boxes in pixels of the picture.

        Returns:
            For each frame, in order: objects (`Detections`, `Oriented`, `Instances`, `Keypoints`), `Labels`,
            `Embeddings`, a `Segmentation`, raw tensors by name, or a `Result` with several of these.
        """

    def results(self, frames: FrameBatch) -> list[Result]:
        """See `Model.results`.

        Raises:
            ModelError: `infer` returned something else than it should.
        """
        where = f"{type(self).__name__}.infer"
        return as_results(self.infer(frames), len(frames), where, self.labels, skeleton=self.skeleton)
