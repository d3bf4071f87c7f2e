"""From ``cats.py:Cats`` or ``yolox.onnx`` to a model that is ready."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from headrace.errors import HeadraceError, ModelError
from headrace.infer.engines import Engine, EngineOptions
from headrace.infer.engines.torch_engine import open_module
from headrace.infer.files.file_model import FileModel
from headrace.infer.files.labels import read_labels
from headrace.infer.files.model_file import ModelFile
from headrace.infer.model import Model
from headrace.infer.options import InferOptions
from headrace.usercode import load_name, names_code

_DEFAULTS = InferOptions()


def load_model(spec: str | Path, options: InferOptions = _DEFAULTS) -> Model:
    """Load a model from a file of weights, or a class in a Python file or module.

    The class is a model (`Detector`, `Classifier`, …), or a ``torch.nn.Module`` whose outputs a decoder reads as those
    of a file; an object of one will do too.

    A Python file runs anew at each load, under a module name of its own; its folder is added to the end of
    the import path, so that it can import its neighbours.

    Args:
        spec: ``file.onnx``, a model's URL, ``file.py:Class`` or ``package.module:Class``.
        options: Settings; ``options.model`` is replaced by ``spec``.

    Returns:
        The model, loaded. The caller closes it.

    Raises:
        ModelError: Nothing there, not a model, or an error in the user's code, which is the cause (``from``).
        ConfigError: The labels do not fit.
    """
    text = str(spec)
    options = replace(options, model=text)
    if not text:
        raise ModelError("no model is set; give file.onnx, file.py:Class or package.module:Class")
    if names_code(text):
        return _load_class(text, load_name(text, what="model"), options)
    if text.endswith(".py"):
        raise ModelError(f"model {text} names no class; write {text}:ClassName")
    return _load_file(options)


def _load_file(options: InferOptions, opener: Callable[[EngineOptions], Engine] | None = None) -> FileModel:
    file = ModelFile.open(options, opener)
    try:
        return FileModel(file)
    except BaseException:
        file.engine.close()
        raise


def _load_class(spec: str, kind: object, options: InferOptions) -> Model:
    if _is_network(kind):
        return _load_file(options, lambda how: _network(spec, kind, how))
    if not (isinstance(kind, type) and issubclass(kind, Model)):
        name = spec.rpartition(":")[2]
        raise ModelError(
            f"model {spec}: {name} must be a class derived from headrace.Detector or Classifier, or "
            f"from torch.nn.Module; it is {kind!r}"
        )
    try:
        model: Model = kind()
        _set_labels(spec, model, options)
        model.load(options)
    except HeadraceError:
        raise
    except (Exception, SystemExit) as error:  # the user's code may raise anything
        raise ModelError(f"model {spec} failed to load: {type(error).__name__}: {error}") from error
    return model


def _is_network(thing: object) -> bool:
    """Whether something is a module of torch, or a class of such; torch is not imported for the question."""
    torch = sys.modules.get("torch")
    kind = thing if isinstance(thing, type) else type(thing)
    return torch is not None and issubclass(kind, torch.nn.Module) and not issubclass(kind, Model)


def _network(spec: str, thing: Any, how: EngineOptions) -> Engine:
    try:
        module = thing() if isinstance(thing, type) else thing
    except (Exception, SystemExit) as error:  # the user's code may raise anything
        raise ModelError(f"model {spec} failed to load: {type(error).__name__}: {error}") from error
    return open_module(module, spec, how)


def _set_labels(spec: str, model: Model, options: InferOptions) -> None:
    if options.labels is None:
        return
    given = read_labels(options.labels)
    if model.labels and len(given) != len(model.labels):
        raise ModelError(
            f"the labels given are {len(given)}, but model {spec} has {len(model.labels)} classes; "
            f"give {len(model.labels)} labels or none"
        )
    model.labels = given
