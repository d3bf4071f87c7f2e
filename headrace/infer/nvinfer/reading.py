"""From an nvinfer configuration file, key file or YAML, to `NvInferConfig`."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from headrace.errors import ConfigError
from headrace.infer.attributes import ClassAttributes
from headrace.infer.nvinfer.config import CLASSIFIER, NvInferConfig
from headrace.infer.nvinfer.keys import Key, keys_of, nearest, values_of, warn_once
from headrace.keyfile import Groups, read_groups
from headrace.paths import resolve

_log = logging.getLogger(__name__)

#: Every key of ``[property]`` by its name.
PROPERTY_KEYS = keys_of(NvInferConfig)


def _class_key(name: str, kind: str, aliases: tuple[str, ...] = (), minimum: float | None = None) -> Key:
    field = name.replace("-", "_") if name != "minBoxes" else "min_boxes"
    default = getattr(ClassAttributes(), field)
    return Key(name, field, kind, default, "", minimum, None, "", aliases)


#: Every key of ``[class-attrs-*]`` by its name.
CLASS_KEYS = {
    key.name: key
    for key in (
        _class_key("pre-cluster-threshold", "float", ("threshold",)),
        _class_key("post-cluster-threshold", "float"),
        _class_key("eps", "float"),
        _class_key("group-threshold", "int"),
        _class_key("minBoxes", "int", ("min-boxes",)),
        _class_key("dbscan-min-score", "float"),
        _class_key("nms-iou-threshold", "float"),
        _class_key("topk", "int", minimum=0),
        *(_class_key(f"roi-{side}-offset", "int") for side in ("top", "bottom")),
        *(_class_key(f"detected-{limit}-{side}", "int") for limit in ("min", "max") for side in "wh"),
        _class_key("border-color", "floats"),
        _class_key("bg-color", "floats"),
    )
}
_CLASSES = "class-attrs-"


def read_config(path: str | os.PathLike[str]) -> NvInferConfig:
    """Read a configuration file; YAML by its suffix, anything else is a key file.

    Paths in it start from its own folder. Unknown keys are warned about, once for each file and key.

    Args:
        path: The file.

    Raises:
        ConfigError: The file cannot be read, has no ``[property]``, or a value cannot be used; names file,
            group and key.
    """
    place = resolve(path)
    return config_of(place, read_groups(place, "nvinfer configuration"))


def config_of(place: Path, groups: Groups) -> NvInferConfig:
    """The configuration of groups that were read already; errors as for `read_config`."""
    if "property" not in groups:
        found = ", ".join(f"[{name}]" for name in groups) or "nothing"
        raise ConfigError(f"{place}: group [property] with onnx-file expected, found {found}")
    config = NvInferConfig(path=place)
    config = config.with_values(**values_of(place, "property", groups["property"], PROPERTY_KEYS))
    return replace(config, attributes=_attributes(config, groups))


def _attributes(config: NvInferConfig, groups: Groups) -> tuple[ClassAttributes, ...]:
    """``[class-attrs-all]`` first, then each class's own group."""
    groups_of_classes = {name: keys for name, keys in groups.items() if name.startswith(_CLASSES)}
    for name in groups.keys() - groups_of_classes.keys() - {"property"}:
        warn_once(f"{config.path}: [{name}] is an unknown group{nearest(name, {f'{_CLASSES}all': 0})}")
    if not finished(config).detects:
        return ()
    common = _class_values(config, f"{_CLASSES}all", groups)
    own = {_class_number(config, name): name for name in groups_of_classes if name != f"{_CLASSES}all"}
    return tuple(
        _made(
            config,
            own.get(number, f"{_CLASSES}all"),
            common,
            _class_values(config, own.get(number, ""), groups),
        )
        for number in range(config.num_detected_classes)
    )


def _class_values(config: NvInferConfig, group: str, groups: Groups) -> dict[str, Any]:
    return values_of(config.path, group, groups.get(group, {}), CLASS_KEYS)


def _class_number(config: NvInferConfig, group: str) -> int:
    text = group.removeprefix(_CLASSES)
    if not text.isdigit() or int(text) >= config.num_detected_classes:
        raise ConfigError(
            f"{config.path}: [{group}] is no class: num-detected-classes={config.num_detected_classes} leaves "
            f"{_CLASSES}0 to {_CLASSES}{config.num_detected_classes - 1}"
        )
    return int(text)


def _made(config: NvInferConfig, group: str, common: dict[str, Any], own: dict[str, Any]) -> ClassAttributes:
    try:
        return ClassAttributes(**{**common, **own})
    except ConfigError as error:
        field, _, rest = str(error).partition(" ")
        name = next((key.name for key in CLASS_KEYS.values() if key.field == field), field)
        raise ConfigError(f"{config.path}: [{group}] {name} {rest}") from error


def finished(config: NvInferConfig) -> NvInferConfig:
    """The configuration with older keys turned into new ones; new ones win where both are given."""
    values: dict[str, Any] = {}
    if config.is_classifier and "network_type" not in config.given:
        values["network_type"] = CLASSIFIER
    if config.enable_dbscan and "cluster_mode" not in config.given:
        values["cluster_mode"] = 1
    if config.input_dims and not config.infer_dims:
        values["infer_dims"] = config.input_dims[:3]
        if len(config.input_dims) > 3 and "network_input_order" not in config.given:
            values["network_input_order"] = config.input_dims[3]
    return replace(config, **values) if values else config


def checked(config: NvInferConfig) -> NvInferConfig:
    """The configuration as it will be used.

    Raises:
        ConfigError: Keys do not go together; names file and key.
    """
    config = finished(config)
    if config.network_type not in (0, 1, 2, 3, 100):
        raise ConfigError(
            f"{config.where('network_type')}={config.network_type} is not known; use 0, 1, 2, 3 or 100"
        )
    if config.detects and config.num_detected_classes == 0:
        raise ConfigError(
            f"{config.where('num_detected_classes')} is not set; give the number of classes of the detector"
        )
    if config.output_instance_mask and config.cluster_mode != 4:
        raise ConfigError(
            f"{config.where('output_instance_mask')}=1 needs cluster-mode=4, but it is {config.cluster_mode}: "
            "boxes that are merged have no mask"
        )
    if config.infer_dims and len(config.infer_dims) != 3:
        raise ConfigError(
            f"{config.where('infer_dims')}={';'.join(map(str, config.infer_dims))} is not c;h;w"
        )
    idle = [key.name for key in PROPERTY_KEYS.values() if key.no_effect and key.field in config.given]
    if idle:
        _log.info("%s: without effect here: %s", config.path, ", ".join(idle))
    missing = config.num_detected_classes - len(config.attributes)
    if config.detects and missing > 0:
        config = replace(config, attributes=config.attributes + (ClassAttributes(),) * missing)
    return config
