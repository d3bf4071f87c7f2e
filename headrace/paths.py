"""Where a file that a program or a configuration names really is.

DeepStream's programs name files below one folder, ``/opt/nvidia/deepstream/deepstream``, and configurations name files
relative to themselves. Everything in Headrace that opens such a file asks `resolve` first.
"""

from __future__ import annotations

import logging
import os
import re
from functools import lru_cache
from pathlib import Path

_log = logging.getLogger(__name__)

#: Environment variable with the folder that stands for DeepStream's installation.
ASSETS = "HEADRACE_ASSETS"
_INSTALLED = re.compile(r"/opt/nvidia/deepstream/deepstream(-[\d.]+)?(?=/|$)")
_IN_TEXT = re.compile(
    r"""(?<![\w.\-])/opt/nvidia/deepstream/deepstream(?:-[\d.]+)?(?:/[^\s,;"'!]*)?(?![\w.\-])"""
)
#: Folders of an installation by which a path that leads nowhere is recognised.
_PARTS = ("samples", "sources", "service-maker", "lib")


def assets_dir() -> Path | None:
    """The folder that stands for DeepStream's installation; ``None`` when none is set."""
    folder = os.environ.get(ASSETS, "")
    return Path(folder).absolute() if folder else None


def resolve(path: str | os.PathLike[str], base: str | os.PathLike[str] | None = None) -> Path:
    """The place of a file.

    A path below DeepStream's installation leads into the folder set by ``HEADRACE_ASSETS``, unless the file
    exists there only. So does a path that leads nowhere but holds one of the installation's folders, as in the
    configurations of programs that expect to lie inside the installation (``../../../../samples/models/...``).

    Args:
        path: As written by the user; ``file://`` in front is allowed.
        base: Folder that a relative path starts from, such as that of the configuration that names it.

    Returns:
        An absolute path if ``base`` is given or assets stand in, otherwise the path as it is. It need not exist.

    Example:
        >>> resolve("labels.txt", "/models").as_posix()
        '/models/labels.txt'
    """
    text = os.fspath(path).removeprefix("file://")
    place = Path(text) if base is None else Path(base).absolute() / text
    assets = assets_dir()
    if assets is None:
        return place
    plain = os.path.normpath(place)
    inside = _INSTALLED.match(plain)
    if inside:
        # Asked first: where Python's file functions are redirected too, the place would seem to exist.
        mapped = assets / plain[inside.end() :].lstrip("/")
        return place if place.exists() and not mapped.exists() else mapped
    if place.exists():
        return place
    found = _by_tail(plain, assets, relative=not Path(text).is_absolute())
    if found is None:
        return place
    _say_once(str(place), str(found))
    return found


def stand_in(text: str) -> str:
    """A property's or argument's text in which paths and addresses below the installation lead into the assets.

    Other texts, and all where no assets are set, are returned as they are.

    Example:
        >>> stand_in("rtsp://camera/1")
        'rtsp://camera/1'
    """
    if assets_dir() is None or "/opt/nvidia/deepstream" not in text:
        return text
    return _IN_TEXT.sub(lambda match: str(resolve(match.group())), text)


def _by_tail(place: str, assets: Path, relative: bool) -> Path | None:
    """The file of the assets behind one of the installation's folders in a path.

    Where not even the folder of a relative path exists, one that would lie in a folder of the assets will do: beside
    it may be what can be used instead, such as the ONNX file of an engine.
    """
    parts = Path(place).parts
    tails = [assets.joinpath(*parts[index:]) for index, part in enumerate(parts) if part in _PARTS]
    existing = next((file for file in tails if file.exists()), None)
    if existing is not None or not relative or Path(place).parent.exists():
        return existing
    return next((file for file in tails if file.parent.is_dir()), None)


@lru_cache(maxsize=256)
def _say_once(place: str, stand_in: str) -> None:
    _log.info("%s does not exist; %s stands in", place, stand_in)
