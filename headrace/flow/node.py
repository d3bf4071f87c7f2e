"""An element of a pipeline by name: properties with the contract's conversions, links, probes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from gi.repository import Gst

from headrace import paths
from headrace.errors import PipelineError
from headrace.flow.linking import link
from headrace.flow.objects.attaching import attach_to
from headrace.flow.values import get_property, set_property

if TYPE_CHECKING:
    from headrace.flow.pipeline import Pipeline


class Node:
    """Handle of an element; made by ``pipeline["name"]`` (contract §1.2).

    Attributes:
        element: The element itself.
    """

    def __init__(self, pipeline: Pipeline, element: Gst.Element) -> None:
        self._pipeline = pipeline
        self.element = element
        self._attached: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """Name of the element."""
        return str(self.element.get_name())

    def get(self, name: str) -> Any:
        """Value of a property; an enumeration as int, ``None`` (and a word) for one that is missing."""
        return get_property(self.element, name, self._pipeline.manners)

    def set(
        self, properties: Mapping[str, Any] | Sequence[Mapping[str, Any]] | str, value: Any = None
    ) -> Node:
        """Set properties: a mapping, a list of mappings in turn, or one name and value.

        Unknown properties are reported and ignored, ``None`` is skipped; text is parsed for any type.

        Raises:
            PipelineError: A value does not fit its property.
        """
        if isinstance(properties, str):
            properties = {properties: value}
        for one in [properties] if isinstance(properties, Mapping) else properties:
            for key, given in one.items():
                set_property(self.element, key, given, self._pipeline.manners)
        return self

    def swap(self, model: str | os.PathLike[str]) -> Future[None]:
        """Replace the model of an inference element while it plays; returns at once.

        The new model is loaded and tried beside the present one, which goes on until the new one is at work, or for
        good if the new one cannot be used. No frame is lost. Several calls: the newest wins.

        Args:
            model: What the element's property takes: for ``hrinfer`` its ``model``, for ``nvinfer`` its
                ``model-engine-file``.

        Returns:
            A future; ``.result(timeout)`` waits until the model is at work and raises a `ModelError` if it cannot be
            used, or `SupersededError` (a `ModelError`, too) if another was set before it was.

        Raises:
            PipelineError: The element has no model.
        """
        swap = getattr(self.element, "swap", None)
        if swap is None:
            raise PipelineError(f"{self.name} has no model that can be replaced", self.name)
        future: Future[None] = swap(paths.stand_in(os.fspath(model)))
        return future

    def link(self, target: Node, hints: tuple[str, str] = ("", "")) -> Node:
        """Link to another element; returns that one, so that calls can be chained.

        Args:
            target: Downstream.
            hints: Names of pads or pad templates at this element and at the target, empty for any.

        Raises:
            PipelineError: No pads fit.
        """
        link(self.element, target.element, *hints, manners=self._pipeline.manners)
        return target

    def attach(self, what: Any, tips: str = "") -> Node:
        """Attach a Probe, Receiver, Feeder or signal handler.

        Args:
            what: The object; kept alive by the pipeline.
            tips: For a probe the name of a pad, the last source pad by default; for others names of signals,
                joined by ``/``.

        Raises:
            PipelineError: The element has an object of this name already, no such pad or signal, or the object
                is of another kind.
        """
        attach_to(self.element, what, tips, self._pipeline.failed, self._attached)
        return self

    def keep(self, what: Any) -> None:
        """Keep an object alive with the pipeline, such as an emitter that gives this element orders."""
        self._attached.setdefault(what.name, what)

    def find(self, name: str) -> Any:
        """An attached object by name, ``None`` when there is none."""
        return self._attached.get(name)
