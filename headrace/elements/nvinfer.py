"""nvinfer: runs a model on frames or objects as a DeepStream configuration file says.

gst-launch-1.0 ... nvstreammux name=m ! nvinfer config-file-path=pgie.txt ! nvtracker ! nvdsosd ! ...
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

from headrace.elements.base.filter import ON_ERROR_HELP
from headrace.elements.inference.configured import ConfiguredInfer
from headrace.elements.inference.swapping import SIGNALS, Swappable
from headrace.errors import ModelError
from headrace.gst.face import properties_of
from headrace.gst.options import option
from headrace.infer.model import Model
from headrace.infer.nvinfer import NvInferConfig, NvInferNetwork, checked, read_config

_FILE = "; otherwise that of the file"
_POINTER = "a C function; use output-tensor-meta"
_TENSORRT = "TensorRT is not used"


@dataclasses.dataclass(frozen=True)
class NvInferOptions:
    """Options of nvinfer."""

    config_file_path: str = option("", "configuration file, key file or YAML")
    unique_id: int = option(15, f"component id written into the metadata{_FILE}")
    process_mode: int = option(1, f"1: frames, 2: objects found upstream{_FILE}", minimum=1, maximum=2)
    batch_size: int = option(1, f"most frames or objects in one run{_FILE}", minimum=1, maximum=1024)
    interval: int = option(0, f"batches skipped after each inference{_FILE}")
    infer_on_gie_id: int = option(-1, f"in mode 2: only objects of this component{_FILE}", minimum=-1)
    infer_on_class_ids: str = option("", f"in mode 2: only objects of these classes, such as 0:2{_FILE}")
    filter_out_class_ids: str = option("", f"classes that are left out, such as 0;2{_FILE}")
    model_engine_file: str = option(
        "",
        "engine, whose ONNX file beside it is used, or an ONNX file; while playing: load it and go on with it",
    )
    output_tensor_meta: bool = option(False, f"attach the raw outputs{_FILE}")
    output_instance_mask: bool = option(False, f"attach instance masks{_FILE}")
    input_tensor_meta: bool = option(False, f"take the tensors of nvdspreprocess{_FILE}")
    clip_object_outside_roi: bool = option(True, "cut objects at the region that nvdspreprocess took")
    crop_objects_to_roi_boundary: bool = option(
        False, f"cut objects at roi offsets instead of dropping{_FILE}"
    )
    raw_output_file_write: bool = option(False, f"write the raw outputs into files{_FILE}")
    raw_output_generated_callback: int = option(0, "called with outputs", kind="uint64", no_effect=_POINTER)
    raw_output_generated_userdata: int = option(0, "passed to it", kind="uint64", no_effect=_POINTER)
    gpu_id: int = option(0, "GPU", no_effect="models run on the CPU")
    strongly_typed: bool = option(False, "engine of the graph's own types", no_effect=_TENSORRT)
    dynamic_properties: str = option("", "options of the engine", no_effect=_TENSORRT)
    on_error: str = option("stop", ON_ERROR_HELP)


class NvInfer(Swappable, ConfiguredInfer):
    """Face of models that nvinfer's files configure."""

    __gtype_name__ = "HeadraceNvInfer"
    model_field = "model_engine_file"
    factory = "nvinfer"
    options_type = NvInferOptions
    __gproperties__ = properties_of(NvInferOptions)
    __gsignals__: ClassVar[dict[str, Any]] = SIGNALS
    __gstmetadata__ = (
        "Inference by configuration file",
        "Filter/Analyzer/Video",
        "Runs a model as an nvinfer configuration file says",
        "Headrace",
    )

    def read(self, path: str) -> NvInferConfig:
        """Read nvinfer's configuration."""
        return read_config(path)

    def option_changed(self, field: str) -> None:
        """A model that is set while playing takes the place of the present one."""
        super().option_changed(field)
        if field == self.model_field:
            self.model_set()

    def keep_model(self, model: str) -> None:
        """The property wins over the file, as if it had been set."""
        super().keep_model(model)
        self._set.add(self.model_field)

    def loader(self, model: str) -> Callable[[], Model]:
        """A function that loads a model with the rest of the configuration."""
        if self._file is None:
            raise ModelError("there is no configuration: set config-file-path")
        # Only the new file counts: the model of the configuration is at work already.
        config = replace(self._config(self._file), onnx_file="", model_engine_file=model)
        return lambda: NvInferNetwork(checked(config))
