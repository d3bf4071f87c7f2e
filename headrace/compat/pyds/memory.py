"""Addresses: real memory for strings and buffers, names for everything else.

User code passes integers around as C pointers. Every integer that pyds hands out is looked up here before it is used,
so that a stale or invented one is an error and never a bad read.
"""

from __future__ import annotations

import ctypes
from typing import Any
from weakref import WeakValueDictionary

#: What lives at an address; entries go with the object that holds them.
_known: WeakValueDictionary[int, Any] = WeakValueDictionary()
#: Memory that user code allocated and has neither freed nor handed over.
_allocated: dict[int, Any] = {}


class Block:
    """Bytes at a fixed address.

    Example:
        >>> block = Block(b"car")
        >>> string_at(block.address), len(block.memory)
        ('car', 4)
    """

    __slots__ = ("__weakref__", "address", "memory")

    def __init__(self, content: bytes, size: int = 0) -> None:
        """Allocate ``size`` bytes, or as many as the content and its final zero need."""
        self.memory = ctypes.create_string_buffer(content, max(size, len(content) + 1))
        self.address = ctypes.addressof(self.memory)
        _known[self.address] = self


class HeldText(str):
    """A text that also has an address, which is valid as long as whoever holds the text keeps it."""

    block: Block

    @property
    def address(self) -> int:
        """Where its bytes are."""
        return self.block.address


def held(text: str) -> HeldText:
    """The text with an address."""
    if type(text) is HeldText:
        return text
    copy = HeldText(text)
    copy.block = Block(text.encode("utf-8", "surrogateescape"))
    return copy


def thing_at(address: int) -> Any:
    """The block or handle at an address.

    Raises:
        ValueError: Nothing lives there.
    """
    thing = _known.get(address)
    if thing is None:
        if not isinstance(address, int):
            raise TypeError(f"an address is an int, not a {type(address).__name__}")
        raise ValueError(
            f"nothing lives at address {address:#x}: it was freed with its owner, or is no pyds address"
        )
    return thing


def address_of(thing: Any) -> int:
    """An address for a handle; valid as long as the handle lives."""
    address = id(thing)
    _known[address] = thing
    return address


def register(address: int, thing: Any) -> int:
    """Make known that a thing, held by somebody else, lives at a real address."""
    _known[address] = thing
    return address


def keep(address: int, thing: Any) -> int:
    """Let user code own what is at an address, until it frees it or hands it over."""
    _allocated[address] = thing
    return address


def hand_over(address: int) -> Any:
    """What is at an address, for a structure that owns it from now on; ``None`` for the null pointer.

    Raises:
        ValueError: Nothing lives there.
    """
    if address == 0:
        return None
    thing = thing_at(address)
    _allocated.pop(address, None)
    return thing


def alloc_buffer(size: int) -> int:
    """Allocate zeroed bytes; they stay until `free_buffer`, or until the structure they were given to is gone."""
    if size <= 0:
        raise ValueError(f"alloc_buffer({size}): the size must be positive")
    block = Block(b"", size)
    return keep(block.address, block)


def free_buffer(buffer: int) -> None:
    """Free what `alloc_buffer`, `strdup` or `memdup` gave; an address that is not theirs is left alone."""
    _allocated.pop(buffer, None)


def string_at(address: int) -> str | None:
    """The text at an address, ``None`` for the null pointer.

    Raises:
        ValueError: Nothing, or no text, lives there.
    """
    if address == 0:
        return None
    thing = thing_at(address)
    if not isinstance(thing, Block):
        raise ValueError(f"at {address:#x} lives a {type(thing).__name__}, not a text")
    return thing.memory.value.decode("utf-8", "replace")


def strdup(address: int) -> int:
    """A copy of the text at an address, owned by the caller; 0 for the null pointer."""
    text = string_at(address)
    if text is None:
        return 0
    block = Block(text.encode("utf-8", "surrogateescape"))
    return keep(block.address, block)


def memdup(address: int, size: int) -> int:
    """A copy of a buffer's first bytes, or of a whole structure, owned by the caller; 0 for the null pointer."""
    if address == 0:
        return 0
    thing = thing_at(address)
    if isinstance(thing, Block):
        block = Block(thing.memory.raw[:size], size)
        return keep(block.address, block)
    duplicate = thing._duplicate()
    return keep(address_of(duplicate), duplicate)


def write_text(address: int, text: str, size: int) -> None:
    """Write a text and its final zero into a buffer of at least `size` bytes; cut off if it is longer.

    Raises:
        ValueError: No buffer of this size lives there.
    """
    block = thing_at(address)
    if not isinstance(block, Block) or len(block.memory) < size or size < 1:
        raise ValueError(
            f"no buffer of {size} bytes lives at {address:#x}; make one with alloc_buffer({size})"
        )
    block.memory.value = text.encode()[: size - 1]
