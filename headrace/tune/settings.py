"""What can be set: values of each setting that are worth a trial."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from headrace.errors import ConfigError
from headrace.infer.engines import engine_kinds
from headrace.infer.engines.base import PRECISIONS

#: Settings that are options of a run; the others are properties of hrinfer.
_OF_RUN = ("engine", "batch-size")


@dataclass(frozen=True, slots=True)
class Axis:
    """A setting and its values.

    Attributes:
        name: Option of ``headrace run`` or property of hrinfer.
        values: In the order of the trials; the search begins with the first.
        ordered: Whether values go one way, so that it is no use to go on where one was slower than the one before.
    """

    name: str
    values: tuple[str, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """A value for each axis.

    Example:
        >>> setting = Setting((("engine", "openvino"), ("threads", "0")))
        >>> setting.with_value("threads", "4")["threads"], setting.to_config()
        ('4', {'engine': 'openvino', 'set': {'threads': '0'}})
    """

    values: tuple[tuple[str, str], ...]

    @classmethod
    def first(cls, axes: Sequence[Axis]) -> Setting:
        """The first value of each axis."""
        return cls(tuple((axis.name, axis.values[0]) for axis in axes))

    def __getitem__(self, name: str) -> str:
        return dict(self.values)[name]

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.values)

    def with_value(self, name: str, value: str) -> Setting:
        """The same but for one value."""
        return replace(self, values=tuple((key, value if key == name else old) for key, old in self.values))

    def to_config(self, base: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Fields of `RunConfig`: those of ``base``, and these values in their place."""
        config = dict(base or {})
        config["set"] = dict(config.get("set", {}))
        for name, value in self.values:
            if name in _OF_RUN:
                config[name.replace("-", "_")] = int(value) if value.isdigit() else value
            else:
                config["set"][name] = value
        return config


def to_yaml(config: Mapping[str, Any]) -> str:
    """Fields of `RunConfig` as ``headrace run --config`` reads them.

    Example:
        >>> print(to_yaml({"model": "m.onnx", "batch_size": 4}), end="")
        model: m.onnx
        batch-size: 4
    """
    named = {key.replace("_", "-"): value for key, value in config.items()}
    return str(yaml.safe_dump(named, sort_keys=False, allow_unicode=True))


def axes_for(model: str, streams: int, precisions: Sequence[str] = ("f32", "bf16")) -> tuple[Axis, ...]:
    """What can be set for a model, the exact and plain first: float32, and the input as the file has it.

    Args:
        model: As for ``headrace run``.
        streams: Number of inputs.
        precisions: Number types that are allowed.

    Raises:
        ConfigError: A number type that there is not.
    """
    for name in precisions:
        if name not in PRECISIONS[1:]:
            raise ConfigError(f"precision {name!r} is not known; use some of {', '.join(PRECISIONS[1:])}")
    batches = Axis(
        "batch-size", tuple(str(size) for size in dict.fromkeys((0, 2 * streams, 4 * streams))), True
    )
    engines = _engines(model)
    if not engines:  # a class in Python, or a server's model: they decide themselves
        return (batches,)
    ordered = tuple(name for name in PRECISIONS if name in precisions)
    return (
        Axis("engine", engines),
        Axis("precision", tuple(dict.fromkeys(("f32", *ordered)))),
        Axis("rectangular", ("false", "true")),
        Axis("mode", ("throughput", "latency")),
        batches,
        Axis("threads", _threads(), True),
    )


def _threads() -> tuple[str, ...]:
    """The engine's own choice, then from one for each core downwards."""
    cores = len(os.sched_getaffinity(0))
    counts = [cores]
    while counts[-1] > 1:
        counts.append(counts[-1] // 2)
    return ("0", *map(str, counts))


def _engines(model: str) -> tuple[str, ...]:
    """Installed engines that read the file, the fastest on this machine first."""
    suffix = Path(model).suffix.lower()
    able = [
        kind for kind in engine_kinds() if kind.installed and suffix in (*kind.suffixes, *kind.on_request)
    ]
    return tuple(kind.name for kind in sorted(able, key=lambda kind: min(kind.devices.values(), default=99)))
