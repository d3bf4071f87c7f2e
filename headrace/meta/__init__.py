"""The metadata contract: columnar tables, row views, pools."""

from headrace.meta import osd
from headrace.meta.analytics import AnalyticsFrameMeta, AnalyticsObjInfo
from headrace.meta.audio import AudioFrameMetadata
from headrace.meta.batch import Batch, BatchMetadata, SourceItems
from headrace.meta.detections import Detections
from headrace.meta.display import DisplayMetadata
from headrace.meta.event import EventMessage
from headrace.meta.event_meta import EventMessageUserMetadata
from headrace.meta.frame import FrameMetadata
from headrace.meta.object import ObjectMetadata
from headrace.meta.objects import UNTRACKED, ObjectTable
from headrace.meta.outputs import Segmentation, TensorOutput
from headrace.meta.preprocess import PreprocessBatchUserMetadata, PreprocessTensorMetadata, RoiMetadata
from headrace.meta.regions import RegionsOfInterest
from headrace.meta.skeleton import COCO_EDGES, COCO_NAMES, Skeleton
from headrace.meta.tracking import TargetBatch, TargetFrame, TargetObject, TargetStream
from headrace.meta.user import ClassifierMetadata, Label, MetaType, ObjectReidUserMetadata, UserMetadata

__all__ = [
    "COCO_EDGES",
    "COCO_NAMES",
    "UNTRACKED",
    "AnalyticsFrameMeta",
    "AnalyticsObjInfo",
    "AudioFrameMetadata",
    "Batch",
    "BatchMetadata",
    "ClassifierMetadata",
    "Detections",
    "DisplayMetadata",
    "EventMessage",
    "EventMessageUserMetadata",
    "FrameMetadata",
    "Label",
    "MetaType",
    "ObjectMetadata",
    "ObjectReidUserMetadata",
    "ObjectTable",
    "PreprocessBatchUserMetadata",
    "PreprocessTensorMetadata",
    "RegionsOfInterest",
    "RoiMetadata",
    "Segmentation",
    "Skeleton",
    "SourceItems",
    "TargetBatch",
    "TargetFrame",
    "TargetObject",
    "TargetStream",
    "TensorOutput",
    "UserMetadata",
    "osd",
]
