"""The module ``pyservicemaker`` on Headrace, for programs and plugins that import it by this name."""

from headrace import (
    BatchMetadata,
    BatchMetadataOperator,
    Buffer,
    BufferOperator,
    EOSMessage,
    FrameMetadata,
    ObjectMetadata,
    PipelineState,
    Probe,
    Tensor,
    as_tensor,
    osd,
)
from headrace.flow import ServiceMakerPipeline as Pipeline
from headrace.flow import StateTransitionMessage

__version__ = "0.0.1"

__all__ = [
    "BatchMetadata",
    "BatchMetadataOperator",
    "Buffer",
    "BufferOperator",
    "EOSMessage",
    "FrameMetadata",
    "ObjectMetadata",
    "Pipeline",
    "PipelineState",
    "Probe",
    "StateTransitionMessage",
    "Tensor",
    "as_tensor",
    "osd",
]
