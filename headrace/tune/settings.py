"""What can be set: values of each setting that are worth a trial."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from headrace.errors import ConfigError
from headrace.infer.engines import engine_kinds
from headrace.infer.engines.base import PRECISIONS
from headrace.source.batcher import file_batch

#: Settings that are options of a run; the others are properties of hrinfer.
_OF_RUN = ("engine", "batch-size", "decoder-threads")


@dataclass(frozen=True, slots=True)
class Axis:
    """A setting and its values, or some settings that hang together.

    Attributes:
        names: Options of ``headrace run`` or properties of hrinfer.
        values: A value for each of the names, in the order of the trials; the search begins with the first.
        ordered: Whether values go one way, so that it is no use to go on where one was slower than the one before.
    """

    names: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    ordered: bool = False

    @classmethod
    def of(cls, name: str, *values: object, ordered: bool = False) -> Axis:
        """One setting; values that are there twice are tried once.

        Example:
            >>> Axis.of("threads", 0, 4, 4).values
            (('0',), ('4',))
        """
        return cls((name,), tuple((str(value),) for value in dict.fromkeys(values)), ordered)


@dataclass(frozen=True, slots=True)
class Setting:
    """A value for each axis.

    Example:
        >>> setting = Setting((("engine", "openvino"), ("threads", "0")))
        >>> setting.at(Axis.of("threads", 4), ("4",))["threads"], setting.to_config()
        ('4', {'engine': 'openvino', 'set': {'threads': '0'}})
    """

    values: tuple[tuple[str, str], ...]

    @classmethod
    def first(cls, axes: Sequence[Axis]) -> Setting:
        """The first value of each axis."""
        return cls(tuple(pair for axis in axes for pair in zip(axis.names, axis.values[0], strict=True)))

    def __getitem__(self, name: str) -> str:
        return dict(self.values)[name]

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.values)

    def at(self, axis: Axis, values: tuple[str, ...]) -> Setting:
        """The same, but at another place on an axis."""
        new = dict(zip(axis.names, values, strict=True))
        return replace(self, values=tuple((name, new.get(name, old)) for name, old in self.values))

    def to_config(self, base: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Fields of `RunConfig`: those of ``base``, and these values in their place."""
        config = dict(base or {})
        properties = dict(config.pop("set", {}))
        for name, value in self.values:
            if name in _OF_RUN:
                config[name.replace("-", "_")] = int(value) if value.isdigit() else value
            else:
                properties[name] = value
        return {**config, "set": properties}


def to_yaml(config: Mapping[str, Any]) -> str:
    """Fields of `RunConfig` as ``headrace run --config`` reads them.

    Example:
        >>> print(to_yaml({"model": "m.onnx", "batch_size": 4}), end="")
        model: m.onnx
        batch-size: 4
    """
    named = {key.replace("_", "-"): value for key, value in config.items()}
    return str(yaml.safe_dump(named, sort_keys=False, allow_unicode=True))


def axes_for(
    model: str, streams: int, precisions: Sequence[str] = ("bf16",), live: bool = False
) -> tuple[Axis, ...]:
    """What can be set for a model, the exact and plain first: float32, and the input as the file has it.

    Args:
        model: As for ``headrace run``.
        streams: Number of inputs.
        precisions: Number types that are allowed besides f32.
        live: Whether frames come at their own pace and are wanted soon: a batch then is never more than one frame of
            each input.

    Raises:
        ConfigError: A number type that there is not.
    """
    for name in precisions:
        if name not in PRECISIONS[1:]:
            raise ConfigError(f"precision {name!r} is not known; use some of {', '.join(PRECISIONS[1:])}")
    least = file_batch(streams)
    sizes = (0, 1, streams // 2) if live else (0, 2 * least, 4 * least)
    batches = Axis.of("batch-size", *sizes, ordered=not live)
    engines = _engines(model)
    decoders = Axis.of("decoder-threads", 0, 1, 2)
    if not engines:  # a class in Python, or a server's model: they decide themselves
        return (batches, decoders)
    types = [name for name in PRECISIONS if name in ("f32", *precisions)]
    return (
        # Together: an engine may be the fastest with one number type and not know another.
        Axis(("engine", "precision"), tuple(itertools.product(engines, types))),
        Axis.of("rectangular", "false", "true"),
        Axis.of("mode", *(("latency", "throughput") if live else ("throughput", "latency"))),
        batches,
        Axis.of("threads", 0, *_threads(), ordered=True),
        decoders,
    )


def _threads() -> list[int]:
    """One for each core, and fewer."""
    cores = len(os.sched_getaffinity(0))
    return [cores >> shift for shift in range(cores.bit_length())]


def _engines(model: str) -> list[str]:
    """Installed engines that read the file, the fastest on this machine first."""
    suffix = Path(model).suffix.lower()
    able = [
        kind for kind in engine_kinds() if kind.installed and suffix in (*kind.suffixes, *kind.on_request)
    ]
    return [kind.name for kind in sorted(able, key=lambda kind: min(kind.devices.values(), default=99))]
