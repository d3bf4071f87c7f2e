"""What an nvdspreprocess configuration file can say, as typed, frozen objects (contract: configs §5)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from headrace.errors import ConfigError
from headrace.infer.nvinfer.keys import Key, key, keys_of, parse_value, values_of
from headrace.infer.preprocess import PreprocessOptions
from headrace.keyfile import read_groups
from headrace.paths import resolve

#: Left, top, width, height in pixels of the frame.
Box = tuple[float, float, float, float]
_POOLS = "memory is taken as it is needed"
_COLORS = ("RGB", "BGR", "GRAY")
_DTYPES = ("float32", "uint8", "int8", "uint32", "int32", "int64", "uint64", "float16")
_GROUP = "group-"
_ROIS = "roi-params-src-"
#: Sources that a group without ``src-ids``, or with -1 among them, is for.
EVERY_SOURCE = -1


@dataclass(frozen=True, kw_only=True)
class RegionGroup:
    """One ``[group-<n>]``: sources that are handled alike.

    Attributes:
        name: Name of the group in the file.
        rois: Regions of each source that has some.

    Example:
        >>> group = RegionGroup(src_ids=(0, 2), process_on_roi=True, rois={0: ((0, 0, 64, 64),)})
        >>> group.has(2), group.has(1)
        (True, False)
    """

    name: str = "group-0"
    rois: Mapping[int, tuple[Box, ...]] = field(default_factory=dict)

    src_ids: tuple[int, ...] = key((), "sources; none, or -1, for all", kind="ints")
    process_on_roi: bool = key(
        False, "regions of frames rather than whole frames; on objects: those inside one"
    )
    process_on_all_objects: bool = key(False, "on objects: wherever they are")
    operate_on_class_ids: tuple[int, ...] = key(
        (), "on objects: their classes; none, or -1, for all", kind="ints"
    )
    interval: int = key(0, "batches skipped after each one that is worked on", minimum=0)
    draw_roi: bool = key(False, "draw the regions onto the frames")
    roi_color: tuple[float, ...] = key(
        (1.0, 0.0, 0.0, 1.0), "red;green;blue;alpha of what is drawn", kind="floats"
    )
    input_object_min_width: int = key(0, "on objects: least width", minimum=0)
    input_object_min_height: int = key(0, "on objects: least height", minimum=0)
    input_object_max_width: int = key(0, "on objects: greatest width, 0 for any", minimum=0)
    input_object_max_height: int = key(0, "on objects: greatest height, 0 for any", minimum=0)
    custom_input_transformation_function: str = key("CustomAsyncTransformation", "what scales regions")

    def has(self, source: int) -> bool:
        """Whether the group is for a source."""
        return not self.src_ids or EVERY_SOURCE in self.src_ids or source in self.src_ids

    def regions_of(self, source: int) -> tuple[Box, ...]:
        """The regions of a source; empty when the group is not for it, or says nothing of it."""
        return self.rois.get(source, ()) if self.has(source) else ()


@dataclass(frozen=True, kw_only=True)
class PreprocessConfig:
    """The keys of ``[property]``, the groups, and what is handed to the function that makes tensors.

    Made by `read_preprocess_config`. Properties of the element replace fields.

    Attributes:
        path: The file.
        groups: In the order of their numbers.
        user: ``[user-configs]`` as text.

    Example:
        >>> config = PreprocessConfig(network_input_shape=(4, 3, 32, 64), pixel_factor=0.5)
        >>> config.size, config.dtype.name, config.options().scale
        ((64, 32), 'float32', 0.5)
    """

    path: Path = Path("preprocess.txt")
    groups: tuple[RegionGroup, ...] = ()
    user: Mapping[str, str] = field(default_factory=dict)
    pixel_factor: float = 1.0
    offsets: tuple[float, ...] = ()
    mean_file: str = ""

    enable: bool = key(True, "0 passes everything on as it is")
    unique_id: int = key(15, "component id", minimum=0)
    target_unique_ids: tuple[int, ...] = key((), "models that the tensors are for", kind="ints")
    operate_on_gie_id: int = key(-1, "on objects: the element that found them, -1 for any", minimum=-1)
    process_on_frame: bool = key(True, "on frames (1) or on objects (0)")
    processing_width: int = key(0, "width that regions are scaled to", minimum=1)
    processing_height: int = key(0, "height that regions are scaled to", minimum=1)
    maintain_aspect_ratio: bool = key(False, "pad instead of distorting")
    symmetric_padding: bool = key(False, "pad on both sides instead of right and below")
    network_input_order: int = key(0, "0 NCHW, 1 NHWC, 2 as the function makes it", minimum=0, maximum=2)
    network_input_shape: tuple[int, ...] = key(
        (), "the tensor's axes, the batch first", kind="ints", minimum=1
    )
    network_color_format: int = key(0, "0 RGB, 1 BGR, 2 grey", minimum=0, maximum=2)
    tensor_data_type: int = key(0, "0 FP32, 1 UINT8, 2 INT8, 3 UINT32, 4 INT32, 5 INT64, 6 UINT64, 7 FP16",
                                minimum=0, maximum=7)  # fmt: skip
    tensor_name: str = key("", "the model's input that the tensor is for")
    scaling_filter: int = key(
        1, "0 nearest, else linear", minimum=0, maximum=6, aliases=("scaling-pool-interpolation-filter",)
    )
    custom_lib_path: str = key(
        "", "file.py with the function below, or DeepStream's own library", kind="path"
    )
    custom_tensor_preparation_function: str = key("CustomTensorPreparation", "what makes tensors")
    gpu_id: int = key(0, "GPU", minimum=0, no_effect="tensors are made by the CPU")
    scaling_buf_pool_size: int = key(6, "pool of scaled regions", minimum=0, no_effect=_POOLS)
    tensor_buf_pool_size: int = key(6, "pool of tensors", minimum=0, no_effect=_POOLS)
    scaling_pool_memory_type: int = key(0, "memory", minimum=0, maximum=4, no_effect=_POOLS)
    scaling_pool_compute_hw: int = key(0, "what scales", minimum=0, maximum=2, no_effect="the CPU scales")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height that regions are scaled to."""
        rows, columns = self.network_input_shape[-3:-1] if self._last else self.network_input_shape[-2:]
        return self.processing_width or columns, self.processing_height or rows

    @property
    def _last(self) -> bool:
        return self.network_input_order == 1

    @property
    def color(self) -> str:
        """Order of the channels: RGB, BGR or GRAY."""
        return _COLORS[self.network_color_format]

    @property
    def channels(self) -> int:
        """Number of channels of a picture."""
        return 1 if self.color == "GRAY" else 3

    @property
    def dtype(self) -> np.dtype[Any]:
        """Number type of the tensor."""
        return np.dtype(_DTYPES[self.tensor_data_type])

    def options(self) -> PreprocessOptions:
        """How pixels become numbers: ``y = pixel_factor * (x - offset)``."""
        return PreprocessOptions(
            resize="letterbox" if self.maintain_aspect_ratio else "stretch",
            padding="centre" if self.symmetric_padding else "topleft",
            pad_value=0.0,
            color=cast(Any, self.color),
            scale=self.pixel_factor,
            mean=self.offsets or (0.0,) * self.channels,
            interpolation="nearest" if self.scaling_filter == 0 else "linear",
        )


_PROPERTIES = keys_of(PreprocessConfig)
_GROUP_KEYS = keys_of(RegionGroup)
_USER_KEYS = {
    "pixel-normalization-factor": ("pixel_factor", "float"),
    "offsets": ("offsets", "floats"),
    "mean-file": ("mean_file", "path"),
}


def read_preprocess_config(path: str | os.PathLike[str]) -> PreprocessConfig:
    """Read a configuration file; YAML by its suffix, anything else is a key file.

    Raises:
        ConfigError: The file cannot be read, lacks ``[property]`` or every group, or a value cannot be used; names
            file, group and key.
    """
    place = resolve(path)
    groups = read_groups(place, "nvdspreprocess configuration")
    if "property" not in groups:
        raise ConfigError(f"{place} has no group [property]; write [property] with network-input-shape")
    values = values_of(place, "property", groups["property"], _PROPERTIES)
    user = groups.get("user-configs", {})
    config = PreprocessConfig(path=place, user=user, **values, **_user(place, user))
    names = [name for name in groups if name.startswith(_GROUP) and name[len(_GROUP) :].isdigit()]
    names.sort(key=lambda name: int(name[len(_GROUP) :]))
    config = replace(config, groups=tuple(_group(place, name, groups[name]) for name in names))
    return _checked(config)


def _user(path: Path, texts: Mapping[str, str]) -> dict[str, Any]:
    """What the default function reads of ``[user-configs]``; other keys are for functions of users."""
    values = {}
    for name, (target, kind) in _USER_KEYS.items():
        if texts.get(name):
            found = parse_value(
                Key(name, target, kind, "", "", None, None, "", ()), texts[name], f"{path}: [user-configs]"
            )
            values[target] = str(resolve(found, path.parent)) if kind == "path" else found
    return values


def _group(path: Path, name: str, texts: Mapping[str, str]) -> RegionGroup:
    where = f"{path}: [{name}]"
    plain = {key: text for key, text in texts.items() if not key.startswith(_ROIS)}
    group = RegionGroup(name=name, **values_of(path, name, plain, _GROUP_KEYS))
    rois = {}
    for text in texts.keys() - plain.keys():
        source = text[len(_ROIS) :]
        if not source.isdigit():
            raise ConfigError(f"{where} {text} names no source; write {_ROIS}0, {_ROIS}1, …")
        rois[int(source)] = _boxes(f"{where} {text}", texts[text])
    if group.process_on_roi and (missing := [source for source in group.src_ids if source not in rois]):
        raise ConfigError(
            f"{where} process-on-roi=1, but source {missing[0]} has no regions; set {_ROIS}{missing[0]}="
            "left;top;width;height"
        )
    if len(group.roi_color) != 4:
        raise ConfigError(f"{where} roi-color needs four numbers in 0 to 1: red;green;blue;alpha")
    return replace(group, rois=rois)


def _boxes(where: str, text: str) -> tuple[Box, ...]:
    try:
        numbers = [float(part) for part in text.split(";") if part.strip()]
        boxes = np.array(numbers).reshape(-1, 4)
        if not (boxes[:, 2:] > 0).all() or not (boxes[:, :2] >= 0).all():
            raise ValueError("no area")
    except ValueError as error:
        raise ConfigError(
            f"{where}={text}: write left;top;width;height of each region one after the other, sizes above 0"
        ) from error
    return tuple((box[0], box[1], box[2], box[3]) for box in boxes.tolist())


def _checked(config: PreprocessConfig) -> PreprocessConfig:
    where, shape = f"{config.path}: [property]", config.network_input_shape
    if not config.groups:
        raise ConfigError(f"{config.path} has no group of sources; write [group-0] with src-ids")
    if len(shape) < 4 and config.network_input_order != 2:
        raise ConfigError(f"{where} network-input-shape={';'.join(map(str, shape))}: write n;c;h;w")
    if config.offsets and len(config.offsets) < config.channels:
        raise ConfigError(
            f"{config.path}: [user-configs] offsets has {len(config.offsets)} values; {config.color} needs "
            f"{config.channels}"
        )
    return config
