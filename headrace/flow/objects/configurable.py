"""Properties of objects that are no elements: probes, signal handlers, emitters."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, ClassVar

from headrace.errors import ConfigError

_log = logging.getLogger("headrace.flow")

Value = int | float | str | bool
TRUE = ("1", "true", "yes", "on", "y", "t")
FALSE = ("0", "false", "no", "off", "n", "f", "")


def as_bool(value: Any) -> bool:
    """A boolean from text, number or boolean.

    Raises:
        ValueError: The text is none of the usual words.
    """
    if not isinstance(value, str):
        return bool(value)
    word = value.strip().lower()
    if word not in TRUE + FALSE:
        raise ValueError(f"not a boolean: {value!r}")
    return word in TRUE


def as_int(value: Any) -> int:
    """A whole number from text (also hexadecimal), number or boolean.

    Raises:
        ValueError: It is no number.
    """
    if not isinstance(value, str):
        return int(value)
    try:
        return int(value.strip(), 0)
    except ValueError:
        return int(float(value))


class Configurable:
    """An object with properties that are set by name, each with the type of its default.

    A subclass lists them in ``PROPERTIES``; ``_`` and ``-`` are the same in a name.

    Example:
        >>> class Fps(Configurable):
        ...     PROPERTIES = {"interval": 5}
        >>> fps = Fps()
        >>> fps.set({"interval": "3"})
        >>> fps.get_property("interval")
        3
    """

    PROPERTIES: ClassVar[Mapping[str, Value]] = {}

    def set(self, properties: Mapping[str, Any], name: str = "") -> None:
        """Set properties; unknown ones are logged and ignored, ``None`` is skipped.

        Args:
            properties: Name to value.
            name: What the object is called in messages.

        Raises:
            ConfigError: A value does not fit the property's type.
        """
        for key, value in properties.items():
            known, default = self._spec(key)
            if default is None:
                _log.warning("Property %s is not supported by object %s", key, name or type(self).__name__)
            elif value is not None:
                self.__dict__.setdefault("_values", {})[known] = _converted(value, default, key, name)

    def get_property(self, name: str) -> Any:
        """Value of a property, ``None`` for one that does not exist."""
        known, default = self._spec(name)
        return self.__dict__.get("_values", {}).get(known, default)

    def _spec(self, name: str) -> tuple[str, Value | None]:
        key = name.replace("_", "-")
        return key, self.properties().get(key)

    def declare(self, properties: Mapping[str, Value]) -> None:
        """Add properties to this object beside those of its class: name to default."""
        self.__dict__["_declared"] = dict(properties)

    def properties(self) -> dict[str, Value]:
        """Every property and its default."""
        both = {**self.PROPERTIES, **self.__dict__.get("_declared", {})}
        return {key.replace("_", "-"): value for key, value in both.items()}


def _converted(value: Any, default: Value, key: str, name: str) -> Value:
    try:
        if isinstance(default, bool):
            return as_bool(value)
        if isinstance(default, int):
            return as_int(value)
        return float(value) if isinstance(default, float) else str(value)
    except (ValueError, TypeError) as error:
        kind = type(default).__name__
        raise ConfigError(f"property {key!r} of {name or 'an object'} takes {kind}, not {value!r}") from error
