"""Handles: what pyds gives instead of pointers, and how one is taken for another (``cast``)."""

from __future__ import annotations

from typing import Any, TypeVar

from headrace.compat.pyds.memory import address_of, thing_at

_Handle = TypeVar("_Handle", bound="Handle")


class Handle:
    """Base of every pyds class: a live view that keeps alive what it refers to.

    Example:
        >>> from headrace.compat.pyds import NvOSD_RectParams
        >>> box = NvOSD_RectParams()
        >>> NvOSD_RectParams.cast(box) is box
        True
    """

    __slots__ = ("__weakref__",)

    @classmethod
    def cast(cls: type[_Handle], data: Any) -> _Handle:
        """The same storage as this class.

        Args:
            data: What a list node's ``data`` or ``user_meta_data`` gave, an address made by `get_ptr`, or any handle.

        Raises:
            TypeError: The data is of another kind; the reference binding would read foreign memory here.
            ValueError: Nothing lives at the address any more.
        """
        if isinstance(data, cls):
            return data
        if isinstance(data, int) and not isinstance(data, bool):
            data = thing_at(data)
            if isinstance(data, cls):
                return data
        found = cls._seen_in(data.thing if isinstance(data, Capsule) else data)
        if found is None:
            raise TypeError(f"{_kind(data)} is no {cls.__name__}; cast it to what it is")
        return found

    @classmethod
    def _seen_in(cls: type[_Handle], thing: Any) -> _Handle | None:
        """This class as a view of another object, ``None`` when it is none."""
        return thing if isinstance(thing, cls) else None

    def _stored(self) -> Any:
        """What a user meta keeps when this handle is assigned to it."""
        return self

    def _duplicate(self) -> Handle:
        """A copy of the storage, as copying the structure's bytes would make.

        Raises:
            TypeError: The structure belongs to a batch.
        """
        raise TypeError(f"a {type(self).__name__} belongs to its batch and cannot be copied by itself")


class Capsule:
    """An opaque pointer to something that is no pyds structure yet; goes into ``cast`` and `get_ptr`."""

    __slots__ = ("__weakref__", "thing")

    def __init__(self, thing: Any) -> None:
        self.thing = thing

    def __repr__(self) -> str:
        return f"<capsule object of {type(self.thing).__name__}>"


def as_data(thing: Any) -> Any:
    """An object as user code sees it: handles as they are, others in a capsule, nothing as ``None``."""
    return thing if thing is None or isinstance(thing, Handle) else Capsule(thing)


def as_stored(data: Any) -> Any:
    """What to keep of a handle, capsule or address that user code assigned.

    Raises:
        TypeError: Something else.
    """
    if isinstance(data, int) and not isinstance(data, bool):
        data = thing_at(data)
    if isinstance(data, Capsule):
        return data.thing
    if isinstance(data, Handle):
        return data._stored()
    if data is None:
        return None
    raise TypeError(f"a {type(data).__name__} cannot be stored here; give a pyds object")


def expect(handle: Any, cls: type[_Handle], function: str) -> _Handle:
    """An argument that must be of a class; the check that stands between user code and a bad pointer.

    Raises:
        TypeError: It is something else.
    """
    if not isinstance(handle, cls):
        raise TypeError(f"{function}: expected {cls.__name__}, got {type(handle).__name__}")
    return handle


def _kind(data: Any) -> str:
    thing = data.thing if isinstance(data, Capsule) else data
    return "None" if thing is None else f"a {type(thing).__name__}"


__all__ = ["Capsule", "Handle", "address_of", "as_data", "as_stored", "expect"]
