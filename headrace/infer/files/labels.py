"""Class names: from the user, from the model file, or COCO's for eighty classes."""

from __future__ import annotations

import ast
from pathlib import Path

from headrace.errors import ConfigError, ModelError
from headrace.paths import resolve

#: The 80 classes of COCO in the order of training code (https://cocodataset.org).
COCO = tuple(
    """person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,
parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,
suitcase,frisbee,skis,snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,
tennis racket,bottle,wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,
hot dog,pizza,donut,cake,chair,couch,potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,
cell phone,microwave,oven,toaster,sink,refrigerator,book,clock,vase,scissors,teddy bear,hair drier,
toothbrush""".replace("\n", "").split(",")
)


_names = iter(COCO)
#: The same by COCO's category numbers, 0 to 90; number 0 and ten others are not used.
COCO_CATEGORIES = tuple(
    "N/A" if number in (0, 12, 26, 29, 30, 45, 66, 68, 69, 71, 83) else next(_names) for number in range(91)
)


def read_labels(labels: str | Path | tuple[str, ...]) -> tuple[str, ...]:
    """Class names as given, or from a text file with one on each line (empty lines at its end ignored).

    Raises:
        ConfigError: The file cannot be read as UTF-8 text, or there is no label.
    """
    if isinstance(labels, tuple):
        names = labels
    else:
        try:
            text = resolve(labels).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"labels file {labels} cannot be read: {error}; give a UTF-8 text file"
            ) from error
        names = tuple(line.strip() for line in text.rstrip().splitlines())
    if not names or names == ("",):
        raise ConfigError(f"labels {labels} hold no label; write one on each line")
    return names


def labels_in_metadata(metadata: dict[str, str], path: str) -> tuple[str, ...] | None:
    """Class names that an exporter stored as ``names``: a mapping from number to name, or a list.

    Raises:
        ModelError: ``names`` is there but is neither, or leaves out a number.
    """
    text = metadata.get("names")
    if not text:
        return None
    try:
        names = ast.literal_eval(text)
        if isinstance(names, str):
            raise TypeError("one name")
        pairs = dict(names) if isinstance(names, dict) else dict(enumerate(names))
        by_number = {int(key): str(value) for key, value in pairs.items()}
        return tuple(by_number[i] for i in range(len(by_number)))
    except (ValueError, TypeError, SyntaxError, KeyError, RecursionError, MemoryError) as error:
        raise ModelError(
            f"{path}: metadata names {text[:60]!r} are no class names by number; give a labels file"
        ) from error


def choose_labels(
    given: tuple[str, ...] | None, stored: tuple[str, ...] | None, classes: int | None, path: str
) -> tuple[str, ...]:
    """The class names of a model: those given, else those stored, else by the number of classes.

    Args:
        given: Names from the user.
        stored: Names from the model file.
        classes: Number of classes by the graph; ``None`` when it does not tell.
        path: The model file, for messages.

    Returns:
        One name for each class; COCO's for 80 classes, and for 91 by category numbers, else ``class 0`` and so on;
        empty when nothing tells.

    Raises:
        ConfigError: The number of names given differs from the number of classes.
        ModelError: The same for names stored in the file.
    """
    for names, error in ((given, ConfigError), (stored, ModelError)):
        if names is None:
            continue
        if classes is not None and len(names) != classes:
            source = "the labels given" if names is given else "the labels in the model file"
            raise error(f"{source} are {len(names)}, but {path} has {classes} classes; give {classes} labels")
        return names
    for names in (COCO, COCO_CATEGORIES):
        if classes == len(names):
            return names
    return tuple(f"class {number}" for number in range(classes or 0))
