"""What the analytics elements find out: per object and per frame (contract §4.5), events and ways."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


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


@dataclass(frozen=True, slots=True)
class AnalyticsEvent:
    """Something that happened, as a rule saw it; user meta type `MetaType.ANALYTICS_EVENT` of its frame.

    Attributes:
        type: What happened: ``enter``, ``exit``, ``cross``, ``dwell``, ``crowd``, ...
        rule: Name of the rule.
        site: Name of the place, as the configuration says.
        source_id: Source of the frame.
        frame_number: Frame in which it was noticed.
        time: Seconds of the stream.
        object_id: Track that it happened to; ``None`` for what concerns the frame.
        class_id: The object's class, -1 without an object.
        label: Its name.
        bbox: The object's box left, top, right, bottom in pixels of the frame, rounded to tenths.
        data: What else is known, plain data: ``zone``, ``line``, ``seconds``, ``count``, ...

    Example:
        >>> event = AnalyticsEvent("cross", "door", "", 0, 31, 1.0, 7, data={"line": "door"})
        >>> event.id == AnalyticsEvent("cross", "door", "", 0, 31, 1.0, 7, data={"line": "door"}).id
        True
        >>> event.to_dict()["line"]
        'door'
    """

    type: str
    rule: str
    site: str
    source_id: int
    frame_number: int
    time: float
    object_id: int | None = None
    class_id: int = -1
    label: str = ""
    bbox: tuple[float, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The same for the same event each time that a recording is played: made from what it says, not from chance."""
        what = (self.site, self.source_id, self.rule, self.type, self.object_id, self.frame_number)
        more = [(key, self.data[key]) for key in ("zone", "line", "direction", "other") if key in self.data]
        digest = hashlib.blake2b(repr((*what, more)).encode(), digest_size=16).digest()
        return str(uuid.UUID(bytes=digest, version=5))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for messages: the members of ``data`` beside the others, no empty ones."""
        own = {
            "id": self.id, "type": self.type, "rule": self.rule, "site": self.site, "source": self.source_id,
            "frame": self.frame_number, "time": round(self.time, 3),
        }  # fmt: skip
        thing: dict[str, Any] = {}
        if self.object_id is not None:
            thing = {"object": str(self.object_id), "class": self.class_id, "label": self.label}
            thing["bbox"] = list(self.bbox)
        return {key: value for key, value in {**own, **thing, **self.data}.items() if value not in ("", [])}


@dataclass(frozen=True, slots=True)
class Trajectories:
    """Where the objects of a frame have been; user meta type `MetaType.TRAJECTORIES` of the frame.

    Attributes:
        object_id: ``(n,)`` uint64.
        points: ``(n, k, 2)`` float32 pixels, the latest last; NaN from before an object was there.
        ground: The same in metres on the ground, where it is calibrated.
        interval: Seconds from one point to the next.
    """

    object_id: NDArray[np.uint64]
    points: NDArray[np.float32]
    ground: NDArray[np.float32] | None
    interval: float
