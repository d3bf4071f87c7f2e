"""A detector of the shape of YOLO11n with random weights, as an ONNX file and as a torch module."""

from headrace.bench.yolo.graph import yolo_onnx
from headrace.bench.yolo.module import yolo_module

__all__ = ["yolo_module", "yolo_onnx"]
