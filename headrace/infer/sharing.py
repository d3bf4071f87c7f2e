"""Things that several users have under one name, made by the first and freed after the last."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar

from headrace.errors import ConfigError

T = TypeVar("T")


@dataclass
class _Entry(Generic[T]):
    terms: Any
    made: Future[T] = field(default_factory=Future)
    users: int = 0


class Shared(Generic[T]):
    """Values by name, counted; may be used by several threads.

    Args:
        option: Name of the option with which users name one, for errors.

    Example:
        >>> shared = Shared("shared-model")
        >>> first, second = (shared.take("cars", {"model": "a.onnx"}, list) for _ in range(2))
        >>> first is second, shared.give_back("cars") is None, shared.give_back("cars") is first
        (True, True, True)
    """

    def __init__(self, option: str) -> None:
        self._option = option
        self._entries: dict[str, _Entry[T]] = {}
        self._lock = threading.Lock()

    def take(self, name: str, terms: Any, make: Callable[[], T]) -> T:
        """The value of a name; the first who asks makes it, others wait for that.

        Args:
            name: The name.
            terms: What the value is made of, a dataclass or a mapping; all users of a name must want the same.
            make: Makes it.

        Raises:
            ConfigError: The name stands for something else.
            Exception: What ``make`` raised, for all who wait for it; the name is free again then.
        """
        with self._lock:
            entry = self._entries.get(name)
            first = entry is None
            if entry is None:
                entry = self._entries[name] = _Entry(terms)
            if entry.terms != terms:
                raise ConfigError(self._difference(name, entry.terms, terms))
            entry.users += 1
        if first:
            self._make(name, entry, make)
        return entry.made.result()

    def _make(self, name: str, entry: _Entry[T], make: Callable[[], T]) -> None:
        try:
            entry.made.set_result(make())
        except BaseException as error:
            with self._lock:
                self._entries.pop(name)
            entry.made.set_exception(error)
            raise

    def give_back(self, name: str) -> T | None:
        """One user needs it no longer; the value, to be freed, when that was the last."""
        with self._lock:
            entry = self._entries[name]
            entry.users -= 1
            if entry.users:
                return None
            del self._entries[name]
        return entry.made.result()

    def _difference(self, name: str, before: Any, now: Any) -> str:
        one, other = _values(before), _values(now)
        keys = [key for key in one if one[key] != other.get(key)]
        said = [", ".join(f"{key}={values.get(key)!r}" for key in keys) for values in (one, other)]
        return (
            f"{self._option}={name} stands for a model with {said[0]} already; with {said[1]} it needs another name, "
            "or the same options"
        )


def _values(terms: Any) -> dict[str, Any]:
    return dict(terms) if isinstance(terms, dict) else {f.name: getattr(terms, f.name) for f in fields(terms)}
