"""Opening a model's file: its engine, its graph, and what lies beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from headrace.infer.engines import Engine, EngineOptions, ModelGraph, open_engine
from headrace.infer.files.labels import choose_labels, labels_in_metadata, read_labels
from headrace.infer.files.sidecar import with_sidecar
from headrace.infer.options import InferOptions


@dataclass(frozen=True, slots=True)
class ModelFile:
    """An opened model file.

    Attributes:
        engine: What runs it.
        graph: Tensors and metadata, with the number of labels where there are some.
        options: What the user set, completed by the file beside the model.
        given: Class names from the user.
        stored: Class names from the file; not looked at where the user gives some.

    Example:
        >>> ModelFile.open(InferOptions(model="missing.onnx"))
        Traceback (most recent call last):
        headrace.errors.ModelError: model file missing.onnx does not exist; check the path
    """

    engine: Engine
    graph: ModelGraph
    options: InferOptions
    given: tuple[str, ...] | None
    stored: tuple[str, ...] | None

    @classmethod
    def open(
        cls, options: InferOptions, opener: Callable[[EngineOptions], Engine] | None = None
    ) -> ModelFile:
        """Open the file that ``options.model`` names.

        Args:
            options: What the user set.
            opener: Makes the engine, for models that are no files.

        Raises:
            ModelError: The file is missing or broken.
            ConfigError: The labels given, or the file beside the model, cannot be read.
        """
        options = with_sidecar(options)
        given = None if options.labels is None else read_labels(options.labels)
        how = EngineOptions(
            options.threads, options.device, options.precision, options.input_size, mode=options.mode
        )
        engine = open_engine(options.model, options.engine, how) if opener is None else opener(how)
        try:
            graph = engine.graph
            stored = None if given else labels_in_metadata(dict(graph.metadata), graph.path)
        except BaseException:
            engine.close()
            raise
        known = given or stored
        graph = replace(graph, class_count=None if known is None else len(known))
        return cls(engine, graph, options, given, stored)

    def labels(self, classes: int | None, usual: tuple[str, ...] = ()) -> tuple[str, ...]:
        """One name for each class, ``usual`` where neither user nor file names them; errors as for `choose_labels`."""
        known = usual if classes in (None, len(usual)) else ()
        return choose_labels(self.given, self.stored or known or None, classes, self.graph.path)
