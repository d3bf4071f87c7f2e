"""An element of a pipeline by name: properties with the contract's conversions, and probes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from gi.repository import GObject, Gst

from headrace.flow.operators import Probe
from headrace.flow.probing import attach_probe

if TYPE_CHECKING:
    from headrace.flow.pipeline import Pipeline

_log = logging.getLogger(__name__)


class Node:
    """Handle of an element; made by ``pipeline["name"]`` (contract §1.2)."""

    def __init__(self, pipeline: Pipeline, element: Gst.Element) -> None:
        self._pipeline = pipeline
        self.element = element
        self._attached: dict[str, Any] = {}

    @property
    def name(self) -> str:
        """Name of the element."""
        return str(self.element.get_name())

    def get(self, name: str) -> Any:
        """Value of a property; an enumeration as int, ``None`` (and a log line) for one that is missing."""
        spec = find_property(self.element, name)
        if spec is None:
            _log.warning("Property %s is not supported by object %s", name, self.name)
            return None
        value = self.element.get_property(spec.name)
        return int(value) if isinstance(value, GObject.GEnum | GObject.GFlags) else value

    def set(
        self, properties: Mapping[str, Any] | Sequence[Mapping[str, Any]] | str, value: Any = None
    ) -> Node:
        """Set properties: a mapping, a list of mappings in turn, or one name and value.

        Unknown properties are logged and ignored, ``None`` is skipped; text is parsed for any type.
        """
        if isinstance(properties, str):
            properties = {properties: value}
        for one in [properties] if isinstance(properties, Mapping) else properties:
            for key, given in one.items():
                set_property(self.element, key, given)
        return self

    def attach(self, probe: Probe, tips: str = "") -> Node:
        """Attach a probe to a pad: the last source pad, or the one that `tips` names.

        Raises:
            RuntimeError: The element has a probe of this name already, or no such pad.
        """
        if probe.name in self._attached:
            raise RuntimeError(f"element {self.name!r} has an object named {probe.name!r} already")
        attach_probe(self.element, probe, tips, self._pipeline.failed)
        self._attached[probe.name] = probe
        return self

    def find(self, name: str) -> Any:
        """An attached object by name, ``None`` when there is none."""
        return self._attached.get(name)


def find_property(element: Gst.Element, name: str) -> GObject.ParamSpec | None:
    """A property by name, with dashes or underscores."""
    return element.find_property(name.replace("_", "-")) or element.find_property(name)


def set_property(element: Gst.Element, name: str, value: Any) -> None:
    """Set a property as the contract converts values; unknown names are logged and ignored."""
    if value is None:
        return
    if "::" in name and isinstance(element, Gst.ChildProxy):
        element.set_child_property(name, _plain(value))
        return
    spec = find_property(element, name)
    if spec is None:
        _log.warning("Property %s is not supported by object %s", name, element.get_name())
        return
    value = _plain(value)
    converter = _CONVERTERS.get(spec.value_type.name)
    if isinstance(value, str) and converter is None:
        Gst.util_set_object_arg(element, spec.name, value)
    else:
        element.set_property(spec.name, converter(value) if converter else value)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _boolean(value: Any) -> bool:
    return value.strip().lower() in ("1", "true", "yes", "on") if isinstance(value, str) else bool(value)


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "gboolean": _boolean,
    "gchararray": str,
    "gint": int,
    "guint": int,
    "gint64": int,
    "guint64": int,
    "gfloat": float,
    "gdouble": float,
}
