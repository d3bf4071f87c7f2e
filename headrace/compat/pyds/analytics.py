"""What the analytics element found out, and numbers of user meta types (pyds, §2.4 and Trap P1)."""

from __future__ import annotations

from typing import Any

from headrace.compat.pyds.enums import NvDsMetaType
from headrace.compat.pyds.fields import shown, text, whole
from headrace.compat.pyds.handles import Handle
from headrace.meta.analytics import AnalyticsFrameMeta, AnalyticsObjInfo

_START = int(NvDsMetaType.NVDS_START_USER_META)
# Older programs look analytics up by these texts; here, as in newer cores, the numbers are fixed.
_TYPES = {
    "NVIDIA.DSANALYTICSFRAME.USER_META": int(NvDsMetaType.NVDS_FRAME_NVDSANALYTICS_META),
    "NVIDIA.DSANALYTICSOBJ.USER_META": int(NvDsMetaType.NVDS_OBJ_NVDSANALYTICS_META),
}
_names: dict[str, int] = {}


def nvds_get_user_meta_type(meta_descriptor: str) -> int:
    """The number of a user meta type, the same for the same text as long as the process lives."""
    name = text(meta_descriptor)
    return _TYPES[name] if name in _TYPES else _names.setdefault(name, _START + 1 + len(_names))


def _kept(name: str, kind: type) -> Any:
    def check(value: Any) -> Any:
        if not isinstance(value, kind):
            raise TypeError(f"{name} takes a {kind.__name__}, not a {type(value).__name__}")
        return value

    return shown(name, check)


class _Analytics(Handle):
    __slots__ = ("_p",)
    _record: type[Any]

    def __init__(self, record: Any = None) -> None:
        self._p = self._record() if record is None else record

    @classmethod
    def _seen_in(cls, thing: Any) -> Any:
        return cls(thing) if isinstance(thing, cls._record) else None

    def _stored(self) -> Any:
        return self._p


class NvDsAnalyticsObjInfo(_Analytics):
    """Analytics of one object: labels of regions, lines and directions."""

    __slots__ = ()
    _record = AnalyticsObjInfo
    roiStatus, ocStatus, lcStatus = (
        _kept("roi_status", list),
        _kept("oc_status", list),
        _kept("lc_status", list),
    )
    dirStatus, objStatus = shown("dir_status", text), shown("obj_status", text)
    unique_id = shown("unique_id", whole)


class NvDsAnalyticsFrameMeta(_Analytics):
    """Analytics of one frame: counts by label and class."""

    __slots__ = ()
    _record = AnalyticsFrameMeta
    ocStatus, objInROIcnt = _kept("oc_status", dict), _kept("obj_in_roi_cnt", dict)
    objLCCurrCnt, objLCCumCnt = _kept("obj_lc_curr_cnt", dict), _kept("obj_lc_cum_cnt", dict)
    objCnt = _kept("obj_cnt", dict)
    unique_id = shown("unique_id", whole)
