"""What an nvinfer configuration file can say, as one typed, frozen object (contract: configs §1.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from headrace.errors import ConfigError
from headrace.infer.attributes import ClassAttributes
from headrace.infer.nvinfer.keys import key
from headrace.infer.preprocess import PreprocessOptions

_TENSORRT = "TensorRT is not used"
_DEBUGGING = "use output-tensor-meta or raw-output-file-write to look at tensors"
_MEMORY = "memory is taken as it is needed"
_SCALING = "frames are scaled on the CPU"

DETECTOR, CLASSIFIER, SEMANTIC, INSTANCE, OTHER = 0, 1, 2, 3, 100
_COLORS = ("RGB", "BGR", "GRAY")


@dataclass(frozen=True, kw_only=True)
class NvInferConfig:
    """The keys of ``[property]`` and the attributes of each class.

    Made by `read_config`; paths are resolved. Properties of the element replace fields.

    Attributes:
        path: The configuration file; custom parse functions and messages refer to it.
        attributes: Thresholds and colours of each class, ``num_detected_classes`` of them.
        given: Names of the fields that were set, by the file or by properties.
        names: What fields are called in the file, where that is not a key of ``[property]``.

    Example:
        >>> config = NvInferConfig(onnx_file="net.onnx", num_detected_classes=4, symmetric_padding=True)
        >>> config.gie_unique_id, config.preprocess().resize
        (15, 'stretch')
    """

    path: Path = Path("nvinfer.txt")
    attributes: tuple[ClassAttributes, ...] = ()
    given: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)

    gie_unique_id: int = key(15, "component id written into the metadata", minimum=1)
    process_mode: int = key(1, "1 on frames, 2 on objects found upstream", minimum=1, maximum=2)
    interval: int = key(0, "batches skipped after each inference, on frames only", minimum=0)
    batch_size: int = key(1, "most frames or objects in one run; more are split", minimum=1, maximum=1024)
    labelfile_path: str = key(
        "", "class names, one on each line; for classifiers a line for each output", kind="path"
    )
    network_type: int = key(
        0, "0 detector, 1 classifier, 2 semantic segmentation, 3 instance segmentation, 100 tensors only",
        minimum=0, maximum=100,
    )  # fmt: skip
    is_classifier: bool = key(False, "older form of network-type=1")

    model_color_format: int = key(0, "0 RGB, 1 BGR, 2 grey", minimum=0, maximum=2)
    net_scale_factor: float = key(1.0, "the factor of y = factor * (x - mean)", minimum=0)
    offsets: tuple[float, ...] = key((), "mean of each channel", kind="floats")
    mean_file: str = key("", "PPM picture of means, of the network's size", kind="path")
    infer_dims: tuple[int, ...] = key(
        (), "c;h;w of graphs that leave their size open", kind="ints", minimum=1
    )
    input_dims: tuple[int, ...] = key(
        (), "older form of infer-dims: c;h;w;order", kind="ints", aliases=("uff-input-dims",)
    )
    network_input_order: int = key(
        0, "0 NCHW, 1 NHWC, where the graph does not tell", minimum=0, maximum=1, aliases=("uff-input-order",)
    )
    maintain_aspect_ratio: bool = key(False, "keep the aspect ratio; black right or below")
    symmetric_padding: bool = key(False, "with maintain-aspect-ratio: black on both sides")
    scaling_filter: int = key(6, "0 nearest, others linear", minimum=0, maximum=6)

    onnx_file: str = key("", "the model", kind="path")
    model_engine_file: str = key("", "TensorRT engine; the ONNX file beside it is used", kind="path")
    model_file: str = key("", "Caffe model; the ONNX file beside it is used", kind="path")
    proto_file: str = key("", "Caffe network", kind="path", no_effect="Caffe models are not run")
    uff_file: str = key("", "UFF model; the ONNX file beside it is used", kind="path")
    uff_input_blob_name: str = key("", "input of a UFF model", no_effect="UFF models are not run")
    tlt_encoded_model: str = key(
        "", "encrypted model; the ONNX file beside it is used", kind="path", aliases=("tlt-encoded-file",)
    )
    tlt_model_key: str = key("", "its key", no_effect="encrypted models are not run")

    output_blob_names: tuple[str, ...] = key((), "outputs to use, and their order", kind="texts")
    num_detected_classes: int = key(0, "number of classes; must be set for detectors", minimum=0)
    cluster_mode: int = key(
        0, "0 groupRectangles, 1 DBSCAN, 2 NMS, 3 DBSCAN and NMS, 4 none", minimum=0, maximum=4
    )
    enable_dbscan: bool = key(False, "older form of cluster-mode=1")
    custom_lib_path: str = key("", "Python file of the custom parse functions", kind="path")
    parse_bbox_func_name: str = key("", "custom parse function of a detector, file.py:function")
    parse_bbox_instance_mask_func_name: str = key("", "the same with masks, for network-type=3")
    parse_segmentation_func_name: str = key("", "the same for network-type=2")
    parse_classifier_func_name: str = key("", "the same for network-type=1")
    filter_out_class_ids: tuple[int, ...] = key((), "detections that are dropped", kind="ints")
    crop_objects_to_roi_boundary: bool = key(
        False, "cut objects at the class's roi offsets instead of dropping"
    )
    output_tensor_meta: bool = key(False, "attach the raw outputs")
    output_instance_mask: bool = key(False, "attach instance masks; needs cluster-mode=4")
    input_tensor_from_meta: bool = key(
        False, "take tensors of nvdspreprocess", aliases=("input-tensor-meta",)
    )
    raw_output_file_write: bool = key(False, "write the raw outputs into files in the working folder")

    classifier_threshold: float = key(
        0.0, "a label counts if its probability exceeds this", minimum=0, maximum=1
    )
    classifier_type: str = key("", "what is classified; written into the metadata")
    classifier_async_mode: bool = key(False, "batches do not wait for the classifier of tracked objects")
    secondary_reinfer_interval: int = key(
        2**31 - 1, "frames after which a tracked object is looked at again", minimum=0
    )
    segmentation_threshold: float = key(0.0, "pixels below get class -1", minimum=0, maximum=1)
    segmentation_output_order: int = key(0, "0 classes first, 1 classes last", minimum=0, maximum=1)

    operate_on_gie_id: int = key(-1, "on objects: only of this component, -1 of any", minimum=-1)
    operate_on_class_ids: tuple[int, ...] = key((), "on objects: only of these classes", kind="ints")
    input_object_min_width: int = key(1, "on objects: least width in pixels", minimum=0)
    input_object_min_height: int = key(1, "on objects: least height in pixels", minimum=0)
    input_object_max_width: int = key(0, "on objects: greatest width, 0 for any", minimum=0)
    input_object_max_height: int = key(0, "on objects: greatest height, 0 for any", minimum=0)

    gpu_id: int = key(0, "GPU", minimum=0, no_effect="models run on the CPU")
    network_mode: int = key(
        0, "0 FP32, 1 INT8, 2 FP16, 3 best; for any but 0 the fastest type", minimum=0, maximum=3
    )
    scaling_compute_hw: int = key(0, "what scales", minimum=0, maximum=2, no_effect=_SCALING)
    int8_calib_file: str = key("", "calibration table", kind="path", no_effect=_TENSORRT)
    workspace_size: int = key(0, "megabytes for building an engine", minimum=0, no_effect=_TENSORRT)
    force_implicit_batch_dim: bool = key(False, "engine without batch axis", no_effect=_TENSORRT)
    output_io_formats: str = key("", "number types of outputs", no_effect=_TENSORRT)
    layer_device_precision: str = key("", "number types of layers", no_effect=_TENSORRT)
    strongly_typed: bool = key(False, "engine of the graph's own types", no_effect=_TENSORRT)
    dynamic_properties: str = key("", "options of the engine", no_effect=_TENSORRT)
    warmup_engine: bool = key(False, "run once at start", no_effect="models are ready when they are loaded")
    stabilize_buffer_count: int = key(0, "buffers until clocks are stable", minimum=0, no_effect=_TENSORRT)
    enable_dla: bool = key(False, "use a DLA", no_effect="there is no DLA")
    use_dla_core: int = key(0, "which DLA", minimum=0, no_effect="there is no DLA")
    engine_create_func_name: str = key("", "function that builds the engine", no_effect=_TENSORRT)
    custom_network_config: str = key("", "its configuration", kind="path", no_effect=_TENSORRT)
    disable_output_host_copy: int = key(0, "leave outputs on the GPU", no_effect="outputs are host memory")
    tensor_meta_pool_size: int = key(2, "pool of outputs", minimum=0, no_effect=_MEMORY)
    auto_inc_mem: int = key(1, "let pools grow", no_effect=_MEMORY)
    max_gpu_mem_per: int = key(99, "percent of GPU memory", no_effect=_MEMORY)
    dump_input_tensor: bool = key(False, "write inputs into files", no_effect=_DEBUGGING)
    dump_output_tensor: bool = key(False, "write outputs into files", no_effect=_DEBUGGING)
    overwrite_input_tensor: bool = key(False, "read inputs from a file", no_effect=_DEBUGGING)
    overwrite_output_tensor: bool = key(False, "read outputs from files", no_effect=_DEBUGGING)
    ip_tensor_file: str = key("", "the input's file", kind="path", no_effect=_DEBUGGING)
    op_tensor_files: str = key("", "the outputs' files", no_effect=_DEBUGGING)

    def with_values(self, **values: object) -> NvInferConfig:
        """A copy in which some fields are set."""
        return replace(self, given=self.given | values.keys(), **values)  # type: ignore[arg-type]

    def where(self, field: str) -> str:
        """File and key of a field, for messages."""
        return f"{self.path}: {self.names.get(field) or '[property] ' + field.replace('_', '-')}"

    @property
    def detects(self) -> bool:
        """Whether the results are objects."""
        return self.network_type in (DETECTOR, INSTANCE)

    @property
    def color(self) -> str:
        """Order of the network's channels: RGB, BGR or GRAY."""
        return _COLORS[self.model_color_format]

    def preprocess(self) -> PreprocessOptions:
        """How frames become input."""
        channels = 1 if self.color == "GRAY" else 3
        mean = self.offsets or (0.0,) * channels
        if len(mean) < channels or len(mean) > 4:
            raise ConfigError(
                f"{self.where('offsets')}={';'.join(map(str, mean))} has {len(mean)} values, but "
                f"{self.color} needs {channels}"
            )
        return PreprocessOptions(
            resize="letterbox" if self.maintain_aspect_ratio else "stretch",
            padding="centre" if self.symmetric_padding else "topleft",
            pad_value=0.0,
            color=self.color,  # type: ignore[arg-type]
            scale=self.net_scale_factor,
            mean=mean,
            interpolation="nearest" if self.scaling_filter == 0 else "linear",
        )
