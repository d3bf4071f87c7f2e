"""Optical flow, and objects seen by a 360-degree camera (pyds, §2.4)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.compat.pyds.enums import ROI_STATUS_360D
from headrace.compat.pyds.fields import EnumField, PointerField, Struct, TextField, number_field, whole_field
from headrace.compat.pyds.handles import Capsule
from headrace.meta.optical_flow import OpticalFlow


class NvOFFlowVector(Struct):
    """Motion of one block, in quarters of a pixel."""

    __slots__ = ()
    flowx, flowy = whole_field(), whole_field()


class NvDsOpticalFlowMeta(Struct):
    """Motion of all blocks of a frame, as nvof finds it (`headrace.meta.optical_flow`).

    ``data`` holds ``(rows, cols, 2)`` floats: an array in a capsule.
    """

    __slots__ = ()
    rows, cols, mv_size, frame_num = (whole_field() for _ in range(4))
    data: Any = PointerField()
    priv: Any = PointerField()
    reserved: Any = PointerField()

    @classmethod
    def _seen_in(cls, thing: Any) -> NvDsOpticalFlowMeta | None:
        if not isinstance(thing, OpticalFlow):
            return None
        meta = cls()
        meta.rows, meta.cols, meta.frame_num = thing.rows, thing.cols, thing.frame_number
        meta.mv_size, meta.data = thing.vectors.itemsize * 2, Capsule(thing.vectors)
        return meta


def get_optical_flow_vectors(data: Any) -> NDArray[np.float32]:
    """The vectors one after the other, ``rows * cols * 2`` float32.

    Raises:
        ValueError: The meta holds another number of them.
    """
    flow = NvDsOpticalFlowMeta.cast(data)
    found = flow._values.get("data")
    vectors = np.ascontiguousarray(() if found is None else found, np.float32).reshape(-1)
    if vectors.size != flow.rows * flow.cols * 2:
        raise ValueError(f"the meta holds {vectors.size} numbers for {flow.rows} x {flow.cols} vectors")
    return vectors


class RectDim(Struct):
    """An object seen by a 360-degree camera."""

    __slots__ = ()
    left, top, width, height = (number_field() for _ in range(4))
    class_id, tracking_id, gie_unique_id = (whole_field() for _ in range(3))
    roi_status: Any = EnumField(ROI_STATUS_360D)
    text: Any = TextField()
