"""Engines run a model file on arrays; one file each, found by discovery."""

from headrace.infer.engines.base import (
    Array,
    Engine,
    EngineKind,
    EngineOptions,
    ModelGraph,
    TensorSpec,
    resize,
)
from headrace.infer.engines.batching import run_batch, run_each, run_slices
from headrace.infer.engines.registry import available_engines, engine_kinds, missing_engines, open_engine

__all__ = [
    "Array",
    "Engine",
    "EngineKind",
    "EngineOptions",
    "ModelGraph",
    "TensorSpec",
    "available_engines",
    "engine_kinds",
    "missing_engines",
    "open_engine",
    "resize",
    "run_batch",
    "run_each",
    "run_slices",
]
