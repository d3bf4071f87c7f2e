"""Licence plates: TAO's LPRNet says a character, or none, for each of some places along the plate."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ConfigError, ModelError
from headrace.infer.parsers.custom import NetworkInfo, ParseParams
from headrace.meta import Label

#: Where TAO's programs keep the characters: in the working folder, one on each line.
CHARACTERS = "dict.txt"


def parse_plate(
    outputs: Mapping[str, NDArray[Any]], network: NetworkInfo, params: ParseParams
) -> list[Label]:
    """The text of a plate, by greedy CTC decoding (Graves et al., ICML 2006).

    A character that follows itself is the same one; the number after the last character's stands for none.

    Args:
        outputs: One layer of integers, the best character at each place, and one of floats, its probability.
        network: Not looked at.
        params: ``labels`` are the characters, one in each line; where there are none they come from ``dict.txt`` in
            the working folder.

    Returns:
        One label with the text and the least probability of its characters; none for an empty plate.

    Raises:
        ModelError: The layers are not of this kind, or name a character that there is not.
        ConfigError: There are no characters.
    """
    numbers = [array.ravel() for array in outputs.values() if np.issubdtype(array.dtype, np.integer)]
    chances = [array.ravel() for array in outputs.values() if np.issubdtype(array.dtype, np.floating)]
    if len(numbers) != 1 or len(chances) != 1 or numbers[0].shape != chances[0].shape:
        shapes = ", ".join(f"{name} {array.dtype}{list(array.shape)}" for name, array in outputs.items())
        raise ModelError(
            f"a plate needs a layer of integers and one of their probabilities; there are: {shapes}"
        )
    characters = [line[0] for line in params.labels if line] or _characters()
    places = numbers[0]
    if len(places) and not 0 <= places.min() <= places.max() <= len(characters):
        raise ModelError(
            f"the plate has character {places.max()}, but there are {len(characters)} characters"
        )
    fresh = np.flatnonzero(np.diff(places, prepend=-1) != 0)
    kept = fresh[places[fresh] < len(characters)]
    if not len(kept) or chances[0][kept].min() <= params.thresholds[0]:
        return []
    text = "".join(characters[number] for number in places[kept])
    return [Label(text, prob=float(chances[0][kept].min()), num_classes=len(characters))]


def _characters() -> list[str]:
    try:
        lines = Path(CHARACTERS).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigError(
            f"the characters of plates are missing: set labelfile-path, or put {CHARACTERS} into the working folder, "
            "one character on each line"
        ) from error
    return [line.strip() for line in lines if line.strip()]
