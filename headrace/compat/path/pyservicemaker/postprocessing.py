"""``pyservicemaker.postprocessing``: conversion of raw outputs in user code."""

from headrace.flow.postprocessing import ObjectDetectorOutputConverter, PostProcessing

__all__ = ["ObjectDetectorOutputConverter", "PostProcessing"]
