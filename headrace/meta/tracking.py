"""What trackers tell beyond boxes: objects of past frames, and where an object stands in space.

The records say what lies in `UserMetadata.data`; the views read it under the names that programs use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from headrace.meta.user import MetaType, UserMetadata


@dataclass(slots=True)
class TargetFrame:
    """Where an object was in one frame.

    Attributes:
        frame_num: Number of the frame in its source.
        box: Left, top, width, height in pixels.
        confidence: The tracker's, 0-1.
        age: Frames since the object was first seen.
        tracker_state: The tracker's own number for the state of the track.
        visibility: Share of the object that can be seen, 0-1.
        world_foot_location: Where it stands, in metres of the ground plane.
    """

    frame_num: int
    box: tuple[float, float, float, float]
    confidence: float = 0.0
    age: int = 0
    tracker_state: int = 0
    visibility: float = 0.0
    world_foot_location: tuple[float, float] = (0.0, 0.0)


@dataclass(slots=True)
class TargetObject:
    """One object in several frames; ``unique_id`` is its track."""

    unique_id: int
    class_id: int = 0
    label: str = ""
    frames: list[TargetFrame] = field(default_factory=list)


@dataclass(slots=True)
class TargetStream:
    """The objects of one source; ``stream_id`` is its id, ``surface_stream_id`` that of its last frame."""

    stream_id: int
    surface_stream_id: int = 0
    objects: list[TargetObject] = field(default_factory=list)


@dataclass(slots=True)
class TargetBatch:
    """Objects of past frames by source, a user meta of the batch.

    Goes with `MetaType.TRACKER_PAST_FRAME`, `MetaType.TRACKER_TERMINATED_LIST` or
    `MetaType.TRACKER_SHADOW_LIST` (contract: pyds, ``NvDsTargetMiscDataBatch``).

    Example:
        >>> seen = TargetFrame(7, (10.0, 20.0, 30.0, 40.0), 0.9, 3)
        >>> past = TargetBatch([TargetStream(0, 0, [TargetObject(41, 2, "person", [seen])])])
        >>> past.streams[0].objects[0].frames[0].box
        (10.0, 20.0, 30.0, 40.0)
    """

    streams: list[TargetStream] = field(default_factory=list)


class _View:
    """A user meta read as one kind; false when it is of another."""

    __slots__ = ("_data",)
    _types: tuple[int, ...] = ()

    def __init__(self, meta: UserMetadata) -> None:
        self._data: Any = meta.data if meta.meta_type in self._types else None

    def __bool__(self) -> bool:
        return self._data is not None


class TrackerPastFrameUserMetadata(_View):
    """Objects of past frames (contract §4.5, ``TrackerPastFrame``).

    Example:
        >>> past = TargetBatch([TargetStream(3, 3, [TargetObject(41, label="car")])])
        >>> view = TrackerPastFrameUserMetadata(UserMetadata(MetaType.TRACKER_PAST_FRAME, past))
        >>> view.past_frame_data
        [{'stream_id': 3, 'objects': [{'unique_id': 41, 'label': 'car', 'frames': []}]}]
    """

    __slots__ = ()
    _types = (
        MetaType.TRACKER_PAST_FRAME, MetaType.TRACKER_TERMINATED_LIST, MetaType.TRACKER_SHADOW_LIST,
    )  # fmt: skip

    @property
    def past_frame_data(self) -> list[dict[str, Any]]:
        """Streams, their objects and frames as plain data; boxes are left, top, width, height in pixels."""
        streams = self._data.streams if self else ()
        return [
            {"stream_id": stream.stream_id, "objects": [_object_dict(target) for target in stream.objects]}
            for stream in streams
        ]


def _object_dict(target: TargetObject) -> dict[str, Any]:
    frames = [_frame_dict(frame) for frame in target.frames]
    return {"unique_id": target.unique_id, "label": target.label, "frames": frames}


def _frame_dict(frame: TargetFrame) -> dict[str, Any]:
    data = asdict(frame)
    data["bbox"] = dict(zip(("left", "top", "width", "height"), data.pop("box"), strict=True))
    return data


class ObjectVisibilityUserMetadata(_View):
    """How much of an object can be seen (contract §4.5); the meta's data is a float in 0-1."""

    __slots__ = ()
    _types = (MetaType.OBJ_VISIBILITY,)

    @property
    def visibility(self) -> float:
        """Share of the object, 0-1."""
        return float(self._data) if self else 0.0


class _Place(_View):
    __slots__ = ()

    def _place(self) -> dict[str, float]:
        x, y = self._data if self else (0.0, 0.0)
        return {"x": float(x), "y": float(y)}


class ObjectImageFootLocationUserMetadata(_Place):
    """Where an object stands in the picture (contract §4.5); the meta's data is ``(x, y)`` in pixels."""

    __slots__ = ()
    _types = (MetaType.OBJ_IMAGE_FOOT_LOCATION,)

    @property
    def image_foot_location(self) -> dict[str, float]:
        """The place as ``x`` and ``y`` in pixels."""
        return self._place()


class ObjectWorldFootLocationUserMetadata(_Place):
    """Where an object stands on the ground plane (contract §4.5); the meta's data is ``(x, y)``."""

    __slots__ = ()
    _types = (MetaType.OBJ_WORLD_FOOT_LOCATION,)

    @property
    def world_foot_location(self) -> dict[str, float]:
        """The place as ``x`` and ``y`` in the plane's units."""
        return self._place()


class ObjectConvexHullUserMetadata(_View):
    """Outline of an object in the picture (contract §4.5); the meta's data is points ``(n, 2)``."""

    __slots__ = ()
    _types = (MetaType.OBJ_CONVEX_HULL,)

    @property
    def convex_hull(self) -> list[tuple[float, float]]:
        """The corners in pixels."""
        return [(x, y) for x, y in self._data] if self else []


class Object3DBBoxUserMetadata(_View):
    """A box in space (contract §4.5); the meta's data is a mapping of the twelve names below to numbers."""

    __slots__ = ()
    _types = (MetaType.OBJ_3D_BBOX,)

    @property
    def bbox_3d(self) -> dict[str, float]:
        """``x``, ``y``, ``z`` each with ``_centre``, ``_len``, ``_rot`` and ``_vel``; empty when there is none."""
        data: Mapping[str, float] = self._data or {}
        return dict(data)
