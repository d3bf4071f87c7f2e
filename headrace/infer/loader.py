"""From ``cats.py:Cats`` or ``yolox.onnx`` to a model that is ready."""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from headrace.errors import HeadraceError, ModelError
from headrace.infer.labels import read_labels
from headrace.infer.model import Classifier, Detector
from headrace.infer.onnx_model import CLASSIFIER, ModelFile, OnnxClassifier, OnnxDetector, is_classifier
from headrace.infer.options import InferOptions

_DEFAULTS = InferOptions()
_serial = itertools.count(1)


def load_model(spec: str | Path, options: InferOptions = _DEFAULTS) -> Detector | Classifier:
    """Load a model from a file of weights, or a class in a Python file or module.

    A Python file runs anew at each load, under a module name of its own; its folder is added to the end of
    the import path, so that it can import its neighbours.

    Args:
        spec: ``file.onnx``, ``file.py:Class`` or ``package.module:Class``.
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
    place, colon, class_name = text.rpartition(":")
    if colon and class_name.isidentifier():
        return _load_class(text, import_code(place), class_name, options)
    if text.endswith(".py"):
        raise ModelError(f"model {text} names no class; write {text}:ClassName")
    return _load_file(options)


def _load_file(options: InferOptions) -> Detector | Classifier:
    file = ModelFile(options)
    if options.decoder == CLASSIFIER or is_classifier(file.graph, options.decoder):
        classifier = OnnxClassifier()
        classifier.attach(file, options)
        return classifier
    detector = OnnxDetector()
    detector.attach(file, options)
    return detector


def _load_class(spec: str, module: ModuleType, name: str, options: InferOptions) -> Detector | Classifier:
    kind = getattr(module, name, None)
    if not (isinstance(kind, type) and issubclass(kind, Detector | Classifier)):
        what = "there is no such name" if kind is None else f"it is {kind!r}"
        raise ModelError(
            f"model {spec}: {name} must be a class derived from headrace.Detector or Classifier; {what}"
        )
    try:
        model: Detector | Classifier = kind()
        _set_labels(spec, model, options)
        model.load(options)
    except HeadraceError:
        raise
    except (Exception, SystemExit) as error:  # the user's code may raise anything
        raise ModelError(f"model {spec} failed to load: {type(error).__name__}: {error}") from error
    return model


def _set_labels(spec: str, model: Detector | Classifier, options: InferOptions) -> None:
    if options.labels is None:
        return
    given = read_labels(options.labels)
    if model.labels and len(given) != len(model.labels):
        raise ModelError(
            f"the labels given are {len(given)}, but model {spec} has {len(model.labels)} classes; "
            f"give {len(model.labels)} labels or none"
        )
    model.labels = given


def import_code(place: str) -> ModuleType:
    """A user's code: a ``file.py``, run anew under a name of its own, or a module on the import path.

    Raises:
        ModelError: There is no such file or module, or it failed; the user's error is the cause.
    """
    try:
        return _import_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
    except HeadraceError:
        raise
    except (Exception, SystemExit) as error:  # the user's code may raise anything
        raise ModelError(
            f"model code {place} failed while it was imported: {type(error).__name__}: {error}"
        ) from error


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ModelError(f"model file {path} does not exist; check the path")
    name = f"headrace_model_{path.stem}_{next(_serial)}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ModelError(f"model file {path} cannot be imported as Python")
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
