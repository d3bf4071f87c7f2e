"""``pyservicemaker._pydeepstream``: every class under the name of the native module."""

from headrace.meta import (
    AnalyticsFrameMeta,
    AnalyticsObjInfo,
    AudioFrameMetadata,
    ClassifierMetadata,
    DisplayMetadata,
    EventMessageUserMetadata,
    ObjectReidUserMetadata,
    PreprocessBatchUserMetadata,
    PreprocessTensorMetadata,
    RoiMetadata,
    UserMetadata,
)
from headrace.meta import Label as LabelInfo
from headrace.meta import Segmentation as SegmentationUserMetadata
from headrace.meta import TensorOutput as TensorOutputUserMetadata
from headrace.meta.tracking import (
    Object3DBBoxUserMetadata,
    ObjectConvexHullUserMetadata,
    ObjectImageFootLocationUserMetadata,
    ObjectVisibilityUserMetadata,
    ObjectWorldFootLocationUserMetadata,
    TrackerPastFrameUserMetadata,
)

from . import *  # noqa: F403 - all of them, by definition
from . import __all__ as _package

__all__ = [
    *_package,
    "AnalyticsFrameMeta",
    "AnalyticsObjInfo",
    "AudioFrameMetadata",
    "ClassifierMetadata",
    "DisplayMetadata",
    "EventMessageUserMetadata",
    "LabelInfo",
    "Object3DBBoxUserMetadata",
    "ObjectConvexHullUserMetadata",
    "ObjectImageFootLocationUserMetadata",
    "ObjectReidUserMetadata",
    "ObjectVisibilityUserMetadata",
    "ObjectWorldFootLocationUserMetadata",
    "PreprocessBatchUserMetadata",
    "PreprocessTensorMetadata",
    "RoiMetadata",
    "SegmentationUserMetadata",
    "TensorOutputUserMetadata",
    "TrackerPastFrameUserMetadata",
    "UserMetadata",
]
