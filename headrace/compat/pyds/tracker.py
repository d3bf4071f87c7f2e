"""What trackers tell beyond boxes: objects of past frames, re-identification vectors (pyds, §2.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.compat.pyds.fields import number, shown, text, unsigned, whole
from headrace.compat.pyds.handles import Handle
from headrace.compat.pyds.osd import NvOSD_RectParams
from headrace.meta.osd import Rect
from headrace.meta.tracking import TargetBatch, TargetFrame, TargetObject, TargetStream


class _Record(Handle):
    """A handle on one of the tracker's records."""

    __slots__ = ("_p",)
    _record: type[Any]

    def __init__(self, record: Any = None) -> None:
        self._p = self._blank() if record is None else record

    @classmethod
    def _blank(cls) -> Any:
        return cls._record()

    @classmethod
    def _seen_in(cls, thing: Any) -> Any:
        return cls(thing) if isinstance(thing, cls._record) else None

    def _stored(self) -> Any:
        return self._p


def _length(attribute: str) -> Any:
    """Number of records in a list; counted, so that writing it changes nothing."""
    return property(lambda self: len(getattr(self._p, attribute)), lambda _self, value: None)


class NvDsTargetMiscDataFrame(_Record):
    """Where an object was in one frame."""

    __slots__ = ()
    _record = TargetFrame

    @classmethod
    def _blank(cls) -> TargetFrame:
        return TargetFrame(0, (0.0, 0.0, 0.0, 0.0))

    frameNum, age = shown("frame_num", unsigned), shown("age", unsigned)
    confidence = shown("confidence", number)

    @property
    def tBbox(self) -> NvOSD_RectParams:
        """The box in pixels; assign a whole one to change it."""
        return NvOSD_RectParams(Rect(*self._p.box))

    @tBbox.setter
    def tBbox(self, value: NvOSD_RectParams) -> None:
        box = NvOSD_RectParams.cast(value)
        self._p.box = (box.left, box.top, box.width, box.height)


class NvDsTargetMiscDataObject(_Record):
    """One object in several frames."""

    __slots__ = ()
    _record = TargetObject

    @classmethod
    def _blank(cls) -> TargetObject:
        return TargetObject(0)

    numObj = _length("frames")
    uniqueId, classId = shown("unique_id", unsigned), shown("class_id", whole)
    objLabel = shown("label", text)

    @staticmethod
    def list(obj: Any) -> Iterator[NvDsTargetMiscDataFrame]:
        """The frames, oldest first."""
        return iter(
            [NvDsTargetMiscDataFrame(frame) for frame in NvDsTargetMiscDataObject.cast(obj)._p.frames]
        )


class NvDsTargetMiscDataStream(_Record):
    """The objects of one source."""

    __slots__ = ()
    _record = TargetStream

    @classmethod
    def _blank(cls) -> TargetStream:
        return TargetStream(0)

    streamID, surfaceStreamID = shown("stream_id", unsigned), shown("surface_stream_id", unsigned)
    numAllocated = numFilled = _length("objects")

    @staticmethod
    def list(stream: Any) -> Iterator[NvDsTargetMiscDataObject]:
        """The objects."""
        return iter(
            [NvDsTargetMiscDataObject(found) for found in NvDsTargetMiscDataStream.cast(stream)._p.objects]
        )


class NvDsTargetMiscDataBatch(_Record):
    """Objects of past frames by source; the data of `NVDS_TRACKER_PAST_FRAME_META` and its kin."""

    __slots__ = ()
    _record = TargetBatch
    numAllocated = numFilled = _length("streams")

    @staticmethod
    def list(batch: Any) -> Iterator[NvDsTargetMiscDataStream]:
        """The sources."""
        return iter(
            [NvDsTargetMiscDataStream(stream) for stream in NvDsTargetMiscDataBatch.cast(batch)._p.streams]
        )


class NvDsObjReid(Handle):
    """The vector by which a tracker knows an object again."""

    __slots__ = ("_vector",)

    def __init__(self, vector: NDArray[np.float32] | None = None) -> None:
        self._vector = np.empty(0, np.float32) if vector is None else vector

    @classmethod
    def _seen_in(cls, thing: Any) -> NvDsObjReid | None:
        return cls(thing) if isinstance(thing, np.ndarray) and thing.ndim == 1 else None

    def _stored(self) -> NDArray[np.float32]:
        return self._vector

    @property
    def featureSize(self) -> int:
        """Number of elements."""
        return int(self._vector.size)

    def get_host_reid_vector(self) -> NDArray[np.float32]:
        """The vector, float32, a view."""
        return self._vector
