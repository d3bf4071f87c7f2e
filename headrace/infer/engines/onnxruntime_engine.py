"""ONNX Runtime on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from headrace.errors import ModelError
from headrace.infer.engines.base import Engine, EngineOptions, ModelGraph, TensorSpec

_DTYPES = {"float": "float32", "double": "float64"}
_ERRORS_ONLY = 3  # onnxruntime's log level; its warnings on stderr are about the exporter, not about the run


class OnnxRuntimeEngine:
    """A session of ONNX Runtime with the CPU provider; may be run from several threads at once.

    Args:
        path: An ``.onnx`` file.
        options: Number of threads.

    Raises:
        ModelError: The file is no model that this version of ONNX Runtime can load.

    Example:
        >>> OnnxRuntimeEngine.name
        'onnxruntime'
    """

    name = "onnxruntime"

    def __init__(self, path: Path, options: EngineOptions) -> None:
        settings = onnxruntime.SessionOptions()
        settings.log_severity_level = _ERRORS_ONLY
        settings.intra_op_num_threads = options.threads
        settings.inter_op_num_threads = 1
        # Threads that wait for work by spinning take the processor from decoders, encoder and other sources: with
        # YOLOX-nano on four cores half of all CPU time, for not a frame more per second.
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), sess_options=settings, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # the library has no common base class for its errors
            raise ModelError(
                f"model file {path} cannot be loaded by onnxruntime {onnxruntime.__version__}: {error}; "
                "copy the file again, or export it again for this version"
            ) from error
        self.graph = ModelGraph(
            str(path),
            tuple(_spec(node) for node in self._session.get_inputs()),
            tuple(_spec(node) for node in self._session.get_outputs()),
            dict(self._session.get_modelmeta().custom_metadata_map),
        )

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run the model once; see `Engine.run`."""
        session = self._session
        if session is None:
            raise ModelError(f"model {self.graph.path} is closed; load it again")
        names = [spec.name for spec in self.graph.outputs]
        try:
            results = session.run(names, dict(inputs))
        except Exception as error:  # as above
            given = ", ".join(f"{name} {array.dtype}{list(array.shape)}" for name, array in inputs.items())
            wanted = ", ".join(map(str, self.graph.inputs))
            raise ModelError(f"{self.graph.path} failed on {given} (it takes {wanted}): {error}") from error
        return {name: np.asarray(result) for name, result in zip(names, results, strict=True)}

    def close(self) -> None:
        """Let the session go; runs that are under way finish first."""
        self._session = None


class _Factory:
    name = OnnxRuntimeEngine.name
    suffixes = (".onnx", ".ort")

    def __call__(self, path: Path, options: EngineOptions) -> Engine:
        return OnnxRuntimeEngine(path, options)


ENGINE = _Factory()


def _spec(node: Any) -> TensorSpec:
    shape = tuple(size if isinstance(size, int) and size > 0 else None for size in node.shape or ())
    kind = str(node.type).removeprefix("tensor(").removesuffix(")")
    return TensorSpec(node.name, shape, _DTYPES.get(kind, kind))
