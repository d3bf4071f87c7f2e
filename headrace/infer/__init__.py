"""Inference: frames in, detections out; nothing here knows GStreamer."""

from headrace.infer.batch import FrameBatch
from headrace.infer.inspect import ModelInfo, describe
from headrace.infer.loader import load_model
from headrace.infer.model import Classification, Classifier, Detector, Model, Network, Result
from headrace.infer.nms import class_aware_nms
from headrace.infer.onnx_model import OnnxClassifier, OnnxDetector
from headrace.infer.options import InferOptions
from headrace.infer.preprocess import PreprocessOptions
from headrace.infer.stage import InferStage, IntervalCounter, Region

__all__ = [
    "Classification",
    "Classifier",
    "Detector",
    "FrameBatch",
    "InferOptions",
    "InferStage",
    "IntervalCounter",
    "Model",
    "ModelInfo",
    "Network",
    "OnnxClassifier",
    "OnnxDetector",
    "PreprocessOptions",
    "Region",
    "Result",
    "class_aware_nms",
    "describe",
    "load_model",
]
