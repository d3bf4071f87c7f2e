"""What the analytics element finds out: per object and per frame (contract §4.5)."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class AnalyticsObjInfo:
    """Analytics of one object; user meta type `MetaType.OBJ_ANALYTICS`.

    Attributes:
        roi_status: Labels of the regions that the object is in.
        oc_status: Labels of the overcrowded regions that the object is in.
        lc_status: Labels of the lines that the object crosses in this frame.
        dir_status: Label of the direction that the object moves in, empty when there is none.
        obj_status: Further remarks on the object.
        unique_id: The element that analysed.

    Example:
        >>> AnalyticsObjInfo(roi_status=["gate"]).roi_status
        ['gate']
    """

    roi_status: list[str] = field(default_factory=list)
    oc_status: list[str] = field(default_factory=list)
    lc_status: list[str] = field(default_factory=list)
    dir_status: str = ""
    obj_status: str = ""
    unique_id: int = 0


@dataclass(slots=True)
class AnalyticsFrameMeta:
    """Analytics of one frame; user meta type `MetaType.FRAME_ANALYTICS`.

    Attributes:
        oc_status: Whether a region is overcrowded, by label.
        obj_in_roi_cnt: Objects in a region now, by label.
        obj_lc_curr_cnt: Objects that cross a line in this frame, by label.
        obj_lc_cum_cnt: Objects that crossed a line since the start, by label.
        obj_cnt: Objects in the frame, by class id.
        unique_id: The element that analysed.

    Example:
        >>> AnalyticsFrameMeta(obj_in_roi_cnt={"gate": 2}, obj_cnt={0: 3}).obj_in_roi_cnt["gate"]
        2
    """

    oc_status: dict[str, bool] = field(default_factory=dict)
    obj_in_roi_cnt: dict[str, int] = field(default_factory=dict)
    obj_lc_curr_cnt: dict[str, int] = field(default_factory=dict)
    obj_lc_cum_cnt: dict[str, int] = field(default_factory=dict)
    obj_cnt: dict[int, int] = field(default_factory=dict)
    unique_id: int = 0
