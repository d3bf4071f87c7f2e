"""Elements whose model can be replaced while they play: property, signals, method."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from gi.repository import GObject

from headrace.elements.inference.running import Inference
from headrace.errors import HeadraceError, ModelError, SupersededError
from headrace.gst.face import Face, describe
from headrace.gst.options import with_value
from headrace.infer.model import Model
from headrace.paths import resolve
from headrace.usercode import names_code

_log = logging.getLogger(__name__)

#: What ``model-updated`` tells of a model: it is at work, it cannot be used, or another was set before it was.
AT_WORK, FAILED, SUPERSEDED = 0, 1, 2

SIGNALS: dict[str, Any] = {
    "model-updated": (GObject.SignalFlags.RUN_LAST, None, (int, str)),
    "swap-model": (GObject.SignalFlags.RUN_LAST | GObject.SignalFlags.ACTION, bool, (str,)),
}


class Swappable(Face):
    """Mix-in of elements with a model; the element names the property that it is set with.

    Signals (`SIGNALS`): ``model-updated(int error, str model)`` tells, on the thread that loads, that a model is at
    work or why not; the action ``swap-model(str model) -> bool`` is `swap` for other languages.

    Attributes:
        inference: What runs the model, ``None`` while stopped.
    """

    model_field = "model"
    inference: Inference | None = None
    emit: Any  # from GObject

    def loader(self, model: str) -> Callable[[], Model]:
        """A function that loads a model with the options that are set at this moment."""
        raise NotImplementedError

    def swap(self, model: str) -> Future[None]:
        """Set the model, and wait for it as one likes. Returns at once; may be called from any thread.

        Args:
            model: What the property takes.

        Returns:
            A future that is done when the model is at work. Otherwise its exception is a `ModelError`:
            `SupersededError` if another model was set before, else with what was wrong; the model before goes on.
        """
        if self.inference is not None:
            self.keep_model(model)
        return self._order(model)

    def do_swap_model(self, model: str) -> bool:
        """GObject vmethod: `swap`; returns whether the model is being loaded."""
        ordered = self.swap(model)
        return not ordered.done() or ordered.exception() is None

    def model_set(self) -> None:
        """Call when the property was set; loads the model if the element is running."""
        if self.inference is not None:
            self._order(getattr(self.options, self.model_field))

    def keep_model(self, model: str) -> None:
        """Let the property tell this model."""
        self.options = with_value(self.options, self.model_field, model)

    def model_told(self, model: str, error: BaseException | None) -> None:
        """Hook: a model is at work, or why not; called before anybody else is told."""

    def _order(self, model: str) -> Future[None]:
        told: Future[None] = Future()
        told.set_running_or_notify_cancel()  # a model that is being loaded cannot be called back, only superseded
        inference, owner = self.inference, weakref.ref(self)

        def done(loaded: Future[BaseException | None]) -> None:
            error = loaded.exception()
            element = owner()
            if element is not None:
                element._tell(model, error, None if error else loaded.result())
            if error is None:
                told.set_result(None)
            else:
                told.set_exception(_as_model_error(model, error))

        try:
            if inference is None:
                raise ModelError("the pipeline does not play: set the model, and start it")
            inference.slot.swap(self.loader(model), model_file(model), model).add_done_callback(done)
        except HeadraceError as error:
            if inference is not None:
                self._tell(model, error, None)
            told.set_exception(_as_model_error(model, error))
        return told

    def _tell(self, model: str, error: BaseException | None, at_its_end: BaseException | None) -> None:
        self.model_told(model, error)
        if isinstance(error, SupersededError):
            _log.info("%s: model %s is not used: %s", self.get_name(), model, error)
        elif error is not None:
            text, trace = describe(error)
            self.post_warning(f"model {model} is not used, the one before goes on: {text}", trace)
        elif at_its_end is not None:
            text, trace = describe(at_its_end)
            self.post_warning(f"the model before {model} failed when it was closed: {text}", trace)
        else:
            _log.info("%s: model %s is at work", self.get_name(), model)
        code = SUPERSEDED if isinstance(error, SupersededError) else FAILED if error is not None else AT_WORK
        self.emit("model-updated", code, model)


def _as_model_error(model: str, error: BaseException) -> ModelError:
    if isinstance(error, ModelError):
        return error
    failed = ModelError(f"model {model} failed: {describe(error)[0]}")
    failed.__cause__ = error
    return failed


def model_file(model: str) -> Path | None:
    """The file that a model's name leads to; ``None`` for a class in a module, or a model on a server.

    Example:
        >>> model_file("cats.py:Cats"), model_file("package.module:Cats")
        (PosixPath('cats.py'), None)
    """
    if names_code(model):
        place = model.rpartition(":")[0]
        return resolve(place) if place.endswith(".py") else None
    return None if "://" in model else resolve(model)
