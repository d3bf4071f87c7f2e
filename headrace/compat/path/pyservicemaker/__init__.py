"""The module ``pyservicemaker`` on Headrace, for programs and plugins that import it by this name."""

from headrace import (
    BatchMetadata,
    BatchMetadataOperator,
    Buffer,
    BufferObserver,
    BufferOperator,
    BufferProvider,
    BufferRetriever,
    CameraInfo,
    ColorFormat,
    CommonFactory,
    DynamicSourceMessage,
    EOSMessage,
    Feeder,
    Flow,
    FrameMetadata,
    MediaType,
    ObjectMetadata,
    PipelineState,
    Probe,
    Receiver,
    RecordConfig,
    RenderMode,
    SensorInfo,
    SourceConfig,
    StateTransitionMessage,
    Tensor,
    as_tensor,
    osd,
    probe,
    register_probe,
    signal,
)
from headrace.compat import redirect
from headrace.flow import ServiceMakerPipeline as Pipeline

# Modules of this package, so that ``from pyservicemaker import utils`` and ``import pyservicemaker.utils`` give one.
from . import postprocessing, utils

# Here rather than at the program's start only, so that child processes have it too.
redirect.install()

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
