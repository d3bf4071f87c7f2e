"""Prompts with placeholders: ``What is the {object.label} doing?``."""

from __future__ import annotations

import string
from collections.abc import Mapping

from headrace.errors import ConfigError
from headrace.suggestion import did_you_mean

#: Placeholders and what they stand for.
PLACEHOLDERS: dict[str, str] = {
    "source": "id of the source",
    "frame": "number of the last picture's frame in its source",
    "time": "time of the last picture in the stream, in seconds",
    "timestamp": "date and time of the last picture (UTC) where the source has a clock, otherwise the wall clock",
    "length": "seconds between the first and the last picture",
    "pictures": "number of pictures",
    "labels": "what is in the last frame, such as 2 person, 1 car",
    "count": "number of objects in the last frame",
    "object.label": "class of the object",
    "object.id": "track of the object",
    "object.confidence": "the detector's confidence, 0 to 1",
    "object.zones": "regions of nvdsanalytics that the object is in",
    "dwell": "seconds since the object was first seen",
}
#: What only a question about an object has.
OF_OBJECTS = frozenset(name for name in PLACEHOLDERS if name.startswith("object.")) | {"dwell"}


class Prompt:
    """A text with placeholders in braces; ``{{`` and ``}}`` stand for braces.

    Raises:
        ConfigError: A placeholder is not known (the nearest is named), or a brace stands alone.

    Example:
        >>> Prompt("Is {object.label} {object.id} waving?").render({"object.label": "person", "object.id": "7"})
        'Is person 7 waving?'
    """

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self._parts = list(string.Formatter().parse(text))
        except ValueError as error:
            raise ConfigError(
                f"prompt: {error}; a brace of the text itself is written {{{{ or }}}}"
            ) from error
        for _, name, format, conversion in self._parts:
            if name is not None and (name not in PLACEHOLDERS or format or conversion):
                raise ConfigError(f"prompt: {_unknown(name, format or conversion or '')}")

    @property
    def placeholders(self) -> frozenset[str]:
        """Names of the placeholders."""
        return frozenset(name for _, name, _, _ in self._parts if name is not None)

    def render(self, values: Mapping[str, str]) -> str:
        """The text with the placeholders replaced by values, which must hold all of them."""
        return "".join(text + (values[name] if name is not None else "") for text, name, _, _ in self._parts)


def _unknown(name: str, format: str) -> str:
    if name in PLACEHOLDERS:
        return f"{{{name}}} takes no format ({format!r}); write {{{name}}}"
    hint = did_you_mean(name, PLACEHOLDERS, ".", ", did you mean {{{}}}?")
    known = ", ".join(f"{{{one}}}" for one in PLACEHOLDERS)
    return f"unknown placeholder {{{name}}}{hint} Known: {known}; braces of the text itself are written {{{{ and }}}}"
