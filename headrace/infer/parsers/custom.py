"""Parsers that users write in Python: found by their name, called, and their results checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from numpy.typing import NDArray

from headrace.errors import ModelError
from headrace.infer.parsers.results import as_detections, as_labels, as_segmentation
from headrace.meta import Detections, Label, Segmentation
from headrace.usercode import load_name

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NetworkInfo:
    """The network's input, in pixels.

    Example:
        >>> NetworkInfo(640, 384).channels
        3
    """

    width: int
    height: int
    channels: int = 3


@dataclass(frozen=True, slots=True)
class ParseParams:
    """What a parser needs to know from the configuration.

    Attributes:
        num_classes: Number of classes.
        thresholds: Least confidence of each class before clustering; for classifiers and segmentation one number.
        labels: Names of the classes, perhaps empty; for classifiers one tuple for each output layer.

    Example:
        >>> ParseParams(2, (0.4, 0.2)).thresholds[1]
        0.2
    """

    num_classes: int
    thresholds: tuple[float, ...]
    labels: tuple[Any, ...] = ()


Layers = Mapping[str, NDArray[Any]]
Parser = Callable[[Layers, NetworkInfo, ParseParams], Detections]
ClassifierParser = Callable[[Layers, NetworkInfo, ParseParams], list[Label]]
SegmentationParser = Callable[[Layers, NetworkInfo, ParseParams], Segmentation]


def load_parser(spec: str, base: str | Path | None = None) -> Parser:
    """A detector's parser written in Python: ``parse-bbox-func-name`` in a ``custom-lib-path``.

    The function is called with the layers of one frame or object ``{name: array}`` (without batch axis, read
    only), a `NetworkInfo` and a `ParseParams`. It returns boxes in pixels of the network's input:

    - a `Detections`, or
    - rows ``[class_id, confidence, left, top, right, bottom]``, as lists or one array ``(n, 6)``, or
    - objects with ``classId``, ``left``, ``top``, ``width``, ``height`` and ``detectionConfidence``; those with a
      ``mask`` as well (``(h, w)``, or flat with ``mask_height`` and ``mask_width``) give instance masks.

    Args:
        spec: ``file.py:function`` or ``package.module:function``.
        base: Folder that a relative file starts from, that of the configuration.

    Returns:
        The function; what it returns is checked and made `Detections`. An exception in it, or a result of
        another kind, is a ModelError that names it.

    Raises:
        ModelError: No such function, or it is in a C library.
    """
    return _Custom(spec, base, as_detections)


def load_classifier_parser(spec: str, base: str | Path | None = None) -> ClassifierParser:
    """A classifier's parser written in Python: ``parse-classifier-func-name``; see `load_parser`.

    The function returns a list of `Label`, of names, of pairs ``(name, probability)``, or of objects with
    ``attributeIndex``, ``attributeValue``, ``attributeConfidence`` and ``attributeLabel``.

    Raises:
        ModelError: No such function, or it is in a C library.
    """
    return _Custom(spec, base, as_labels)


def load_segmentation_parser(spec: str, base: str | Path | None = None) -> SegmentationParser:
    """A segmentation parser written in Python: ``parse-segmentation-func-name``; see `load_parser`.

    The function returns a `Segmentation`, a class map ``(h, w)`` of integers, or a pair of such a map and
    probabilities ``(h, w, classes)``.

    Raises:
        ModelError: No such function, or it is in a C library.
    """
    return _Custom(spec, base, as_segmentation)


class _Custom(Generic[T]):
    """A user's function whose results are checked."""

    def __init__(self, spec: str, base: str | Path | None, read: Callable[[Any], T]) -> None:
        self._spec = spec
        self._read = read
        self._function = _find(spec, base)

    def __call__(self, outputs: Layers, network: NetworkInfo, params: ParseParams) -> T:
        try:
            result = self._function(outputs, network, params)
        except Exception as error:
            raise ModelError(f"parser {self._spec} failed: {type(error).__name__}: {error}") from error
        try:
            return self._read(result)
        except (TypeError, ValueError, AttributeError) as error:
            raise ModelError(f"parser {self._spec} returned what it may not: {error}") from error


def _find(spec: str, base: str | Path | None) -> Callable[..., Any]:
    place, _, name = spec.rpartition(":")
    if ".so" in Path(place).suffixes:
        raise ModelError(
            f"parser {name} is in the C library {place}, which cannot run here. Write it in Python: a file "
            f"parsers.py with\n    def {name}(outputs, network, params):\n        ...  # outputs: layer name to array\n"
            "        return [[class_id, confidence, left, top, right, bottom], ...]  # network pixels\n"
            f"and set custom-lib-path=parsers.py, parse function {name}"
        )
    function = load_name(spec, base, "parser")
    if not callable(function):
        raise ModelError(f"parser {spec}: {name} must be a function; it is {function!r}")
    return function  # type: ignore[no-any-return]
