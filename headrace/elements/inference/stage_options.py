"""Options of hrinfer that say where and when its model works."""

from __future__ import annotations

import dataclasses
from typing import Literal, cast

from headrace.elements.base.filter import parse_ids
from headrace.elements.inference.results import ResultSettings
from headrace.elements.inference.settings import InferenceSettings
from headrace.errors import ConfigError
from headrace.gst.options import option, property_name
from headrace.infer.options import parse_size
from headrace.infer.targets.continuation import SKIPPED_FRAMES, SkippedFrames
from headrace.infer.targets.merging import MergeMetric, MergeMode, MergeOptions
from headrace.infer.targets.regions import Regions
from headrace.infer.targets.tiles import TileOptions

_OBJECTS = "in mode 2: "
#: Options that only a primary model has.
_OF_FRAMES = ("regions", "gate")
#: Options that only a secondary model has.
_OF_OBJECTS = ("reinfer_interval", "asynchronous")


@dataclasses.dataclass(frozen=True)
class StageOptions:
    """Where and when a model works."""

    process_mode: int = option(1, "1: frames, 2: objects found upstream", minimum=1, maximum=2)
    regions: str = option(
        "", "where to look, source:left,top,width,height;… in pixels or fractions; FILE.yaml; meta"
    )
    tile_size: str = option("", "look at overlapping tiles, such as 640x640")
    tile_overlap: float = option(
        0.2, "share of a tile that its neighbour shows too", minimum=0.0, maximum=0.9
    )
    tile_whole: bool = option(True, "look at the whole picture, too, for what is larger than a tile")
    merge: str = option("nmm", "objects seen in several regions or tiles: nmm (join), nms (best), none (all)")
    merge_metric: str = option("ios", "how overlap is measured then: ios (over the smaller), iou")
    merge_threshold: float = option(0.5, "overlap from which on they are one", minimum=0.0, maximum=1.0)
    interval: int = option(0, "batches skipped after each inference")
    gate: str = option("", "motion: skip frames of a source in which nothing moves")
    gate_threshold: float = option(0.0005, "share of the picture that must change", minimum=0.0, maximum=1.0)
    gate_hold: int = option(5, "frames that still go through after the last motion")
    skipped_frames: str = option(
        "empty", "objects of skipped frames: empty, hold (the last ones), predict (moved on)"
    )
    operate_on_gie_id: int = option(-1, f"{_OBJECTS}only objects of this component; -1: of any", minimum=-1)
    operate_on_class_ids: str = option("", f"{_OBJECTS}only objects of these classes, such as 0;2")
    input_object_min_width: int = option(1, f"{_OBJECTS}least width of an object")
    input_object_min_height: int = option(1, f"{_OBJECTS}least height of an object")
    input_object_max_width: int = option(0, f"{_OBJECTS}greatest width of an object; 0: any")
    input_object_max_height: int = option(0, f"{_OBJECTS}greatest height of an object; 0: any")
    reinfer_interval: int = option(
        -1, f"{_OBJECTS}frames after which a tracked object is looked at again; -1: in each frame", minimum=-1
    )
    asynchronous: bool = option(False, f"{_OBJECTS}only tracked objects, and no batch waits for them")
    unique_id: int = option(1, "component id written into the metadata")
    filter_out_class_ids: str = option("", "classes that are left out, such as 0;2")
    shared_model: str = option("", "name; elements with the same name have one loaded model")
    output_tensor_meta: bool = option(False, "attach the raw outputs, too")


def inference_settings(options: StageOptions) -> InferenceSettings:
    """Where a model works, from properties.

    Raises:
        ConfigError: A text that cannot be read, or options that exclude each other.
    """
    secondary = options.process_mode == 2
    _check_mode(options, secondary)
    tile = parse_size(options.tile_size, "tile-size")
    reinfer = max(options.reinfer_interval, 0) if options.asynchronous else options.reinfer_interval
    return InferenceSettings(
        results=ResultSettings(
            options.unique_id, filter_out_classes=parse_ids(options.filter_out_class_ids)
        ),
        secondary=secondary,
        interval=options.interval,
        regions=Regions.parse(options.regions) if options.regions else None,
        tiles=TileOptions(tile, options.tile_overlap, options.tile_whole) if tile else None,
        merge=MergeOptions(
            cast(MergeMode, options.merge), cast(MergeMetric, options.merge_metric), options.merge_threshold
        ),
        gate=_gate(options),
        skipped_frames=_skipped_frames(options.skipped_frames),
        operate_on_component=options.operate_on_gie_id,
        operate_on_classes=parse_ids(options.operate_on_class_ids),
        least_size=(max(options.input_object_min_width, 1), max(options.input_object_min_height, 1)),
        greatest_size=(options.input_object_max_width, options.input_object_max_height),
        reinfer_interval=None if reinfer < 0 else reinfer,
        asynchronous=options.asynchronous,
    )  # fmt: skip


def _check_mode(options: StageOptions, secondary: bool) -> None:
    defaults = StageOptions()
    mode: Literal[1, 2] = 1 if secondary else 2
    for field in _OF_FRAMES if secondary else _OF_OBJECTS:
        value = getattr(options, field)
        if value != getattr(defaults, field):
            raise ConfigError(
                f"{property_name(field)}={value} works with process-mode={mode} only; set that, or leave it out"
            )


def _gate(options: StageOptions) -> tuple[float, int] | None:
    if options.gate not in ("", "motion"):
        raise ConfigError(f"gate={options.gate!r} is not known; use motion, or leave it out")
    return (options.gate_threshold, options.gate_hold) if options.gate else None


def _skipped_frames(text: str) -> SkippedFrames:
    if text not in SKIPPED_FRAMES:
        raise ConfigError(f"skipped-frames={text!r} is not known; use one of {', '.join(SKIPPED_FRAMES)}")
    return text
