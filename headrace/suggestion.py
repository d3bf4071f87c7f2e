"""What somebody who wrote an unknown name may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(
    name: str,
    known: Iterable[str],
    otherwise: str = "",
    text: str = ", did you mean {!r}?",
    likeness: float = 0.5,
) -> str:
    """The end of a message about an unknown name.

    Args:
        name: What was written.
        known: What could have been written.
        otherwise: Said where nothing known is alike.
        text: Said of the name that is most alike.
        likeness: How much alike, 0 to 1 (``difflib.SequenceMatcher.ratio``); more where a name that is not known here
            may well be right.

    Example:
        >>> did_you_mean("trackr", ["tracker", "mux"])
        ", did you mean 'tracker'?"
        >>> did_you_mean("fps", ["tracker", "mux"], otherwise=".")
        '.'
    """
    near = difflib.get_close_matches(name, known, 1, likeness)
    return text.format(near[0]) if near else otherwise
