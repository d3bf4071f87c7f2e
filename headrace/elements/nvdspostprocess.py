"""nvdspostprocess: reads raw outputs of models that hang on the metadata, and writes what they say.

gst-launch-1.0 ... ! nvinfer config-file-path=tensors.txt ! nvdspostprocess postprocesslib-config-file=post.yml ! ...
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

from headrace.elements.base.filter import ON_ERROR_HELP, Filter
from headrace.elements.inference.results import ResultSettings, Target, write_result
from headrace.errors import ConfigError
from headrace.gst.face import properties_of
from headrace.gst.options import option
from headrace.infer.postprocess import TensorReader, read_postprocess_config
from headrace.infer.result import Result
from headrace.meta.batch import Batch, BatchMetadata
from headrace.meta.osd import Rect
from headrace.meta.outputs import TensorOutput
from headrace.meta.preprocess import PreprocessBatchUserMetadata
from headrace.meta.user import UserMetadata


@dataclasses.dataclass(frozen=True)
class PostprocessOptions:
    """Options of nvdspostprocess."""

    postprocesslib_config_file: str = option("", "configuration file: whose outputs, and how to read them")
    postprocesslib_name: str = option("", "Python file with the parse functions that the file names")
    preprocessor_support: bool = option(False, "read outputs that hang on regions of nvdspreprocess, too")
    on_error: str = option("stop", ON_ERROR_HELP)
    gpu_id: int = option(0, "GPU", no_effect="outputs are read by the CPU")


class _Place(NamedTuple):
    """Where raw outputs hang: the metas, the box that the model saw, and what the outputs speak of."""

    metas: list[UserMetadata]
    box: Rect
    target: Target


class Postprocess(Filter):
    """Face of `headrace.infer.postprocess`."""

    __gtype_name__ = "HeadracePostprocess"
    factory = "nvdspostprocess"
    options_type = PostprocessOptions
    __gproperties__ = properties_of(PostprocessOptions)
    __gstmetadata__ = (
        "Postprocessing",
        "Filter/Video",
        "Makes objects and labels of models' raw outputs",
        "Headrace",
    )

    def start(self) -> None:
        """Read the file."""
        path = self.options.postprocesslib_config_file
        if not path:
            raise ConfigError("Configuration file not provided: set postprocesslib-config-file")
        config = self._config = read_postprocess_config(path, self.options.postprocesslib_name)
        network = config.network
        self._reader = TensorReader(network)
        self._settings = ResultSettings(
            network.gie_unique_id, network.attributes, network.crop_objects_to_roi_boundary,
            network.filter_out_class_ids or None, network.classifier_type, network.segmentation_threshold,
        )  # fmt: skip

    def process(self, batch: Batch, buffer: int) -> None:
        """Read the outputs of the model and write what they say."""
        for place in list(self._places(batch.meta)):
            for meta in [meta for meta in place.metas if self._is_wanted(meta)]:
                result = self._reader.read(meta.data, (place.box.width, place.box.height))
                self._write(batch, place, result)
                if self._config.release:
                    place.metas.remove(meta)

    def _is_wanted(self, meta: UserMetadata) -> bool:
        return isinstance(meta.data, TensorOutput) and meta.data.unique_id == self._settings.unique_id

    def _places(self, meta: BatchMetadata) -> Iterator[_Place]:
        for index, frame in enumerate(meta.frames):
            box = Rect(0, 0, frame.pipeline_width, frame.pipeline_height)
            yield _Place(frame.user, box, Target(index))
        table, classes = meta.objects, self._config.network.operate_on_class_ids
        for row in table.attached().tolist():
            if row in table.user and (not classes or table.cell("class_id", row) in classes):
                box = Rect(*table.cell("rect", row).tolist())
                yield _Place(table.user[row], box, Target(int(table.cell("frame", row)), row))
        if self._config.regions or self.options.preprocessor_support:
            for item in meta.user:
                for region in item.regions if isinstance(item, PreprocessBatchUserMetadata) else ():
                    target = Target(region.frame_meta.batch_id, region.row, region)
                    yield _Place(region.user, region.roi, target)

    def _write(self, batch: Batch, place: _Place, result: Result) -> None:
        if result.detections is not None:
            moved = result.detections.mapped(offset=(place.box.left, place.box.top))
            result = dataclasses.replace(result, detections=moved)
        write_result(batch, place.target, result, self._settings)
