"""Rules that say when to ask: ``class == person and dwell > 10``.

A rule is parsed with Python's own parser, checked node by node against a list of what is allowed, and turned into
functions. Nothing is ever evaluated as Python. What is wrong is said when the rule is made, not with the first frame.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from headrace.errors import ConfigError
from headrace.suggestion import did_you_mean
from headrace.vlm.facts import FrameFacts, ObjectFacts

Kind = Literal["number", "text", "word", "truth"]
Value = Callable[[FrameFacts, ObjectFacts], Any]

_LONGEST = 1000  # characters; Python's parser limits depth by raising, but not before it has used the memory
_DEEPEST = 60
# `class` is a keyword of Python: a word of the same length stands in, so that columns stay right.
_CLASS = "_cls_"
_KEYWORD = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|\bclass\b""")

#: What a rule can speak of, by name: the kind of value, how it is found, what it means.
NAMES: dict[str, tuple[Kind, Value, str]] = {
    "class": ("text", lambda f, o: o.label.casefold(), "name of the object's class; case does not matter"),
    "class_id": ("number", lambda f, o: o.class_id, "number of the object's class"),
    "confidence": ("number", lambda f, o: o.confidence, "the detector's confidence, 0 to 1"),
    "id": (
        "number",
        lambda f, o: -1 if o.object_id is None else o.object_id,
        "track of the object; -1: none",
    ),
    "dwell": ("number", lambda f, o: o.dwell, "seconds since the object's track was first seen"),
    "width": ("number", lambda f, o: o.box[2], "width of the object's box, in pixels"),
    "height": ("number", lambda f, o: o.box[3], "height of the object's box, in pixels"),
    "area": ("number", lambda f, o: o.box[2] * o.box[3], "area of the object's box, in pixels"),
    "source": ("number", lambda f, o: f.source, "id of the source"),
}
#: Functions of a rule: kind of value, most arguments, what it means. All arguments are names.
FUNCTIONS: dict[str, tuple[Kind, int, str]] = {
    "count": ("number", 2, "objects in the frame: all, of one class, of one class in one zone"),
    "in_zone": ("truth", 1, "whether the object is in this region of nvdsanalytics; without a name: in any"),
}
#: What does not speak of one object.
_OF_THE_FRAME = frozenset(("source", "count"))

_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda a, b: a / b if b else float("nan"),  # which no comparison holds for
}
_NOBODY = ObjectFacts("")


@dataclass(frozen=True, slots=True)
class _Term:
    kind: Kind
    value: Value
    node: ast.AST
    constant: Any = None


class Rule:
    """A condition on an object or a frame.

    Args:
        text: The condition; empty for one that always holds.

    Attributes:
        text: The same.
        of_objects: Whether it speaks of single objects; otherwise of the frame as a whole.

    Raises:
        ConfigError: It cannot be understood; names the column and the remedy.

    Example:
        >>> rule = Rule("class == person and dwell > 10")
        >>> person = ObjectFacts("person", dwell=12.0)
        >>> rule.holds(FrameFacts(0, (person,)), person), Rule("count(car) > 3").of_objects
        (True, False)
    """

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.of_objects = False
        self._value: Value | None = _Reader(self).read() if text.strip() else None

    def holds(self, frame: FrameFacts, object: ObjectFacts | None = None) -> bool:
        """Whether the condition holds; `object` is needed where it speaks of objects."""
        return self._value is None or bool(self._value(frame, object or _NOBODY))


class _Reader:
    """Turns the text of a rule into a function."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._text = " ".join(rule.text.split("\n"))
        self._source = _KEYWORD.sub(lambda match: match[1] or _CLASS, self._text)
        #: All that a rule may be made of.
        self._readers: dict[type[ast.AST], Callable[..., _Term]] = {
            ast.BoolOp: self._either, ast.UnaryOp: self._signed, ast.BinOp: self._calculated,
            ast.Compare: self._compared, ast.Name: self._name, ast.Constant: self._constant, ast.Call: self._call,
        }  # fmt: skip

    def read(self) -> Value:
        if len(self._text) > _LONGEST:
            raise ConfigError(f"the rule is longer than {_LONGEST} characters; make it simpler")
        if _CLASS in self._text:
            self._fail(self._text.index(_CLASS) + 1, f"unknown name {_CLASS!r}; write class")
        try:
            tree = ast.parse(self._source.strip(), mode="eval")
        except SyntaxError as error:
            self._fail(self._indent() + (error.offset or 1), self._hint(error.msg))
        except (ValueError, RecursionError, MemoryError) as error:
            raise ConfigError(
                f"rule {self._text!r}: cannot be read ({error or 'too deep'}); make it simpler"
            ) from error
        term = self._term(tree.body, 0)
        self._must_be("truth", term, "a condition such as dwell > 10")
        return term.value

    def _indent(self) -> int:
        return len(self._text) - len(self._text.lstrip())

    def _hint(self, message: str) -> str:
        if "&&" in self._source or "||" in self._source:
            return "write and, or instead of &&, ||"
        if re.search(r"(?<![<>=!])=(?!=)", self._source):
            return "write == to compare"
        if re.search(r"!(?!=)", self._source):
            return "write not instead of !"
        return f"{message}; write for example class == person and dwell > 10, names with blanks in quotes"

    def _fail(self, column: int, what: str) -> NoReturn:
        raise ConfigError(f"rule {self._text!r}, column {column}: {what}")

    def _wrong(self, node: ast.AST, what: str) -> NoReturn:
        offset = getattr(node, "col_offset", 0)  # in bytes of UTF-8
        before = self._source.strip().encode()[:offset].decode(errors="ignore")
        self._fail(self._indent() + len(before) + 1, what)

    def _term(self, node: ast.AST, depth: int) -> _Term:
        if depth > _DEEPEST:
            self._wrong(node, "nested too deeply; make the rule simpler")
        reader = self._readers.get(type(node))
        if reader is None:
            self._wrong(node, f"{_word_for(node)} cannot be used in a rule; known are {_known()}")
        return reader(node, depth + 1)

    def _either(self, node: ast.BoolOp, depth: int) -> _Term:
        terms = [self._term(value, depth) for value in node.values]
        for term in terms:
            self._must_be("truth", term, "a condition such as dwell > 10")
        values = [term.value for term in terms]
        if isinstance(node.op, ast.And):
            return _Term("truth", lambda f, o: all(value(f, o) for value in values), node)
        return _Term("truth", lambda f, o: any(value(f, o) for value in values), node)

    def _signed(self, node: ast.UnaryOp, depth: int) -> _Term:
        term = self._term(node.operand, depth)
        value = term.value
        if isinstance(node.op, ast.Not):
            self._must_be("truth", term, "a condition such as in_zone(queue)")
            return _Term("truth", lambda f, o: not value(f, o), node)
        if not isinstance(node.op, ast.USub):
            self._wrong(node, "only - and not can stand before a value")
        self._must_be("number", term, "a number")
        constant = None if term.constant is None else -term.constant
        return _Term("number", lambda f, o: -value(f, o), node, constant)

    def _calculated(self, node: ast.BinOp, depth: int) -> _Term:
        calculate = _ARITHMETIC.get(type(node.op))
        if calculate is None:
            self._wrong(node, "only + - * / can be calculated with")
        left, right = self._term(node.left, depth), self._term(node.right, depth)
        if left.kind == right.kind == "word" and isinstance(node.op, ast.Sub):
            name = f"{left.constant}-{right.constant}"
            self._wrong(node, f'names with a dash stand in quotes: "{name}"')
        for term in (left, right):
            self._must_be("number", term, "a number")
        one, two = left.value, right.value
        return _Term("number", lambda f, o: calculate(float(one(f, o)), float(two(f, o))), node)

    def _compared(self, node: ast.Compare, depth: int) -> _Term:
        operands = [node.left, *node.comparators]
        pairs = [
            self._pair(self._term(left, depth), how, right, depth)
            for left, how, right in zip(operands, node.ops, operands[1:], strict=False)
        ]
        return _Term("truth", lambda f, o: all(pair(f, o) for pair in pairs), node)

    def _pair(self, left: _Term, how: ast.cmpop, node: ast.AST, depth: int) -> Value:
        if isinstance(how, ast.In | ast.NotIn):
            return self._membership(left, node, isinstance(how, ast.In), depth)
        right = self._term(node, depth)
        left, right = self._as_text(left, right), self._as_text(right, left)
        if left.kind != right.kind:
            self._wrong(right.node, _mismatch(left, right))
        compare = _COMPARISONS.get(type(how))
        if compare is None or (left.kind != "number" and not isinstance(how, ast.Eq | ast.NotEq)):
            self._wrong(right.node, "only numbers can be ordered; names are compared with ==, != or in")
        one, two = left.value, right.value
        return lambda f, o: compare(one(f, o), two(f, o))

    def _membership(self, left: _Term, node: ast.AST, inside: bool, depth: int) -> Value:
        if left.kind == "word":
            self._unknown(left)
        elements = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else [node]
        terms = [self._as_text(self._term(element, depth), left) for element in elements]
        for term in terms:
            if term.kind != left.kind or term.constant is None:
                self._wrong(term.node, "in needs a list of names or numbers, such as class in (car, truck)")
        choices = frozenset(term.constant for term in terms)
        value = left.value
        return lambda f, o: (value(f, o) in choices) == inside

    def _as_text(self, term: _Term, other: _Term) -> _Term:
        """A bare word is a name where it is compared with `class`, and a mistake anywhere else."""
        if term.kind == "word" and other.kind == "text":
            return self._text_of(str(term.constant), term.node)
        if term.kind == "word":
            self._unknown(term)
        return term

    def _text_of(self, text: str, node: ast.AST) -> _Term:
        folded = text.casefold()
        return _Term("text", lambda f, o: folded, node, folded)

    def _name(self, node: ast.Name, _depth: int) -> _Term:
        name = "class" if node.id == _CLASS else node.id
        if name in FUNCTIONS:
            self._wrong(node, f"{name} is a function; write {name}(NAME)")
        if name not in NAMES:
            return _Term("word", lambda f, o: name, node, name)
        kind, value, _ = NAMES[name]
        self._rule.of_objects |= name not in _OF_THE_FRAME
        return _Term(kind, value, node)

    def _constant(self, node: ast.Constant, _depth: int) -> _Term:
        constant = node.value
        if isinstance(constant, str):
            return self._text_of(constant, node)
        if isinstance(constant, bool) or not isinstance(constant, int | float):
            self._wrong(node, f"{constant!r} cannot be used in a rule; write a number or a name")
        if not abs(constant) < 2**64:
            self._wrong(node, "the number is too large")
        return _Term("number", lambda f, o: constant, node, constant)

    def _call(self, node: ast.Call, depth: int) -> _Term:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS:
            functions = f"; functions are {', '.join(FUNCTIONS)}"
            hint = did_you_mean(name, FUNCTIONS, functions, "; did you mean {}?")
            self._wrong(node, f"unknown function {name!r}{hint}")
        kind, most, meaning = FUNCTIONS[name]
        if node.keywords or len(node.args) > most:
            self._wrong(node, f"{name} takes at most {most} names: {meaning}")
        names = [self._argument(name, argument, depth) for argument in node.args]
        self._rule.of_objects |= name not in _OF_THE_FRAME
        if name == "count":
            return _Term(kind, lambda f, o: f.count(*names), node)
        zone = names[0].casefold() if names else ""
        return _Term(kind, lambda f, o: _in_zone(o, zone), node)

    def _argument(self, function: str, node: ast.AST, depth: int) -> str:
        if isinstance(node, ast.Name):
            return "class" if node.id == _CLASS else node.id
        term = self._term(node, depth)
        if term.kind != "text" or term.constant is None:
            self._wrong(node, f'{function} takes names: write {function}("NAME")')
        return str(term.constant)

    def _must_be(self, kind: Kind, term: _Term, example: str) -> None:
        if term.kind == "word":
            self._unknown(term)
        if term.kind != kind:
            self._wrong(term.node, f"a {term.kind} stands where {example} is needed")

    def _unknown(self, term: _Term) -> NoReturn:
        name = str(term.constant)
        hint = did_you_mean(name, (*NAMES, *FUNCTIONS), f"; known are {_known()}", "; did you mean {}?")
        self._wrong(term.node, f"unknown name {name!r}{hint}")


def _in_zone(object: ObjectFacts, zone: str) -> bool:
    zones = [name.casefold() for name in object.zones]
    return zone in zones if zone else bool(zones)


def _known() -> str:
    return ", ".join((*NAMES, *(f"{name}()" for name in FUNCTIONS)))


def _mismatch(left: _Term, right: _Term) -> str:
    if {left.kind, right.kind} == {"number", "text"}:
        return "a name is compared with a number; class is a name, class_id a number"
    return f"a {left.kind} is compared with a {right.kind}"


def _word_for(node: ast.AST) -> str:
    words = {"IfExp": "if … else", "Subscript": "[…]", "Attribute": "a dot", "Lambda": "lambda"}
    return words.get(type(node).__name__, type(node).__name__.lower())
