"""``headrace env``: the environment in which GStreamer's tools and plain programs find Headrace."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer


def environment(current: Mapping[str, str] | None = None, assets: Path | None = None) -> dict[str, str]:
    """Variables to set, on top of the current ones.

    ``PATH`` puts this Python first, because GStreamer's plugin scanner, a process of its own, looks for packages where
    the first ``python3`` in it does. The registry is a file of our own, so that a failed scan is not remembered for the
    user's other programs.

    Args:
        current: The environment to extend; that of this process when left out.
        assets: Folder that stands for DeepStream's installation, if one is wanted.
    """
    from headrace import compat, paths, plugins

    given = os.environ if current is None else current
    package_home = str(Path(plugins.PATH).parent.parent)
    python_path = [package_home] if not _installed(package_home) else []
    if not compat.real_installation():
        python_path.append(str(compat.PATH))
    cache = Path(given.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "headrace"
    tag = f"registry-{sys.version_info.major}.{sys.version_info.minor}.bin"
    ours = {
        "PATH": _joined([str(Path(sys.executable).parent)], given.get("PATH", "")),
        "GST_PLUGIN_PATH": _joined([str(plugins.PATH)], given.get("GST_PLUGIN_PATH", "")),
        "PYTHONPATH": _joined(python_path, given.get("PYTHONPATH", "")),
        "GST_REGISTRY": str(cache / tag),
    }
    return ours if assets is None else {**ours, paths.ASSETS: str(assets.absolute())}


def _installed(home: str) -> bool:
    """Whether Python finds the package by itself, rather than by the folder we stand in."""
    return any(Path(entry).resolve() == Path(home).resolve() for entry in sys.path if "packages" in entry)


def _joined(ours: list[str], existing: str) -> str:
    known = [part for part in existing.split(os.pathsep) if part]
    return os.pathsep.join([*[part for part in ours if part not in known], *known])


def script(assets: Path | None = None) -> str:
    """Shell lines for ``eval "$(headrace env)"``."""
    variables = environment(assets=assets)
    Path(variables["GST_REGISTRY"]).parent.mkdir(parents=True, exist_ok=True)
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())


def command(
    assets: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder that stands for /opt/nvidia/deepstream/deepstream."),
    ] = None,
) -> None:
    """Print the variables for a shell."""
    typer.echo(script(assets))
