"""NvDsUserMeta, and what happens to its data when buffers are copied and freed (pyds, §1.3)."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

from headrace.compat.pyds.base import NvDsBaseMeta
from headrace.compat.pyds.columns import Columns
from headrace.compat.pyds.enums import NvDsMetaType
from headrace.compat.pyds.handles import Handle, as_data, as_stored, expect
from headrace.meta.user import UserMetadata

_log = logging.getLogger(__name__)

Callback = Callable[[Any, Any], Any]


class PooledUserMetadata(UserMetadata):
    """A user meta whose data is copied with its buffer, and released with it.

    Attributes:
        copies: Makes the data of a copy; ``None`` shares it.
        releases: Is called once, when nothing refers to the meta any more.
    """

    __slots__ = ("copies", "releases")

    def __init__(self, meta_type: int = NvDsMetaType.NVDS_USER_META, data: Any = None) -> None:
        super().__init__(int(meta_type), data)
        self.copies: Callable[[UserMetadata], Any] | None = None
        self.releases: Callable[[UserMetadata], None] | None = None

    def copy(self) -> PooledUserMetadata:
        """A meta of its own, over copied data."""
        twin = PooledUserMetadata(self.meta_type, self.data)
        if self.copies is not None:
            twin.data = self.copies(self)
        twin.copies, twin.releases = self.copies, self.releases
        return twin

    def __del__(self) -> None:
        if getattr(self, "releases", None) is None or sys.is_finalizing():
            return
        # A meta of its own: user code may keep what it is given, and this one is going.
        last = UserMetadata(self.meta_type, self.data)
        assert self.releases is not None
        self.releases(last)


class NvDsUserMeta(Handle):
    """Anything that is attached to a batch, frame or object (pyds, §2.1)."""

    __slots__ = ("_columns", "_meta")

    def __init__(self, meta: UserMetadata | None = None, columns: Columns | None = None) -> None:
        self._meta = PooledUserMetadata() if meta is None else meta
        self._columns = columns

    @property
    def base_meta(self) -> NvDsBaseMeta:
        """Type of the meta, which may be set, and its batch."""
        kind = NvDsMetaType(self._meta.meta_type)
        return NvDsBaseMeta(kind, self._columns, lambda value: setattr(self._meta, "meta_type", value))

    @base_meta.setter
    def base_meta(self, value: NvDsBaseMeta) -> None:
        self._meta.meta_type = int(expect(value, NvDsBaseMeta, "base_meta").meta_type)

    @property
    def user_meta_data(self) -> Any:
        """The data, for the ``cast`` of its class; assign any pyds object or capsule."""
        return as_data(self._meta.data)

    @user_meta_data.setter
    def user_meta_data(self, data: Any) -> None:
        self._meta.data = as_stored(data)


class _Callbacks:
    """The two global slots: the last function that was registered serves every meta."""

    copies: Callback | None = None
    releases: Callback | None = None


def _copy_by_user(meta: UserMetadata) -> Any:
    function = _Callbacks.copies
    if function is None:
        return meta.data
    try:
        return as_stored(function(NvDsUserMeta(meta), None))
    except Exception:  # noqa: BLE001 - called while a buffer is copied; without its data the copy is still good
        _log.exception(
            "the function given to user_copyfunc failed; the copied buffer's user meta has no data"
        )
        return None


def _release_by_user(meta: UserMetadata) -> None:
    function = _Callbacks.releases
    if function is None:
        return
    try:
        function(NvDsUserMeta(meta), None)
    except Exception:  # noqa: BLE001 - called from a destructor, which cannot raise
        _log.exception("the function given to user_releasefunc failed")


def pooled(user_meta: Any, function: str) -> PooledUserMetadata:
    """The meta behind a handle that came from the pool.

    Raises:
        TypeError: It is none, or an element has made it.
    """
    meta = expect(user_meta, NvDsUserMeta, function)._meta
    if not isinstance(meta, PooledUserMetadata):
        raise TypeError(
            f"{function}: only for metas of nvds_acquire_user_meta_from_pool; an element made this one"
        )
    return meta


def user_copyfunc(meta: NvDsUserMeta, func: Callback) -> None:
    """Call ``func(user_meta, None)`` when the meta's buffer is copied; it returns the copy's data.

    There is one function for all metas: the one that was given last.
    """
    pooled(meta, "user_copyfunc").copies = _copy_by_user
    _Callbacks.copies = func


def user_releasefunc(meta: NvDsUserMeta, func: Callback) -> None:
    """Call ``func(user_meta, None)`` when the meta's buffer is freed; the last function given serves all metas."""
    pooled(meta, "user_releasefunc").releases = _release_by_user
    _Callbacks.releases = func


def set_user_copyfunc(meta: NvDsUserMeta, func: Callback) -> None:
    """The older name of `user_copyfunc`."""
    user_copyfunc(meta, func)


def set_user_releasefunc(meta: NvDsUserMeta, func: Callback) -> None:
    """The older name of `user_releasefunc`."""
    user_releasefunc(meta, func)


def register_user_copyfunc(func: Callback) -> None:
    """Does nothing: a function is registered with its meta, by `user_copyfunc`."""


def register_user_releasefunc(func: Callback) -> None:
    """Does nothing: a function is registered with its meta, by `user_releasefunc`."""


def unset_callback_funcs() -> None:
    """Forget both functions."""
    _Callbacks.copies = _Callbacks.releases = None
