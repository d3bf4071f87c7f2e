"""Pipelines: elements by name, links, probes, messages."""

from headrace.flow.messages import (
    EOSMessage,
    ErrorMessage,
    PipelineState,
    SourceEndedMessage,
    StateTransitionMessage,
    WarningMessage,
)
from headrace.flow.node import Node
from headrace.flow.operators import BatchMetadataOperator, BufferOperator, Probe
from headrace.flow.pipeline import Pipeline

__all__ = [
    "BatchMetadataOperator",
    "BufferOperator",
    "EOSMessage",
    "ErrorMessage",
    "Node",
    "Pipeline",
    "PipelineState",
    "Probe",
    "SourceEndedMessage",
    "StateTransitionMessage",
    "WarningMessage",
]
