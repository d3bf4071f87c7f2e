"""Engines run a model file on arrays; one file each, found by discovery."""

from headrace.infer.engines.base import Engine, EngineOptions, ModelGraph, TensorSpec
from headrace.infer.engines.batching import run_batch, run_each
from headrace.infer.engines.registry import available_engines, missing_engines, open_engine

__all__ = [
    "Engine",
    "EngineOptions",
    "ModelGraph",
    "TensorSpec",
    "available_engines",
    "missing_engines",
    "open_engine",
    "run_batch",
    "run_each",
]
