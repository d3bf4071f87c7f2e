"""Headrace: video-analytics pipelines in Python, on GStreamer, with DeepStream's programming model.

Importing the package makes its elements known to GStreamer in this process. Names are loaded when they are first used,
so that a program which needs only a part pays only for that.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

from headrace import unwinding

if TYPE_CHECKING:
    from headrace.errors import (
        BrokerError,
        ConfigError,
        FrameError,
        HeadraceError,
        ModelError,
        PipelineError,
        SourceError,
    )
    from headrace.flow import (
        BatchMetadataOperator,
        BufferObserver,
        BufferOperator,
        BufferProvider,
        BufferRetriever,
        CameraInfo,
        CommonFactory,
        DynamicSourceMessage,
        EOSMessage,
        Feeder,
        Flow,
        MediaType,
        Pipeline,
        PipelineState,
        Probe,
        Receiver,
        RecordConfig,
        RenderMode,
        SensorInfo,
        SourceConfig,
        StateTransitionMessage,
        StreamInfo,
        osd,
        postprocessing,
        probe,
        register_probe,
        signal,
        utils,
    )
    from headrace.frames import Frame
    from headrace.frames.tensor import ColorFormat, Tensor, as_tensor
    from headrace.infer import (
        Classification,
        Classifier,
        Detector,
        Embeddings,
        FrameBatch,
        Instances,
        Keypoints,
        Labels,
        Network,
        Oriented,
        Result,
    )
    from headrace.meta import BatchMetadata, Detections, FrameMetadata, ObjectMetadata
    from headrace.meta.buffer import Buffer

__version__ = "0.1.0"

_HOME = {
    **dict.fromkeys(
        (
            "BrokerError", "ConfigError", "FrameError", "HeadraceError", "ModelError", "PipelineError", "SourceError",
        ),
        "headrace.errors",
    ),
    **dict.fromkeys(
        (
            "BatchMetadataOperator",
            "BufferObserver",
            "BufferOperator",
            "BufferProvider",
            "BufferRetriever",
            "CameraInfo",
            "CommonFactory",
            "DynamicSourceMessage",
            "EOSMessage",
            "Feeder",
            "Flow",
            "MediaType",
            "Pipeline",
            "PipelineState",
            "Probe",
            "Receiver",
            "RecordConfig",
            "RenderMode",
            "SensorInfo",
            "SourceConfig",
            "StateTransitionMessage",
            "StreamInfo",
            "osd",
            "postprocessing",
            "probe",
            "register_probe",
            "signal",
            "utils",
        ),
        "headrace.flow",
    ),
    **dict.fromkeys(
        (
            "Classification", "Classifier", "Detector", "Embeddings", "FrameBatch", "Instances", "Keypoints", "Labels",
            "Network", "Oriented", "Result",
        ),
        "headrace.infer",
    ),
    **dict.fromkeys(("BatchMetadata", "Detections", "FrameMetadata", "ObjectMetadata"), "headrace.meta"),
    **dict.fromkeys(("ColorFormat", "Tensor", "as_tensor"), "headrace.frames.tensor"),
    "Buffer": "headrace.meta.buffer",
    "Frame": "headrace.frames",
}  # fmt: skip

__all__ = [
    "BatchMetadata",
    "BatchMetadataOperator",
    "BrokerError",
    "Buffer",
    "BufferObserver",
    "BufferOperator",
    "BufferProvider",
    "BufferRetriever",
    "CameraInfo",
    "Classification",
    "Classifier",
    "ColorFormat",
    "CommonFactory",
    "ConfigError",
    "Detections",
    "Detector",
    "DynamicSourceMessage",
    "EOSMessage",
    "Embeddings",
    "Feeder",
    "Flow",
    "Frame",
    "FrameBatch",
    "FrameError",
    "FrameMetadata",
    "HeadraceError",
    "Instances",
    "Keypoints",
    "Labels",
    "MediaType",
    "ModelError",
    "Network",
    "ObjectMetadata",
    "Oriented",
    "Pipeline",
    "PipelineError",
    "PipelineState",
    "Probe",
    "Receiver",
    "RecordConfig",
    "RenderMode",
    "Result",
    "SensorInfo",
    "SourceConfig",
    "SourceError",
    "StateTransitionMessage",
    "StreamInfo",
    "Tensor",
    "__version__",
    "as_tensor",
    "osd",
    "postprocessing",
    "probe",
    "register_probe",
    "signal",
    "utils",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'headrace' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def _register() -> None:
    try:
        from headrace.elements import register_all

        register_all()
    except (ImportError, ValueError) as error:
        # Without PyGObject (ImportError) or a typelib (ValueError) models, trackers and scenes still work, and who uses
        # the rest meets the error again; `headrace doctor` says what to install.
        logging.getLogger(__name__).debug("no elements are registered: %s", error, exc_info=True)


unwinding.agree()
_register()
