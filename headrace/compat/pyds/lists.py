"""GList: the linked lists of the contract, over Python lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from headrace.compat.pyds.handles import Handle


class GList(Handle):
    """A node of a list; the end of a list, and an empty one, is ``None``.

    A list shows what was in it when its first node was fetched: what is added or removed meanwhile is seen by the next
    fetch, so that walking and changing can be mixed. A node is made when somebody goes there.

    Example:
        >>> node = GList.of([3, 4], str)
        >>> node.data, node.next.data, node.next.next, node.next.prev.data
        ('3', '4', None, '3')
    """

    __slots__ = ("_index", "_items", "_view")

    def __init__(
        self, items: Sequence[Any] = (None,), index: int = 0, view: Callable[[Any], Any] = lambda item: item
    ) -> None:
        self._items, self._index, self._view = items, index, view

    @classmethod
    def of(cls, items: Sequence[Any], view: Callable[[Any], Any]) -> GList | None:
        """The first node of a list, ``None`` when it is empty.

        Args:
            items: What is in the list; not copied.
            view: Makes what ``data`` gives.
        """
        return cls(items, 0, view) if items else None

    @property
    def data(self) -> Any:
        """What the node holds, for ``cast``."""
        return self._view(self._items[self._index])

    @property
    def next(self) -> GList | None:
        """The next node, ``None`` at the end."""
        index = self._index + 1
        items = self._items
        return GList(items, index, self._view) if index < len(items) else None

    @property
    def prev(self) -> GList | None:
        """The node before, ``None`` at the beginning."""
        return GList(self._items, self._index - 1, self._view) if self._index else None


def items_from(node: GList | None) -> list[Any]:
    """What the nodes from this one on hold."""
    found = []
    while node is not None:
        found.append(node.data)
        node = node.next
    return found
