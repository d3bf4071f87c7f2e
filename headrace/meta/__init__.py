"""The metadata contract: columnar tables, row views, pools."""

from headrace.meta import osd
from headrace.meta.batch import Batch, BatchMetadata, SourceItems
from headrace.meta.detections import Detections
from headrace.meta.display import DisplayMetadata
from headrace.meta.frame import FrameMetadata
from headrace.meta.object import ObjectMetadata
from headrace.meta.objects import UNTRACKED, ObjectTable
from headrace.meta.preprocess import PreprocessBatchUserMetadata, PreprocessTensorMetadata, RoiMetadata
from headrace.meta.user import ClassifierMetadata, Label, MetaType, Segmentation, TensorOutput, UserMetadata

__all__ = [
    "UNTRACKED",
    "Batch",
    "BatchMetadata",
    "ClassifierMetadata",
    "Detections",
    "DisplayMetadata",
    "FrameMetadata",
    "Label",
    "MetaType",
    "ObjectMetadata",
    "ObjectTable",
    "PreprocessBatchUserMetadata",
    "PreprocessTensorMetadata",
    "RoiMetadata",
    "Segmentation",
    "SourceItems",
    "TensorOutput",
    "UserMetadata",
    "osd",
]
