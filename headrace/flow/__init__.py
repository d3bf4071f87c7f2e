"""Pipelines: elements by name, links, probes, messages."""

from headrace.flow.factory import CommonFactory, probe, register_probe
from headrace.flow.feeders import Feeder
from headrace.flow.messages import (
    DynamicSourceMessage,
    EOSMessage,
    ErrorMessage,
    InfoMessage,
    PipelineState,
    SourceEndedMessage,
    StateTransitionMessage,
    WarningMessage,
)
from headrace.flow.node import Node
from headrace.flow.operators import (
    BatchMetadataOperator,
    BufferObserver,
    BufferOperator,
    BufferProvider,
    BufferRetriever,
    Probe,
)
from headrace.flow.pipeline import Pipeline, ServiceMakerPipeline
from headrace.flow.receivers import Receiver
from headrace.flow.recording import RecordingInfo
from headrace.flow.signals import Emitter, SignalHandler, SourceManager

__all__ = [
    "BatchMetadataOperator",
    "BufferObserver",
    "BufferOperator",
    "BufferProvider",
    "BufferRetriever",
    "CommonFactory",
    "DynamicSourceMessage",
    "EOSMessage",
    "Emitter",
    "ErrorMessage",
    "Feeder",
    "InfoMessage",
    "Node",
    "Pipeline",
    "PipelineState",
    "Probe",
    "Receiver",
    "RecordingInfo",
    "ServiceMakerPipeline",
    "SignalHandler",
    "SourceEndedMessage",
    "SourceManager",
    "StateTransitionMessage",
    "WarningMessage",
    "probe",
    "register_probe",
]
