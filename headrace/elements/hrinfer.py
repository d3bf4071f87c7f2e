"""hrinfer: runs a model on the frames of a batch, or on the objects in them.

gst-launch-1.0 nvstreammux name=m ! hrinfer model=yolox_nano.onnx confidence=0.3 ! nvtracker ! ...
gst-launch-1.0 nvstreammux name=m ! hrinfer model=cats.py:Cats ! ...
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar, cast

from gi.repository import GObject, Gst

from headrace.elements.base.batch_size import ask_batch_size
from headrace.elements.base.filter import ON_ERROR_HELP
from headrace.elements.inference.model_filter import ModelFilter
from headrace.elements.inference.model_slot import COURTESY
from headrace.elements.inference.running import Inference
from headrace.elements.inference.settings import InferenceSettings
from headrace.elements.inference.shadowing import Shadowed
from headrace.elements.inference.shared_slot import open_slot
from headrace.elements.inference.stage_options import StageOptions, inference_settings
from headrace.elements.inference.swapping import SIGNALS
from headrace.errors import ConfigError
from headrace.gst.face import properties_of
from headrace.gst.options import option, with_value
from headrace.infer import InferOptions, load_model
from headrace.infer.model import Model
from headrace.infer.options import NmsMode, parse_decoder_options, parse_size
from headrace.infer.preprocess import parse_preprocess


@dataclasses.dataclass(frozen=True)
class InferElementOptions(StageOptions):
    """Options of hrinfer."""

    model: str = option(
        "",
        "file.onnx, URL of a server's model, file.py:Class or package.module:Class; while playing: load it and go on "
        "with it",
    )
    labels: str = option("", "text file with a class name on each line; empty: those of the model")
    confidence: float = option(0.25, "detections below it are left out", minimum=0.0, maximum=1.0)
    nms: float = option(0.45, "overlap above which the weaker of two boxes goes", minimum=0.0, maximum=1.0)
    nms_mode: str = option(
        "class", "boxes that suppress each other: of a class, agnostic, soft (confidence falls), none"
    )
    class_confidence: str = option("", "confidence of single classes, such as 0=0.5;2=0.3")
    min_object_size: str = option("", "width and height that an object must have, such as 16x16")
    max_object_size: str = option("", "width and height that it may have, such as 800x0; 0: any")
    engine: str = option("auto", "what runs the file")
    device: str = option("auto", "where it runs: auto, cpu, cuda, cuda:1")
    precision: str = option("auto", "auto, f32, bf16 or f16")
    decoder: str = option("auto", "model family, for the meaning of the outputs")
    decoder_options: str = option("", "options of that family's own, such as {order: 'class,score'}")
    input_size: str = option("", "width and height for models that leave them open, such as 640x384")
    rectangular: bool = option(
        True,
        "a smaller input where that only takes away padding, such as 640x384 for wide frames; false: the file's size",
    )
    preprocess: str = option("", "what to change in the family's own, such as color=BGR scale=1/255")
    batch_size: int = option(
        0, "most pictures in one call of the model; 0: what comes, 4 of tiles", maximum=1024
    )
    threads: int = option(0, "threads of the engine; 0: its own choice")
    mode: str = option("auto", "latency (soon), throughput (many at once), auto: latency for few live frames")
    max_detections: int = option(300, "most objects in a frame", minimum=1)
    shadow: str = option("", "a model that runs on the same batches to be compared, and changes nothing")
    shadow_interval: float = option(10.0, "seconds between its reports on the bus", minimum=0.1)
    shadow_report: str = option("", "how far it agrees with the model so far, JSON", read_only=True)
    on_error: str = option("stop", ON_ERROR_HELP)


#: Tiles in one call of the model if nothing else is said: all of a batch could take gigabytes.
_TILES = 4
#: Objects or parts of frames that a model is made ready for if nothing else is said.
_PARTS = 16
#: Options that belong to a model: they take effect with the model that is set next. The others do so at once.
_WITH_MODEL = (
    "labels", "engine", "device", "precision", "decoder", "decoder_options", "input_size", "rectangular",
    "preprocess", "threads", "mode",
)  # fmt: skip


#: Options that say where the model works: nothing changes for the model, which others may share.
_OF_STAGE = {field.name for field in dataclasses.fields(StageOptions)} - {"output_tensor_meta", "tile_size"}


def infer_options(options: InferElementOptions) -> InferOptions:
    """A model's settings from the element's properties.

    Raises:
        ConfigError: A text that cannot be read, or a value out of its bounds.
    """
    return InferOptions(
        model=options.model, labels=options.labels or None, confidence=options.confidence, nms=options.nms,
        nms_mode=cast(NmsMode, options.nms_mode), class_confidence=_class_confidence(options.class_confidence),
        least_size=parse_size(options.min_object_size, "min-object-size") or (0, 0),
        greatest_size=parse_size(options.max_object_size, "max-object-size") or (0, 0),
        engine=options.engine, device=options.device, precision=options.precision, decoder=options.decoder,
        batch_size=options.batch_size or (_TILES if options.tile_size else 0),
        threads=options.threads, mode=options.mode, max_detections=options.max_detections,
        input_size=parse_size(options.input_size, "input-size"), rectangular=options.rectangular,
        decoder_options=parse_decoder_options(options.decoder_options),
        preprocess=parse_preprocess(options.preprocess) or None, output_tensors=options.output_tensor_meta,
    )  # fmt: skip


def _class_confidence(text: str) -> dict[int, float]:
    try:
        pairs = [word.split("=") for word in text.replace(";", " ").split()]
        return {int(number): float(value) for number, value in pairs}
    except ValueError as error:
        raise ConfigError(
            f"class-confidence {text!r} cannot be read; write for example 0=0.5;2=0.3"
        ) from error


class Infer(Shadowed, ModelFilter):
    """Face of inference: two batches are in flight, results come in order."""

    __gtype_name__ = "HeadraceInfer"
    factory = "hrinfer"
    options_type = InferElementOptions
    __gproperties__ = properties_of(InferElementOptions)
    __gsignals__: ClassVar[dict[str, Any]] = SIGNALS
    __gstmetadata__ = (
        "Inference",
        "Filter/Analyzer/Video",
        "Runs a model and writes what it finds",
        "Headrace",
    )

    def start(self) -> None:
        """Load the model."""
        options = self.options
        if not options.model:
            raise ConfigError("no model: set model=file.onnx or model=file.py:Class")
        settings, self._used = inference_settings(options), options
        model_options = infer_options(options)
        slot, release = open_slot(model_options, options.shared_model)
        slot.told = self.guarded(self.post_warning)
        try:
            slot.warm(*self._expected(settings, model_options.batch_size))
        except BaseException:
            release()
            raise
        self.inference = Inference(slot, settings, release)
        self.begin_shadow()
        super().start()

    def _expected(self, settings: InferenceSettings, most: int) -> tuple[int, bool]:
        """The greatest number of pictures in a call of the model, and whether they are whole frames."""
        if settings.secondary or settings.regions is not None or settings.tiles is not None:
            return most or _PARTS, False
        frames = ask_batch_size(self.sink_pad)
        return min(frames or most or 1, most or frames or 1), True

    def do_get_property(self, spec: GObject.ParamSpec) -> Any:
        """GObject vmethod."""
        return self.shadow_report() if spec.name == "shadow-report" else super().do_get_property(spec)

    def announce_source(self, event: Gst.Event) -> None:
        """Events pass in their place among the batches; at the last, what was compared is told."""
        super().announce_source(event)
        if event.type == Gst.EventType.EOS:
            self.tell_shadow()

    def option_changed(self, field: str) -> None:
        """What is set while playing takes effect at once, but for what belongs to a model."""
        inference = self.inference
        if field == self.model_field:
            self.model_set()
        elif field.startswith("shadow"):
            self.shadow_changed()
        elif inference is not None and field not in _WITH_MODEL:
            try:
                settings, options = inference_settings(self.options), infer_options(self.options)
            except ConfigError as error:  # a slip of the hand does not end a pipeline that plays
                self.options = with_value(self.options, field, getattr(self._used, field))
                self.post_warning(f"{error}; the value before stays")
                return
            inference.settings = settings
            if field not in _OF_STAGE:
                inference.slot.adjust(options)
            self._used = with_value(self.options, self.model_field, self._used.model)

    @property
    def at_work(self) -> str:
        """The model at work; the property may tell one that is being loaded."""
        return str(self._used.model)

    def shadow_options(self) -> InferOptions:
        """Options of the candidate: those of the model."""
        return infer_options(self.options)

    def loader(self, model: str) -> Callable[[], Model]:
        """A function that loads a model with the options that are set now."""
        settings = infer_options(self.options)
        return lambda: load_model(model, settings)

    def model_told(self, model: str, error: BaseException | None) -> None:
        """The property tells the model at work when the one that was set cannot be used."""
        if error is None:
            self._used = with_value(self._used, self.model_field, model)
        elif self.options.model == model:
            self.keep_model(self._used.model)

    def stop(self) -> None:
        """Free the model."""
        super().stop()
        self.end_shadow(COURTESY)
        inference, self.inference = self.inference, None
        if inference is not None:
            inference.close()
