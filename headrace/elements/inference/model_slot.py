"""The place of a model in a running element: it can be replaced between two batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future

import numpy as np

from headrace.errors import ModelError
from headrace.frames.frame import Frame
from headrace.infer import InferOptions, InferStage, Region
from headrace.infer.model import Model
from headrace.infer.result import Result
from headrace.infer.worker import Worker

#: Seconds that a model's call under way may take when the pipeline ends.
PATIENCE = 1.0


class ModelSlot:
    """Owns a model and the stage that it works on.

    Args:
        model: A loaded model.
        options: Options of the stage.
    """

    def __init__(self, model: Model, options: InferOptions) -> None:
        self._stage = InferStage(model, options)
        self._loader: Worker | None = None

    @property
    def model(self) -> Model:
        """The model at work."""
        return self._stage.model

    def submit(
        self, frames: Sequence[Frame], regions: Sequence[Region | None] | None = None
    ) -> Future[list[Result]]:
        """See `InferStage.submit`."""
        return self._stage.submit(frames, regions)

    def call(self, function: Callable[..., list[Result]], *arguments: object) -> Future[list[Result]]:
        """See `InferStage.call`."""
        return self._stage.call(function, *arguments)

    def replace(self, load: Callable[[], Model], told: Callable[[BaseException | None], None]) -> None:
        """Load another model on a thread of its own, try it, and put it in the place of the present one.

        Batches go on meanwhile; none is lost. Several calls are served in order.

        Args:
            load: Loads the new model.
            told: Called on that thread: with ``None`` when the new model is at work and the old one closed, with
                the error when loading or trying failed, and the old one stays.
        """
        if self._loader is None:
            self._loader = Worker("hr-load")
        self._loader.submit(self._replace, load, told)

    def _replace(self, load: Callable[[], Model], told: Callable[[BaseException | None], None]) -> None:
        try:
            model = load()
            try:
                _try(model)
                before = self._stage.replace(model)
            except BaseException:
                model.close()
                raise
            before.result().close()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - told; the user's code may raise anything
            told(error)
        else:
            told(None)

    def close(self) -> None:
        """Finish what was submitted and free the model.

        Raises:
            ModelError: The model does not return. Its thread is left behind; the process can end all the same.
        """
        if self._loader is not None:
            self._loader.close(PATIENCE)
        if not self._stage.close(PATIENCE):
            name = type(self.model).__name__
            raise ModelError(f"model {name} has not returned for {PATIENCE:g} s: its thread is left behind")
        self.model.close()


def _try(model: Model) -> None:
    """Run a model on a black picture: it is warm then, and known to work."""
    stage = InferStage(model, InferOptions())
    try:
        stage.run([Frame.from_array(np.zeros((64, 64, 3), np.uint8), "RGB")])
    finally:
        stage.close()
