"""The module ``pyservicemaker`` on Headrace, for programs and plugins that import it by this name.

Names are loaded when they are first used: programs import this before they fork.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.0.1"

__all__ = [
    "BatchMetadata",
    "BatchMetadataOperator",
    "Buffer",
    "BufferObserver",
    "BufferOperator",
    "BufferProvider",
    "BufferRetriever",
    "CameraInfo",
    "ColorFormat",
    "CommonFactory",
    "DynamicSourceMessage",
    "EOSMessage",
    "Feeder",
    "Flow",
    "FrameMetadata",
    "MediaType",
    "ObjectMetadata",
    "Pipeline",
    "PipelineState",
    "Probe",
    "Receiver",
    "RecordConfig",
    "RenderMode",
    "SensorInfo",
    "SourceConfig",
    "StateTransitionMessage",
    "Tensor",
    "as_tensor",
    "osd",
    "postprocessing",
    "probe",
    "register_probe",
    "signal",
    "utils",
]
