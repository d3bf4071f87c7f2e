"""The configuration file of nvdewarper: a group ``[property]`` and one ``[surface<n>]`` for each view."""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Callable, Mapping
from typing import Any

from headrace.errors import ConfigError
from headrace.frames.dewarp.projections import PROJECTIONS
from headrace.keyfile import read_groups

_log = logging.getLogger(__name__)

#: Most views of one picture.
MAX_VIEWS = 4
_AXES = {"XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"}


@dataclasses.dataclass(frozen=True)
class View:
    """One view of a camera's picture; lengths in pixels, angles in degrees.

    Attributes:
        projection_type: Number of the projection, 1 to 18.
        surface_index: Tells views of the same projection apart.
        width: Width of the view; 0: that of the picture.
        height: Height of the view; 0: that of the picture.
        top_angle: Angle of its upper edge, upwards; 0 like ``bottom_angle``: the picture's focal length is kept.
        bottom_angle: Angle of its lower edge.
        pitch: The view is turned upwards,
        yaw: to the right,
        roll: and clockwise,
        rot_axes: in this order.
        rot_matrix: Nine numbers, rows first, from rays of the view to rays of the camera, instead of the angles.
        focal_length: The camera's, in x and y; empty: from ``src_fov``.
        src_fov: The camera's vertical angle of view.
        src_x0: The camera's principal point; 0: the middle.
        src_y0: The same from above.
        distortion: Fisheye: four coefficients; perspective: k₁, k₂, k₃, p₁, p₂.
        dst_focal_length: The view's, in x and y, instead of the angles of top and bottom.
        dst_principal_point: The view's; empty: its middle.
        control: Of the projections pushbroom, panini and stereographic.
        cuda_address_mode: What is outside of the picture: 0 its edge, 1 black.

    Example:
        >>> View.of({"projection-type": "4", "focal-length": "300", "yaw": "20"}).focal_length
        (300.0, 300.0)
    """

    projection_type: int = 0
    surface_index: int = 0
    width: int = 0
    height: int = 0
    top_angle: float = 0.0
    bottom_angle: float = 0.0
    pitch: float = 0.0
    yaw: float = 0.0
    roll: float = 0.0
    rot_axes: str = "YXZ"
    rot_matrix: tuple[float, ...] = ()
    focal_length: tuple[float, ...] = ()
    src_fov: float = 0.0
    src_x0: float = 0.0
    src_y0: float = 0.0
    distortion: tuple[float, ...] = (0.0,) * 5
    dst_focal_length: tuple[float, ...] = ()
    dst_principal_point: tuple[float, ...] = ()
    control: float = 0.6
    cuda_address_mode: int = 0

    @classmethod
    def of(cls, keys: Mapping[str, str], where: str = "surface") -> View:
        """The view that a group's keys describe.

        Raises:
            ConfigError: A value cannot be used; names the group and the key.
        """
        known = {field.name.replace("_", "-"): field for field in dataclasses.fields(cls)}
        values: dict[str, Any] = {}
        for key, text in keys.items():
            if key not in known:
                _log.warning("%s: key %r is not known and has no effect", where, key)
                continue
            values[known[key].name] = _value(known[key], text, f"{where} {key}={text}")
        view = cls(**values)
        view._check(where)
        return view

    def _check(self, where: str) -> None:
        if self.projection_type not in PROJECTIONS:
            known = f"{min(PROJECTIONS)} to {max(PROJECTIONS)}"
            raise ConfigError(f"{where} projection-type={self.projection_type}: use {known}")
        if self.projection_type <= 10 and not (self.focal_length or self.src_fov > 0):
            raise ConfigError(f"{where} needs focal-length or src-fov of the camera")
        if self.rot_axes not in _AXES:
            raise ConfigError(f"{where} rot-axes={self.rot_axes}: write the letters X, Y and Z in some order")
        if self.top_angle < self.bottom_angle:
            raise ConfigError(f"{where}: top-angle={self.top_angle:g} is below bottom-angle")
        if min((*self.focal_length, *self.dst_focal_length, 1.0)) <= 0:
            raise ConfigError(f"{where}: focal lengths must be positive")


#: How many numbers a list has; shorter ones are filled up, by zeros or by their last number.
_LISTS: dict[str, tuple[int, Callable[[list[float]], float]]] = {
    "distortion": (5, lambda found: 0.0),
    "focal_length": (2, lambda found: found[-1]),
    "dst_focal_length": (2, lambda found: found[-1]),
    "dst_principal_point": (2, lambda found: found[-1]),
    "rot_matrix": (9, lambda found: float("nan")),
}


def _value(field: dataclasses.Field[Any], text: str, where: str) -> Any:
    try:
        if field.name in _LISTS:
            return _numbers(field.name, [float(part) for part in text.split(";") if part.strip()])
        if isinstance(field.default, str):
            return text.strip().upper()
        return int(text) if isinstance(field.default, int) else float(text)
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from error


def _numbers(name: str, found: list[float]) -> tuple[float, ...]:
    count, filler = _LISTS[name]
    if name.endswith("focal_length") and not any(found):
        return ()
    if len(found) > count or (name == "rot_matrix" and len(found) != count):
        raise ValueError(f"{count} numbers expected, got {len(found)}")
    while found and len(found) < count:
        found.append(filler(found))
    return tuple(found)


@dataclasses.dataclass(frozen=True)
class DewarpConfig:
    """A whole file.

    Attributes:
        views: The views, at most four, in the order of their groups' numbers.
        width: Width of what comes out, 0: that of the first view.
        height: Height of what comes out, 0: that of the first view.
        num_batch_buffers: How many of the views are made; 0: not said.
    """

    views: tuple[View, ...]
    width: int = 0
    height: int = 0
    num_batch_buffers: int = 0


def read_config(path: str | os.PathLike[str]) -> DewarpConfig:
    """Read a configuration file, as key file or YAML.

    Raises:
        ConfigError: It cannot be read, describes no view or more than four, or a value cannot be used.
    """
    groups = read_groups(path, "config-file")
    general = groups.get("property", {})
    for key in ("aisle-calibration-file", "spot-calibration-file"):
        if general.get(key):
            raise ConfigError(f"{path}: {key} is not read; write a group [surface<n>] for each view")
    names = sorted(
        (name for name in groups if _number(name) is not None), key=lambda name: _number(name) or 0
    )
    if not 1 <= len(names) <= MAX_VIEWS:
        raise ConfigError(f"{path} has {len(names)} groups [surface<n>]; 1 to {MAX_VIEWS} are needed")
    views = tuple(View.of(groups[name], f"{path} [{name}]") for name in names)
    try:
        sizes = [int(general.get(key) or 0) for key in ("output-width", "output-height", "num-batch-buffers")]
    except ValueError as error:
        raise ConfigError(f"{path} [property]: {error}") from error
    return DewarpConfig(views, *sizes)


def _number(group: str) -> int | None:
    digits = group.removeprefix("surface")
    return int(digits) if digits.isdecimal() and digits != group else None
