"""nvinferserver: runs a model of a Triton repository or server as a DeepStream configuration says.

gst-launch-1.0 ... nvstreammux name=m ! nvinferserver config-file-path=server.txt ! nvtracker ! nvdsosd ! ...
"""

from __future__ import annotations

import dataclasses

from headrace.elements.base.filter import ON_ERROR_HELP
from headrace.elements.inference.configured import ConfiguredInfer
from headrace.gst.face import properties_of
from headrace.gst.options import option
from headrace.infer.nvinfer import NvInferConfig
from headrace.infer.nvinfer.server_reading import read_server_config

_POINTER = "a C function; use output_tensor_meta"


@dataclasses.dataclass(frozen=True)
class NvInferServerOptions:
    """Options of nvinferserver."""

    config_file_path: str = option("", "configuration file, protocol buffers' text format")
    unique_id: int = option(0, "component id written into the metadata; 0: that of the file")
    process_mode: int = option(0, "1: frames, 2: objects found upstream, 0: as in the file", maximum=2)
    batch_size: int = option(0, "most frames or objects in one run; 0: that of the file", maximum=1024)
    infer_on_gie_id: int = option(
        -1, "in mode 2: only objects of this component; -1: as in the file", minimum=-1
    )
    infer_on_class_ids: str = option(
        "", "in mode 2: only objects of these classes, such as 0:2; empty: as in the file"
    )
    interval: int = option(0, "batches skipped after each inference; 0: that of the file")
    input_tensor_meta: bool = option(False, "take the tensors of nvdspreprocess; otherwise as in the file")
    raw_output_generated_callback: int = option(0, "called with outputs", kind="uint64", no_effect=_POINTER)
    raw_output_generated_userdata: int = option(0, "passed to it", kind="uint64", no_effect=_POINTER)
    on_error: str = option("stop", ON_ERROR_HELP)


class NvInferServer(ConfiguredInfer):
    """Face of models that nvinferserver's files configure."""

    __gtype_name__ = "HeadraceNvInferServer"
    factory = "nvinferserver"
    options_type = NvInferServerOptions
    __gproperties__ = properties_of(NvInferServerOptions)
    __gstmetadata__ = (
        "Inference by server configuration",
        "Filter/Analyzer/Video",
        "Runs a model as an nvinferserver configuration says",
        "Headrace",
    )
    # Properties have a value for "as in the file".
    unset = {field.name: field.default for field in dataclasses.fields(NvInferServerOptions)}  # noqa: RUF012

    def read(self, path: str) -> NvInferConfig:
        """Read nvinferserver's configuration."""
        return read_server_config(path)
