"""From what a model says to data: JSON found, read and checked against a schema."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

from headrace.errors import ConfigError, HeadraceError

#: Reasoning models show their thoughts before the answer, unless the server takes them out.
_THOUGHTS = re.compile(r"\A\s*<think>.*?</think>\s*", re.DOTALL)
_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL | re.IGNORECASE)
_SHOWN = 200


class AnswerError(HeadraceError):
    """An answer is not the JSON that was asked for."""


def plain(text: str) -> str:
    """The answer without the model's thoughts, blanks around it and halves of characters.

    Example:
        >>> plain("<think>Hm.</think> Two dogs. ")
        'Two dogs.'
    """
    return _THOUGHTS.sub("", text).strip().encode(errors="replace").decode()


def read_json(text: str) -> Any:
    """The JSON in an answer, which may stand in a code fence.

    Raises:
        AnswerError: There is none.

    Example:
        >>> read_json('Here it is:' + chr(10) + '```json' + chr(10) + '{"dogs": 2}' + chr(10) + '```')
        {'dogs': 2}
    """
    fenced = _FENCED.search(text)
    try:
        data = json.loads(fenced[1] if fenced else text, parse_constant=_no_number, parse_float=_finite)
        json.dumps(
            data, ensure_ascii=False
        ).encode()  # halves of characters, endless nesting: nobody could send it on
        return data
    except (ValueError, RecursionError) as error:
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        raise AnswerError(f"the answer is not JSON ({error}): {shown!r}") from error


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number in JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        _no_number(text)
    return number


def checker(schema: dict[str, Any] | None) -> Callable[[str], Any]:
    """A function that turns an answer into data, ``None`` where there is no schema.

    The function raises `AnswerError` for an answer that does not fit.

    Raises:
        ConfigError: The schema is none, or the library that checks it is missing.

    Example:
        >>> checker(None)("Two dogs.") is None
        True
    """
    if schema is None:
        return lambda text: None
    try:
        import jsonschema
    except ImportError as error:
        raise ConfigError(
            "answer-schema needs the library jsonschema: pip install 'headrace[vlm]', or pip install jsonschema"
        ) from error
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise ConfigError(f"answer-schema is no JSON schema: {error.json_path}: {error.message}") from error
    validator = kind(schema)

    def check(text: str) -> Any:
        data = read_json(text)
        wrong = jsonschema.exceptions.best_match(validator.iter_errors(data))
        if wrong is not None:
            raise AnswerError(f"the answer does not fit the schema: {wrong.json_path}: {wrong.message}")
        return data

    return check
