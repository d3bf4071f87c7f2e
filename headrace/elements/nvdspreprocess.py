"""nvdspreprocess: makes tensors of regions of frames, or of objects, for a model further on.

gst-launch-1.0 ... ! nvdspreprocess config-file=regions.txt ! nvinfer input-tensor-meta=1 config-file-path=model.txt ...
"""

from __future__ import annotations

import dataclasses

from headrace.elements.base.filter import ON_ERROR_HELP, Filter, parse_ids
from headrace.errors import ConfigError
from headrace.frames import Frame
from headrace.frames.tensor import Tensor
from headrace.gst.face import properties_of
from headrace.gst.options import option
from headrace.infer.roi import (
    Picture,
    Placed,
    Prepared,
    PreprocessConfig,
    RegionFinder,
    make_preparation,
    read_preprocess_config,
)
from headrace.meta.batch import Batch, BatchMetadata
from headrace.meta.osd import Color, Rect
from headrace.meta.preprocess import PreprocessBatchUserMetadata, PreprocessTensorMetadata, RoiMetadata

_BORDER = 3


@dataclasses.dataclass(frozen=True)
class PreprocessOptions:
    """Options of nvdspreprocess; those that are set win over the configuration file."""

    config_file: str = option("", "configuration file: regions, sizes, factors")
    enable: bool = option(True, "make tensors; otherwise everything is passed on as it is")
    unique_id: int = option(15, "component id")
    target_unique_ids: str = option("", "models that the tensors are for, 1;2")
    process_on_frame: bool = option(True, "work on frames or their regions rather than on objects")
    operate_on_gie_id: int = option(-1, "on objects: the element that found them, -1 for any", minimum=-1)
    on_error: str = option("stop", ON_ERROR_HELP)
    gpu_id: int = option(0, "GPU", no_effect="tensors are made by the CPU")


class Preprocess(Filter):
    """Face of `headrace.infer.roi`."""

    __gtype_name__ = "HeadracePreprocess"
    factory = "nvdspreprocess"
    options_type = PreprocessOptions
    __gproperties__ = properties_of(PreprocessOptions)
    __gstmetadata__ = (
        "Preprocessing",
        "Filter/Video",
        "Makes tensors of regions of frames for models",
        "Headrace",
    )

    def __init__(self) -> None:
        super().__init__()
        self._set: set[str] = set()

    def option_changed(self, field: str) -> None:
        """Note what the user set."""
        self._set.add(field)

    def start(self) -> None:
        """Read the file and get the function that makes tensors."""
        if not self.options.config_file:
            raise ConfigError("Configuration file not provided: set config-file")
        self._config = self._with_properties(read_preprocess_config(self.options.config_file))
        self._finder = RegionFinder(self._config)
        self._preparation = make_preparation(self._config)

    def _with_properties(self, config: PreprocessConfig) -> PreprocessConfig:
        names = {field.name for field in dataclasses.fields(PreprocessConfig)}
        values = {name: getattr(self.options, name) for name in self._set & names}
        if "target_unique_ids" in values:
            values["target_unique_ids"] = parse_ids(values["target_unique_ids"]) or ()
        return dataclasses.replace(config, **values)

    def process(self, batch: Batch, buffer: int) -> None:
        """Attach the tensors of a batch to it."""
        if not self._config.enable:
            return
        self._draw(batch.meta)
        frames: dict[int, Frame] = {}
        pictures = []
        for region in self._finder.find(batch.meta):
            if region.frame not in frames:
                frames[region.frame] = batch.surfaces[region.frame].frame()
            pictures.append(Picture(frames[region.frame], region))
        for number, prepared in enumerate(self._preparation.prepare(pictures) if pictures else ()):
            batch.meta.append(self._meta(batch.meta, prepared, number))

    def _meta(self, meta: BatchMetadata, prepared: Prepared, number: int) -> PreprocessBatchUserMetadata:
        tensor = PreprocessTensorMetadata(self._config.tensor_name, number, Tensor(prepared.tensor))
        regions = [_roi(meta, placed) for placed in prepared.rows]
        return PreprocessBatchUserMetadata(tensor, self._config.target_unique_ids, regions)

    def _draw(self, meta: BatchMetadata) -> None:
        for group in self._config.groups:
            if not (group.draw_roi and group.process_on_roi):
                continue
            for frame in meta.frames:
                for box in group.regions_of(frame.source_id):
                    display = meta.acquire_display_meta()
                    display.add_rect(Rect(*box, border_width=_BORDER, border_color=Color(*group.roi_color)))
                    frame.append(display)

    def source_event(self, what: str, index: int) -> None:
        """A source that went away takes its sequences along."""
        if what in ("pad-deleted", "stream-eos"):
            self._preparation.forget(index)


def _roi(meta: BatchMetadata, placed: Placed) -> RoiMetadata:
    region, box, placement = placed
    offset = (placement.left, placement.top)
    return RoiMetadata.of_row(meta, region.frame, box, region.row, placement.scale, offset)
