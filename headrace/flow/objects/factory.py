"""Objects by name: the built-in ones and probes that programs register (contract §5)."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from headrace import discovery
from headrace.errors import PipelineError
from headrace.flow.objects.configurable import Value
from headrace.flow.objects.operators import Probe
from headrace.suggestion import did_you_mean

_PACKAGE = "headrace.flow.builtin"
_PYTHON = "python."
_TYPES: dict[str, Callable[[Any], Value]] = {
    "integer": int, "int": int, "uint": int, "string": str, "str": str,
    "float": float, "double": float, "boolean": bool, "bool": bool,
}  # fmt: skip
_registered: dict[str, tuple[type, dict[str, Value]]] = {}


class CommonFactory:
    """Makes objects that are attached to elements, by name."""

    @staticmethod
    def create(plugin: str, name: str) -> Any:
        """Make a built-in or registered object.

        Args:
            plugin: ``measure_fps_probe``, or ``module.factory`` as in pipeline files; ``python.<name>`` or the
                bare name for a probe that was registered with `register_probe`.
            name: The object's own name.

        Returns:
            A Probe, Receiver, Feeder, SignalHandler or Emitter.

        Raises:
            PipelineError: There is none of this name, or it is not offered here.

        Example:
            >>> CommonFactory.create("measure_fps_probe", "fps").name
            'fps'
        """
        registered = plugin.removeprefix(_PYTHON)
        if registered in _registered:
            return _registered_probe(registered, name)
        if plugin.startswith(_PYTHON):
            raise PipelineError(
                f"no probe {registered!r} is registered; known: {', '.join(_registered) or 'none'}"
            )
        return _builtin(plugin.rpartition(".")[2]).create(name)


def _builtin(plugin: str) -> Any:
    known = [module.replace("-", "_") for module in discovery.available(_PACKAGE)]
    if plugin not in known:
        hint = did_you_mean(plugin, known, f"; known: {', '.join([*known, *_registered])}")
        raise PipelineError(f"there is no built-in object {plugin!r}{hint}")
    return importlib.import_module(f"{_PACKAGE}.{plugin}")


def register_probe(name: str, operator: type, params: Mapping[str, tuple[Any, ...]] | None = None) -> None:
    """Make an operator class usable by name: ``pipeline.attach(what=name)``, ``python.<name>`` in pipeline files.

    Args:
        name: The name.
        operator: A BatchMetadataOperator, BufferOperator or BufferObserver that can be made without arguments;
            its `get_property` gives the parameters.
        params: Parameter name to ``(type, default)`` or ``(type, default, brief)``, where type is ``integer``,
            ``float``, ``string`` or ``boolean``.

    Raises:
        PipelineError: The class is no operator, or a parameter is malformed.

    Example:
        >>> from headrace.flow.objects.operators import BufferOperator
        >>> register_probe("every", BufferOperator, {"nth": ("integer", 2)})
        >>> CommonFactory.create("python.every", "probe").operator.get_property("nth")
        2
    """
    if not (isinstance(operator, type) and issubclass(operator, Probe.kinds)):
        raise PipelineError(f"probe {name!r}: {operator!r} is no class of operators")
    _registered[name] = (operator, {key: _default(name, key, spec) for key, spec in (params or {}).items()})


def probe(name: str, params: Mapping[str, tuple[Any, ...]] | None = None) -> Callable[[type], type]:
    """Class decorator that does `register_probe`.

    Example:
        >>> from headrace.flow.objects.operators import BatchMetadataOperator
        >>> @probe("quiet", params={"level": ("string", "low", "how quiet")})
        ... class Quiet(BatchMetadataOperator):
        ...     def handle_metadata(self, batch_meta):
        ...         pass
    """

    def register(operator: type) -> type:
        register_probe(name, operator, params)
        return operator

    return register


def _default(name: str, key: str, spec: tuple[Any, ...]) -> Value:
    kind = spec[0] if spec else None
    if len(spec) not in (2, 3) or kind not in _TYPES:
        raise PipelineError(
            f"probe {name!r}, parameter {key!r}: (type, default[, brief]) expected with a type of "
            f"{', '.join(_TYPES)}, got {spec!r}"
        )
    return _TYPES[kind](spec[1])


def _registered_probe(registered: str, name: str) -> Probe:
    kind, defaults = _registered[registered]
    operator = kind()
    operator.declare(defaults)
    return Probe(name, operator)
