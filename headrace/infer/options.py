"""What a user may say about a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from headrace.errors import ConfigError
from headrace.infer.preprocess import PreprocessOptions

NmsMode = Literal["class", "agnostic", "soft", "none"]
NMS_MODES: tuple[NmsMode, ...] = ("class", "agnostic", "soft", "none")


#: What says which results are wanted; the rest belongs to the network.
_THRESHOLDS = (
    "confidence", "class_confidence", "nms", "nms_mode", "least_size", "greatest_size", "max_detections",
    "classes", "batch_size",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class InferOptions:
    """Settings of a model; everything has a default that suits most.

    Attributes:
        model: ``file.onnx``, ``file.py:Class`` or ``package.module:Class``.
        labels: Class names, or a text file with one on each line; otherwise those of the model.
        confidence: Detections below it (0–1) are left out.
        nms: Intersection over union (0–1) above which the weaker of two boxes goes.
        nms_mode: Which boxes suppress each other: those of a ``class``, all (``agnostic``), those of a class by
            lowering their confidence (``soft``), ``none``.
        class_confidence: Class number to a confidence of its own, in place of ``confidence``.
        least_size: Width and height in pixels of the frame that an object must have.
        greatest_size: Width and height that it may have; 0 for any.
        engine: Name of an engine, or ``auto`` for the first installed one that runs the file.
        device: Where it runs: ``auto``, ``cpu``, ``cuda``, ``cuda:1`` and what else an engine knows.
        precision: ``auto``, ``f32``, ``bf16`` or ``f16``.
        decoder: Name of a decoder, or ``auto`` to go by the graph.
        decoder_options: Options of that decoder's own, such as ``anchors``.
        batch_size: Most frames in one call of the model; 0 passes on what comes.
        threads: Threads that the engine computes with, in one run or in several at once; 0 is its own choice.
        mode: ``latency`` for a short time from picture to result, ``throughput`` for many pictures in a second,
            ``auto`` for what suits the source: latency for live ones with few pictures in a batch.
        max_detections: Most objects in a frame, the most confident first.
        classes: Class numbers to keep; ``None`` keeps all.
        preprocess: How frames become input, or only what is to be changed, by attribute of `PreprocessOptions`;
            ``None`` is what the model file says, else what the model family's own code does.
        input_size: Width and height for graphs that leave them open; ignored by others.
        rectangular: Whether the input may be smaller than the file's where that only takes away padding, as for wide
            frames in a square; not if ``input_size`` is given.
        output_tensors: Whether results carry the raw outputs, too.

    Raises:
        ConfigError: A value out of its bounds.

    Example:
        >>> InferOptions(model="yolox_nano.onnx", confidence=0.4).nms
        0.45
    """

    model: str = ""
    labels: str | Path | tuple[str, ...] | None = None
    confidence: float = 0.25
    nms: float = 0.45
    nms_mode: NmsMode = "class"
    class_confidence: Mapping[int, float] = field(default_factory=dict)
    least_size: tuple[float, float] = (0.0, 0.0)
    greatest_size: tuple[float, float] = (0.0, 0.0)
    engine: str = "auto"
    device: str = "auto"
    precision: str = "auto"
    decoder: str = "auto"
    decoder_options: Mapping[str, Any] = field(default_factory=dict)
    batch_size: int = 0
    threads: int = 0
    mode: str = "auto"
    max_detections: int = 300
    classes: tuple[int, ...] | None = None
    preprocess: PreprocessOptions | Mapping[str, Any] | None = None
    input_size: tuple[int, int] | None = None
    rectangular: bool = True
    output_tensors: bool = False

    def adjusted(self, other: InferOptions) -> InferOptions:
        """These options with the thresholds and limits of others: what can change while a model is at work."""
        return replace(self, **{name: getattr(other, name) for name in _THRESHOLDS})

    def __post_init__(self) -> None:
        for name in ("confidence", "nms"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ConfigError(f"{name} is {value}; use 0 to 1")
        if self.nms_mode not in NMS_MODES:
            raise ConfigError(f"nms_mode is {self.nms_mode!r}; use one of {', '.join(NMS_MODES)}")
        for number, value in self.class_confidence.items():
            if number < 0 or not 0 <= value <= 1:
                raise ConfigError(
                    f"class_confidence of class {number} is {value}; use classes from 0 and 0 to 1"
                )
        for name, least in (("batch_size", 0), ("threads", 0), ("max_detections", 1)):
            value = getattr(self, name)
            if value < least:
                raise ConfigError(f"{name} is {value}; use {least} or more")
        if self.input_size is not None and min(self.input_size) < 1:
            raise ConfigError(f"input_size is {self.input_size}; use positive pixels for width and height")


def parse_size(text: str, where: str) -> tuple[int, int] | None:
    """Width and height from ``640x384``; ``None`` for no text.

    Raises:
        ConfigError: It cannot be read.

    Example:
        >>> parse_size("640x384", "input-size")
        (640, 384)
    """
    if not text:
        return None
    width, _, height = text.partition("x")
    if not (width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise ConfigError(f"{where} {text!r} is no size; write width and height, such as 640x384")
    return int(width), int(height)


def parse_decoder_options(text: str) -> dict[str, Any]:
    """Options of a decoder from a YAML mapping on a line; none for no text.

    Raises:
        ConfigError: It is none.

    Example:
        >>> parse_decoder_options("{keypoints: [17, 3]}")
        {'keypoints': [17, 3]}
    """
    import yaml  # here, as hardly anyone needs it: it takes a while to import

    try:
        values = yaml.safe_load(text) if text else {}
    except yaml.YAMLError as error:
        raise ConfigError(
            f"decoder-options {text!r} cannot be read: {' '.join(str(error).split())}"
        ) from error
    if not isinstance(values, dict):
        raise ConfigError(
            f"decoder-options {text!r} is no mapping; write for example {{order: 'class,score'}}"
        )
    return {str(key): value for key, value in values.items()}
