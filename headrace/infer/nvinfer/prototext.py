"""Protocol buffers' text format, as far as configuration files use it (https://protobuf.dev/reference/protobuf/textformat-spec/)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from headrace.errors import ConfigError

_TOKENS = re.compile(
    r"""(?P<skip>\s+|\#[^\n]*)|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')"""
    r"""|(?P<word>[A-Za-z_][\w.]*)|(?P<number>[-+]?(?:0x[0-9a-fA-F]+|\.?\d[\w.+-]*|inf|nan))|(?P<mark>[{}<>\[\]:,;])"""
)
_CLOSES = {"{": "}", "<": ">"}


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number, text or mark, and its line."""

    kind: str
    text: str
    line: int


@dataclass(slots=True)
class Message:
    """A message: fields in the order of the file, each with one value or several.

    Attributes:
        place: File, names of the messages around it and its line, for error messages.
        fields: Values by name; a value is a message or a scalar as text.

    Example:
        >>> root = parse_prototext("a { n: 3 s: 'x' } ids: [1, 2]", Path("c.txt"))
        >>> root.child("a").number("n", 0), root.child("a").text("s"), root.numbers("ids")
        (3, 'x', (1, 2))
        >>> root.child("missing").number("n", 7), "missing" in root.fields
        (7, False)
    """

    place: str
    fields: dict[str, list[Message | str]] = field(default_factory=dict)

    def child(self, name: str) -> Message:
        """The message of a field; an empty one where the field is missing.

        Raises:
            ConfigError: The field holds a scalar.
        """
        return next(iter(self.children(name)), Message(f"{self.place}.{name}"))

    def children(self, name: str) -> list[Message]:
        """All messages of a field; errors as for `child`."""
        messages = []
        for value in self.fields.get(name, ()):
            if not isinstance(value, Message):
                raise ConfigError(f"{self.place}: {name} is {value!r}; write {name} {{ ... }}")
            messages.append(value)
        return messages

    def texts(self, name: str) -> tuple[str, ...]:
        """All scalars of a field.

        Raises:
            ConfigError: The field holds a message.
        """
        values = self.fields.get(name, [])
        if any(isinstance(value, Message) for value in values):
            raise ConfigError(f"{self.place}: {name} holds a message; write {name}: value")
        return tuple(str(value) for value in values)

    def text(self, name: str, default: str = "") -> str:
        """The last scalar of a field; errors as for `texts`."""
        return (self.texts(name) or (default,))[-1]

    def numbers(self, name: str) -> tuple[int, ...]:
        """Whole numbers of a field.

        Raises:
            ConfigError: One is none.
        """
        try:
            return tuple(int(text, 0) for text in self.texts(name))
        except ValueError as error:
            raise ConfigError(f"{self.place}: {name} is {self.text(name)!r}; give whole numbers") from error

    def number(self, name: str, default: int) -> int:
        """The last whole number of a field; errors as for `numbers`."""
        return (self.numbers(name) or (default,))[-1]

    def decimals(self, name: str) -> tuple[float, ...]:
        """Numbers of a field.

        Raises:
            ConfigError: One is none.
        """
        try:
            return tuple(float(text.rstrip("fF")) for text in self.texts(name))
        except ValueError as error:
            raise ConfigError(f"{self.place}: {name} is {self.text(name)!r}; give numbers") from error

    def decimal(self, name: str, default: float) -> float:
        """The last number of a field; errors as for `decimals`."""
        return (self.decimals(name) or (default,))[-1]

    def flag(self, name: str) -> bool:
        """Whether a field is true.

        Raises:
            ConfigError: It is neither true nor false.
        """
        known = {"": False, "0": False, "false": False, "f": False, "1": True, "true": True, "t": True}
        text = self.text(name)
        if text.lower() not in known:
            raise ConfigError(f"{self.place}: {name} is {text!r}; give true or false")
        return known[text.lower()]

    def choice(self, name: str, choices: dict[str, int]) -> int:
        """The value of an enumeration, written as its word or number; the first one where it is missing.

        Raises:
            ConfigError: It is not one of them.
        """
        text = self.text(name, next(iter(choices)))
        by_number = {str(value): value for value in choices.values()}
        if text not in choices and text not in by_number:
            raise ConfigError(f"{self.place}: {name} is {text!r}; use one of {', '.join(choices)}")
        return choices.get(text, by_number.get(text, 0))


def parse_prototext(text: str, path: Path) -> Message:
    """Parse a message in text format.

    Args:
        text: Content of a file.
        path: The file, for messages.

    Raises:
        ConfigError: The text is malformed; names file and line.
    """
    return _Parser(text, path).message(Message(str(path)), "")


class _Parser:
    def __init__(self, text: str, path: Path) -> None:
        self._path = path
        self._tokens = list(self._scan(text))
        self._at = 0

    def _scan(self, text: str) -> Iterator[Token]:
        line = place = 0
        while place < len(text):
            found = _TOKENS.match(text, place)
            if found is None:
                raise ConfigError(
                    f"{self._path}, line {line + 1}: {text[place : place + 20]!r} is not understood"
                )
            if found.lastgroup != "skip":
                yield Token(str(found.lastgroup), found[0], line + 1)
            line, place = line + found[0].count("\n"), found.end()
        yield Token("end", "", line + 1)

    def _take(self) -> Token:
        token = self._tokens[self._at]
        self._at += token.kind != "end"
        return token

    def _skip(self, marks: str) -> bool:
        """Step over a mark if it is one of these."""
        token = self._tokens[self._at]
        found = token.kind == "mark" and token.text in marks
        self._at += found
        return found

    def _wrong(self, token: Token, expected: str) -> ConfigError:
        got = repr(token.text) if token.text else "the end of the file"
        return ConfigError(f"{self._path}, line {token.line}: {expected} expected, got {got}")

    def message(self, into: Message, close: str) -> Message:
        """Fields up to the closing mark, or to the end of the file."""
        while True:
            token = self._take()
            if token.kind == ("mark" if close else "end") and token.text == close:
                return into
            if token.kind != "word":
                raise self._wrong(token, f"a field's name or {close!r}" if close else "a field's name")
            colon = self._skip(":")
            values = into.fields.setdefault(token.text, [])
            place = f"{into.place}{'.' if into.place != str(self._path) else ': '}{token.text}"
            if self._skip("["):
                while not self._skip("]"):
                    values.append(self._value(place, True))
                    self._skip(",")
            else:
                values.append(self._value(place, colon))
            self._skip(",;")

    def _value(self, place: str, scalar: bool) -> Message | str:
        token = self._take()
        if token.kind == "mark" and token.text in _CLOSES:
            return self.message(Message(place), _CLOSES[token.text])
        if not scalar or token.kind in ("mark", "end"):
            raise self._wrong(token, "a value" if scalar else "':' or '{'")
        if token.kind != "text":
            return token.text
        parts = [token.text]
        while self._tokens[self._at].kind == "text":
            parts.append(self._take().text)
        return "".join(str(ast.literal_eval(part)) for part in parts)
