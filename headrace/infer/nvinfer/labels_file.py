"""Label files of nvinfer: a class on each line, or for classifiers an output layer on each line."""

from __future__ import annotations

from pathlib import Path

from headrace.errors import ConfigError
from headrace.infer.nvinfer.config import NvInferConfig


def missing(file: Path) -> str:
    """Why a path is not the file that a configuration wants, and what to do."""
    reason = "is a folder" if file.is_dir() else "does not exist"
    return f"{reason}; check the path, which starts from the configuration's folder"


def read_label_lines(config: NvInferConfig) -> tuple[tuple[str, ...], ...]:
    """The lines of ``labelfile-path``, each split at ``;``; none where no file is set.

    Raises:
        ConfigError: The file is missing or no UTF-8 text.
    """
    if not config.labelfile_path:
        return ()
    path = Path(config.labelfile_path)
    where = f"{config.where('labelfile_path')}={path}"
    if not path.is_file():
        raise ConfigError(f"{where} {missing(path)}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where} cannot be read: {error}; give a UTF-8 text file") from error
    return tuple(tuple(part.strip() for part in line.split(";")) for line in text.rstrip().splitlines())


def class_names(lines: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    """A detector's class names: the first of each line, or all of a single line that holds several.

    Example:
        >>> class_names((("car",), ("person",))), class_names((("car", "person"),))
        (('car', 'person'), ('car', 'person'))
    """
    if len(lines) == 1:
        return tuple(name for name in lines[0] if name)
    return tuple(line[0] for line in lines)
