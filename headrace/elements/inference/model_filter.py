"""The part of elements with a model that does not depend on how they are configured."""

from __future__ import annotations

from headrace.elements.base.async_filter import AsyncFilter, Pending
from headrace.elements.inference.running import Inference, Work
from headrace.meta.batch import Batch


class ModelFilter(AsyncFilter):
    """Hands batches to the model that `inference` runs.

    Attributes:
        inference: What runs the model, ``None`` while stopped.
    """

    inference: Inference | None = None

    def submit(self, batch: Batch) -> Pending | None:
        """Hand the batch to the model."""
        inference = self.inference
        if inference is None:
            return None
        inference.slot.live = self.live
        return inference.submit(batch)

    def wanted_frames(self) -> int:
        """As many as the model's threads look at side by side, and two that are on their way to and from them."""
        return 0 if self.inference is None else self.inference.slot.threads + 2

    def finish(self, batch: Batch, pending: Work) -> None:
        """Wait for the model and write the metadata."""
        if self.inference is not None:
            self.inference.finish(batch, pending)

    def source_event(self, what: str, index: int) -> None:
        """A source that went away takes what is remembered of it along."""
        if what in ("pad-deleted", "stream-eos") and self.inference is not None:
            self.inference.forget(index)
