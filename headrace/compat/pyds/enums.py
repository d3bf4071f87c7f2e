"""Enumerations of the contract (pyds, §3): compare with integers, are not made of plain integers by assignment."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, TypeVar

_Enum = TypeVar("_Enum", bound="CEnum")


class CEnum(IntEnum):
    """An enumeration as C has it: any integer can be made one, known or not.

    Example:
        >>> NvDsMetaType(9) is NvDsMetaType.NVDS_EVENT_MSG_META, int(NvDsMetaType(8200))
        (True, 8200)
    """

    @classmethod
    def _missing_(cls, value: object) -> Any:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_, member._value_ = "???", value
        return member

    def __str__(self) -> str:
        return f"{type(self).__name__}.{self._name_}"


def enum_value(kind: type[_Enum], value: Any, field: str) -> _Enum:
    """A value for a field of an enumerated type.

    Raises:
        TypeError: It is a plain integer or of another enumeration.
    """
    if not isinstance(value, kind):
        raise TypeError(f"{field} takes a {kind.__name__}, not {value!r}; write pyds.{kind.__name__}(...)")
    return value


_FORCE32 = 0x7FFFFFFF


class NvDsMetaType(CEnum):
    """Kinds of metadata."""

    NVDS_INVALID_META = -1
    NVDS_BATCH_META = 1
    NVDS_FRAME_META = 2
    NVDS_OBJ_META = 3
    NVDS_DISPLAY_META = 4
    NVDS_CLASSIFIER_META = 5
    NVDS_LABEL_INFO_META = 6
    NVDS_USER_META = 7
    NVDS_PAYLOAD_META = 8
    NVDS_EVENT_MSG_META = 9
    NVDS_OPTICAL_FLOW_META = 10
    NVDS_LATENCY_MEASUREMENT_META = 11
    NVDSINFER_TENSOR_OUTPUT_META = 12
    NVDSINFER_SEGMENTATION_META = 13
    NVDS_CROP_IMAGE_META = 14
    NVDS_TRACKER_PAST_FRAME_META = 15
    NVDS_TRACKER_BATCH_REID_META = 16
    NVDS_TRACKER_OBJ_REID_META = 17
    NVDS_TRACKER_TERMINATED_LIST_META = 18
    NVDS_TRACKER_SHADOW_LIST_META = 19
    NVDS_OBJ_VISIBILITY = 20
    NVDS_OBJ_IMAGE_FOOT_LOCATION = 21
    NVDS_OBJ_WORLD_FOOT_LOCATION = 22
    NVDS_OBJ_IMAGE_CONVEX_HULL = 23
    NVDS_OBJ_3D_META = 24
    NVDS_AUDIO_BATCH_META = 25
    NVDS_AUDIO_FRAME_META = 26
    NVDS_PREPROCESS_FRAME_META = 27
    NVDS_PREPROCESS_BATCH_META = 28
    NVDS_CUSTOM_MSG_BLOB = 29
    NVDS_ROI_META = 30
    NVDS_SPARSE4D_META = 31
    NVDS_FRAME_NVDSANALYTICS_META = 32
    NVDS_OBJ_NVDSANALYTICS_META = 33
    NVDS_RESERVED_META = 4095
    NVDS_GST_CUSTOM_META = 4096
    NVDS_START_USER_META = 8193
    NVDS_FORCE32_META = _FORCE32


class GstNvDsMetaType(CEnum):
    """Kinds of metadata on a GstBuffer."""

    NVDS_GST_INVALID_META = -1
    NVDS_BATCH_GST_META = 4097
    NVDS_DECODER_GST_META = 4098
    NVDS_DEWARPER_GST_META = 4099
    NVDS_RESERVED_GST_META = 8192
    NVDS_GST_META_FORCE32 = _FORCE32


class NvDsEventType(CEnum):
    """What happened."""

    NVDS_EVENT_ENTRY = 0
    NVDS_EVENT_EXIT = 1
    NVDS_EVENT_MOVING = 2
    NVDS_EVENT_STOPPED = 3
    NVDS_EVENT_EMPTY = 4
    NVDS_EVENT_PARKED = 5
    NVDS_EVENT_RESET = 6
    NVDS_EVENT_RESERVED = 0x100
    NVDS_EVENT_CUSTOM = 0x101
    NVDS_EVENT_FORCE32 = _FORCE32


class NvDsObjectType(CEnum):
    """What it happened to."""

    NVDS_OBJECT_TYPE_VEHICLE = 0
    NVDS_OBJECT_TYPE_PERSON = 1
    NVDS_OBJECT_TYPE_FACE = 2
    NVDS_OBJECT_TYPE_BAG = 3
    NVDS_OBJECT_TYPE_BICYCLE = 4
    NVDS_OBJECT_TYPE_ROADSIGN = 5
    NVDS_OBJECT_TYPE_VEHICLE_EXT = 6
    NVDS_OBJECT_TYPE_PERSON_EXT = 7
    NVDS_OBJECT_TYPE_FACE_EXT = 8
    NVDS_OBJECT_TYPE_3D = 9
    NVDS_OBJECT_TYPE_DUMMY = 10
    NVDS_OBJECT_TYPE_PRODUCT = 11
    NVDS_OBJECT_TYPE_PRODUCT_EXT = 12
    NVDS_OBJECT_TYPE_RESERVED = 0x100
    NVDS_OBJECT_TYPE_CUSTOM = 0x101
    NVDS_OBJECT_TYPE_UNKNOWN = 0x102
    NVDS_OBEJCT_TYPE_FORCE32 = _FORCE32  # the contract's spelling


class NvDsPayloadType(CEnum):
    """Schemas of messages."""

    NVDS_PAYLOAD_DEEPSTREAM = 0
    NVDS_PAYLOAD_DEEPSTREAM_MINIMAL = 1
    NVDS_PAYLOAD_DEEPSTREAM_PROTOBUF = 2
    NVDS_PAYLOAD_RESERVED = 0x100
    NVDS_PAYLOAD_CUSTOM = 0x101
    NVDS_PAYLOAD_FORCE32 = _FORCE32


class NvBufSurfaceMemType(CEnum):
    """Kinds of memory."""

    NVBUF_MEM_DEFAULT = 0
    NVBUF_MEM_CUDA_PINNED = 1
    NVBUF_MEM_CUDA_DEVICE = 2
    NVBUF_MEM_CUDA_UNIFIED = 3
    NVBUF_MEM_SURFACE_ARRAY = 4
    NVBUF_MEM_HANDLE = 5
    NVBUF_MEM_SYSTEM = 6


class NvBufSurfaceLayout(CEnum):
    """How pixels lie in memory."""

    NVBUF_LAYOUT_PITCH = 0
    NVBUF_LAYOUT_BLOCK_LINEAR = 1


class NvBufSurfaceMemMapFlags(CEnum):
    """What a mapping is for."""

    NVBUF_MAP_READ = 0
    NVBUF_MAP_WRITE = 1
    NVBUF_MAP_READ_WRITE = 2


_COLOR_FORMATS = (
    "INVALID GRAY8 YUV420 YVU420 YUV420_ER YVU420_ER NV12 NV12_ER NV21 NV21_ER UYVY UYVY_ER VYUY VYUY_ER YUYV YUYV_ER "
    "YVYU YVYU_ER YUV444 RGBA BGRA ARGB ABGR RGBx BGRx xRGB xBGR RGB BGR NV12_10LE NV12_12LE YUV420_709 YUV420_709_ER "
    "NV12_709 NV12_709_ER YUV420_2020 NV12_2020 NV12_10LE_ER NV12_10LE_709 NV12_10LE_709_ER NV12_10LE_2020 "
    "SIGNED_R16G16 LAST"
)
_make: Any = CEnum
NvBufSurfaceColorFormat: Any = _make(
    "NvBufSurfaceColorFormat",
    {f"NVBUF_COLOR_FORMAT_{name}": value for value, name in enumerate(_COLOR_FORMATS.split())},
)


class NvDsInferDataType(CEnum):
    """Types of a tensor's elements."""

    FLOAT = 0
    HALF = 1
    INT8 = 2
    INT32 = 3


class NvOSD_Mode(CEnum):
    """What draws."""

    MODE_CPU = 0
    MODE_GPU = 1
    MODE_NONE = 2


class NvOSD_Arrow_Head_Direction(CEnum):
    """Which end of an arrow carries the head."""

    START_HEAD = 0
    END_HEAD = 1
    BOTH_HEAD = 2


class ROI_STATUS_360D(CEnum):
    """Where an object is, seen by a 360-degree camera."""

    ROI_ENTRY_360D = 0
    ROI_EXIT_360D = 1
    INSIDE_AISLE_360D = 2


#: All enumerations; their members are names of the module too.
ENUMS: tuple[type[CEnum], ...] = (
    NvDsMetaType,
    GstNvDsMetaType,
    NvDsEventType,
    NvDsObjectType,
    NvDsPayloadType,
    NvBufSurfaceMemType,
    NvBufSurfaceLayout,
    NvBufSurfaceMemMapFlags,
    NvBufSurfaceColorFormat,
    NvDsInferDataType,
    NvOSD_Mode,
    NvOSD_Arrow_Head_Direction,
    ROI_STATUS_360D,
)

MEMBERS: dict[str, CEnum] = {name: member for kind in ENUMS for name, member in kind.__members__.items()}
