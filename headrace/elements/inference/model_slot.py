"""The place of a model in a running element: it can be replaced between two batches."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from headrace.errors import ModelError, SupersededError
from headrace.frames.frame import Frame, PixelFormat, plane_shapes
from headrace.infer import FrameBatch, InferOptions, InferStage, Region
from headrace.infer.files.file_model import FileModel
from headrace.infer.files.written_file import load_when_written
from headrace.infer.interpreter import CallWatch
from headrace.infer.model import Model
from headrace.infer.result import Result
from headrace.infer.shadow import Shadow
from headrace.infer.slices import SlicedBatch
from headrace.infer.worker import Worker
from headrace.usercode import forget

_log = logging.getLogger(__name__)

#: Seconds that a model's call under way may take when the pipeline ends; then that it does not return is an error.
PATIENCE = 5.0
#: Seconds that the end waits for what may go on without it: a model that is being loaded, a candidate's call.
COURTESY = 1.0

#: Seconds that a trial waits for the end of a batch.
_GAP = 0.2

Trial = Callable[[Model], object]


@dataclass(frozen=True, slots=True)
class _BlackFrames:
    """A trial with pictures like those of a batch, black."""

    sizes: Sequence[tuple[PixelFormat, int, int]] = (("RGB", 64, 64),)
    regions: Sequence[Region | None] | None = None
    options: InferOptions = field(default_factory=InferOptions)
    live: bool = True

    def __call__(self, model: Model) -> None:
        black = {size: _black(*size) for size in set(self.sizes)}
        model.settle(self.live, len(self.sizes))
        batch = SlicedBatch([black[size] for size in self.sizes], self.regions)
        slices = batch.cut(self.options.batch_size or len(self.sizes))
        pictures = FrameBatch(batch.pictures, batch.whole)
        if not model.fits(pictures):
            model.prepare(pictures)
        # On this thread: libraries keep memory for every thread that ever called them.
        for number in range(slices):
            batch.run(number, model)
        error = batch.outcome()[1]
        if error is not None:
            raise error


class ModelSlot:
    """Owns a model and the stage that it works on; may be used from any thread.

    Args:
        model: A loaded model.
        options: Options of the stage; ``model`` is what the user calls it.

    Attributes:
        told: Called, on any thread, with what users should know of a model.
        shadow: What runs on the same batches to be compared; whoever sets it closes it.
    """

    def __init__(self, model: Model, options: InferOptions) -> None:
        self._stage = InferStage(model, options)
        self._stage.ended = self._ended
        self.told: Callable[[str], object] = _log.warning
        self.shadow: Shadow | None = None
        self._watch_on(options.model, model)
        self._options = options
        self._lock = threading.Lock()
        self._loader: Worker | None = None
        self._orders = 0
        self._closed = False
        self._between = threading.Event()
        self._trial: Trial = _BlackFrames(options=options)
        self._warmth: tuple[int, bool] | None = None

    @property
    def model(self) -> Model:
        """The model at work."""
        return self._stage.model

    @property
    def threads(self) -> int:
        """See `InferStage.threads`."""
        return self._stage.threads

    @property
    def live(self) -> bool:
        """See `InferStage.live`."""
        return self._stage.live

    @live.setter
    def live(self, live: bool) -> None:
        self._stage.live = live

    def submit(
        self, frames: Sequence[Frame], regions: Sequence[Region | None] | None = None
    ) -> Future[Sequence[Result]]:
        """See `InferStage.submit`."""
        sizes = [(frame.format, frame.width, frame.height) for frame in frames]
        self._trial = _BlackFrames(sizes, regions, self._options, self.live)
        return self._stage.submit(frames, regions)

    def _ended(
        self,
        frames: Sequence[Frame],
        regions: Sequence[Region | None] | None,
        results: Sequence[Result] | None,
    ) -> None:
        self._between.set()
        shadow = self.shadow
        if shadow is not None and results is not None:
            shadow.offer(frames, regions, results)

    def call(
        self, function: Callable[[Model], Sequence[Result]], trial: Trial, pictures: int
    ) -> Future[Sequence[Result]]:
        """Call a function with the model at work, in order of submission.

        Args:
            function: Asks the model.
            trial: Asks a model the same, of black pictures; what it raises keeps that model from being used.
            pictures: How many pictures it asks of.

        Raises:
            ModelError: The slot is closed.
        """
        self._trial = trial
        future = self._stage.ask(function, pictures)
        future.add_done_callback(lambda _: self._between.set())
        return future

    def warm(self, pictures: int, whole: bool) -> None:
        """Let the model, and those that take its place, get ready for such batches; waits. See `Model.warm`.

        Raises:
            ModelError: The slot is closed, or the model fails.
        """
        self._warmth = pictures, whole
        self._stage.call(lambda: self.model.warm(pictures, whole)).result()

    def _watch_on(self, name: str, model: Model) -> None:
        watch = CallWatch(name or type(model).__name__, lambda hold: self.told(str(hold)))
        if isinstance(model, FileModel):
            watch.close()  # engines release the interpreter
        self._watch = self._stage.watch = watch

    @property
    def mean_seconds(self) -> float | None:
        """See `InferStage.mean_seconds`."""
        return self._stage.mean_seconds

    def drain(self, timeout: float) -> None:
        """Wait for what was submitted so far, but no longer than this."""
        with suppress(ModelError):  # the last user has closed it meanwhile: nothing is left to wait for
            wait([self._stage.call(list)], timeout)

    def adjust(self, options: InferOptions) -> None:
        """Let the model go on with other thresholds, from the next batch on; see `Model.adjust`."""
        with self._lock:
            if not self._closed:
                self._options = options
                self._stage.adjust(options)

    def swap(
        self, load: Callable[[], Model], file: Path | None = None, name: str = ""
    ) -> Future[BaseException | None]:
        """Load another model on a thread of its own, try it, and put it in the place of the present one.

        Batches go on meanwhile; none is lost, and each is the work of one model. The newest order wins: one that
        waits for its turn, or whose model is not at work yet when another comes, is superseded.

        Args:
            load: Loads the new model.
            file: The file it comes from, which may still be being written.
            name: What the user calls it.

        Returns:
            A future that is done when the new model is at work and the old one closed: with what the old one raised
            at its end, mostly ``None``. Its exception is what was wrong with the new model, in whose place the old
            one stays: `SupersededError` if another is wanted by now. Callbacks run on the thread that loads.

        Raises:
            ModelError: The slot is closed.
        """
        with self._lock:
            if self._closed:
                raise ModelError("the pipeline has stopped: set the model, and start it again")
            if self._loader is None:
                self._loader = Worker("hr-load")
            self._orders += 1
            return self._loader.submit(self._swap, load, file, name, self._orders)

    def _swap(
        self, load: Callable[[], Model], file: Path | None, name: str, order: int
    ) -> BaseException | None:
        def wanted() -> None:
            if self._closed:
                raise SupersededError("the pipeline has stopped")
            if order != self._orders:
                raise SupersededError("a newer model was set meanwhile")

        wanted()
        model = load() if file is None else load_when_written(file, load, wanted)
        try:
            self._between.clear()
            self._between.wait(_GAP)  # so that the trial and the next batch do not fight for the processors
            self._trial(model)
            if self._warmth is not None:
                model.warm(*self._warmth)
            wanted()
            with self._lock:
                model.adjust(self._options)
                exchanged = self._stage.call(self._exchange, model, name)
            before = exchanged.result()
        except BaseException:
            _let_go(model)
            raise
        try:
            _let_go(before)
        except Exception as error:  # noqa: BLE001 - told; the user's code may raise anything
            return error
        return None

    def _exchange(self, model: Model, name: str) -> Model:
        """Let another model go on; runs on the stage's thread, between two batches. Returns the one before."""
        shadow = self.shadow
        if shadow is not None:
            shadow.model_changed()
        self._watch.close()
        self._watch_on(name, model)
        before, self._stage.model = self._stage.model, model
        return before

    def close(self) -> None:
        """Finish what was submitted and free the model.

        Raises:
            ModelError: The model does not return. Its thread is left behind; the process can end all the same.
        """
        with self._lock:
            self._closed = True
        self._watch.close()
        if self._loader is not None:
            self._loader.close(COURTESY)
        if not self._stage.close(PATIENCE):
            name = type(self.model).__name__
            raise ModelError(f"model {name} has not returned for {PATIENCE:g} s: its thread is left behind")
        self.model.close()


def _let_go(model: Model) -> None:
    forget(type(model))
    model.close()


def _black(format: PixelFormat, width: int, height: int) -> Frame:
    planes = tuple(np.zeros(shape, np.uint8) for shape in plane_shapes(format, width, height))
    return Frame(format, width, height, planes)
