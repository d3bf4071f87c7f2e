"""Inference: frames in, detections out; nothing here knows GStreamer."""

from headrace.infer.batch import FrameBatch
from headrace.infer.files.file_model import FileModel
from headrace.infer.files.inspect import ModelInfo, describe
from headrace.infer.loader import load_model
from headrace.infer.model import Classification, Classifier, Detector, Model, Network
from headrace.infer.nms import class_aware_nms
from headrace.infer.objects import Instances, Keypoints, Oriented
from headrace.infer.options import InferOptions
from headrace.infer.pictures import Embeddings, Labels
from headrace.infer.preprocess import PreprocessOptions
from headrace.infer.result import Result
from headrace.infer.slices import Region
from headrace.infer.stage import InferStage, IntervalCounter

__all__ = [
    "Classification",
    "Classifier",
    "Detector",
    "Embeddings",
    "FileModel",
    "FrameBatch",
    "InferOptions",
    "InferStage",
    "Instances",
    "IntervalCounter",
    "Keypoints",
    "Labels",
    "Model",
    "ModelInfo",
    "Network",
    "Oriented",
    "PreprocessOptions",
    "Region",
    "Result",
    "class_aware_nms",
    "describe",
    "load_model",
]
