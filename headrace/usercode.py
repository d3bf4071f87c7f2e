"""Names in users' Python code: ``file.py:Name`` or ``package.module:Name``."""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from headrace.errors import HeadraceError, ModelError
from headrace.paths import resolve

_PREFIX = "headrace_user_"
_serial = itertools.count(1)


def names_code(spec: str) -> bool:
    """Whether something is a name in Python code, by its form, and not a file or an address.

    Example:
        >>> [names_code(one) for one in ("cats.py:Cats", "zoo.cats:Cats", "cats.onnx", "grpc://host:8001/cats")]
        [True, True, False, False]
    """
    _, colon, name = spec.rpartition(":")
    return bool(colon) and name.isidentifier() and "://" not in spec.removeprefix("file://")


def load_name(spec: str, base: str | Path | None = None, what: str = "code") -> Any:
    """What a name in a Python file or module stands for.

    A file runs anew each time, under a module name of its own; its folder is added to the end of the import
    path, so that it can import its neighbours.

    Args:
        spec: ``file.py:Name`` or ``package.module:Name``.
        base: Folder that a relative file starts from.
        what: What the code is, for messages: ``model``, ``parse function``.

    Raises:
        ModelError: There is no such file, module or name, or the code fails while it is imported, which is the
            cause (``from``).

    Example:
        >>> load_name("math:floor")(2.5)
        2
    """
    place, colon, name = spec.rpartition(":")
    if not (colon and name.isidentifier()):
        hint = (
            f"; write {spec}:Name" if spec.endswith(".py") else "; write file.py:Name or package.module:Name"
        )
        raise ModelError(f"{what} {spec!r} names nothing in Python{hint}")
    try:
        module = (
            _file(resolve(place, base), what) if place.endswith(".py") else importlib.import_module(place)
        )
    except HeadraceError:
        raise
    except (Exception, SystemExit) as error:  # the user's code may raise anything
        raise ModelError(
            f"{what} {place} failed while it was imported: {type(error).__name__}: {error}"
        ) from error
    try:
        return getattr(module, name)
    except AttributeError as error:
        raise ModelError(f"{what} {spec}: there is no {name!r} in {place}") from error


def forget(kind: type) -> None:
    """Let go of the module that a file was run as for a class; it lives on for as long as somebody uses it.

    Modules stay where Python keeps them, with what their globals hold, until the end of the process: a model that
    was loaded anew a hundred times would be there a hundred times.
    """
    if kind.__module__.startswith(_PREFIX):
        sys.modules.pop(kind.__module__, None)


class _Fresh(SourceFileLoader):
    """Compiles a file as it is now: cached bytecode goes by whole seconds, and a file may be written twice in one."""

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.get_data(self.path), self.path, "exec", dont_inherit=True)


def _file(path: Path, what: str) -> ModuleType:
    if not path.is_file():
        raise ModelError(f"{what} file {path} does not exist; check the path")
    name = f"{_PREFIX}{path.stem}_{next(_serial)}"
    spec = importlib.util.spec_from_file_location(name, path, loader=_Fresh(name, str(path)))
    if spec is None or spec.loader is None:
        raise ModelError(f"{what} file {path} cannot be imported as Python")
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
