"""Choosing a decoder for a graph."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import lru_cache

from headrace.discovery import Found, discover
from headrace.errors import ModelError
from headrace.infer.decoders.base import AMBIGUOUS, Decoder, Match
from headrace.infer.engines.base import ModelGraph
from headrace.suggestion import did_you_mean

#: Metadata key by which a model file names its decoder.
METADATA_KEY = "headrace.decoder"
#: How the names of number types begin; texts, sequences and maps are none.
_NUMBERS = ("float", "bfloat", "int", "uint", "bool")


@dataclass(frozen=True, slots=True)
class Guess:
    """A decoder that may fit a graph.

    Attributes:
        decoder: The decoder.
        match: How well, and why.

    Example:
        >>> guess = Guess(known_decoders()["yolox"], Match(0.9, "rows"))
        >>> str(guess)
        'yolox (0.90: rows)'
    """

    decoder: Decoder
    match: Match

    def __str__(self) -> str:
        return f"{self.decoder.name} ({self.match.score:.2f}: {self.match.reason})"


@lru_cache(maxsize=1)
def _found() -> Found:
    return discover(importlib.import_module("headrace.infer.decoders"), "_decoder", "DECODER")


def known_decoders() -> dict[str, Decoder]:
    """Every decoder by its name."""
    return dict(_found().items)


def guess_decoders(graph: ModelGraph) -> list[Guess]:
    """Decoders that fit a graph, the best first; none for one without an input, or with outputs that are no numbers."""
    if not graph.inputs or not all(output.dtype.startswith(_NUMBERS) for output in graph.outputs):
        return []
    found = [(decoder, _match(decoder, graph)) for decoder in known_decoders().values()]
    guesses = [Guess(decoder, match) for decoder, match in found if match is not None and match.score > 0]
    return sorted(guesses, key=lambda guess: -guess.match.score)


def _match(decoder: Decoder, graph: ModelGraph) -> Match | None:
    try:
        return decoder.matches(graph)
    except IndexError:  # an axis that the family has is missing: a scalar, or a tensor of unknown rank
        return None


def choose_decoder(graph: ModelGraph, name: str = "auto") -> Guess:
    """The named decoder, else the one that the file's metadata names, else the best match by shapes.

    Raises:
        ModelError: No decoder has the name, none matches, or several match alike; lists output tensors and decoders.
    """
    decoders = known_decoders()
    wanted = graph.metadata.get(METADATA_KEY, "auto") if name == "auto" else name
    if wanted != "auto":
        source = "named by the user" if name != "auto" else f"named by the file ({METADATA_KEY})"
        if wanted not in decoders:
            hint = did_you_mean(wanted, decoders, ".", ", did you mean {}?")
            raise ModelError(
                f"{graph.path}: decoder {wanted!r}, {source}, is unknown{hint} Known: {', '.join(sorted(decoders))}"
            )
        return Guess(decoders[wanted], Match(1.0, source))
    guesses = guess_decoders(graph)
    if not guesses:
        raise ModelError(
            f"no decoder fits {graph.path}; outputs: {'; '.join(map(str, graph.outputs))}; known decoders: "
            f"{', '.join(sorted(decoders))}. Name one of them, or write a Python model that decodes"
        )
    alike = [g for g in guesses if guesses[0].match.score - g.match.score < AMBIGUOUS]
    if len(alike) > 1:
        raise ModelError(
            f"{graph.path} may be of several families: {'; '.join(map(str, alike))}. Name the decoder: "
            f"{' or '.join(guess.decoder.name for guess in alike)}"
        )
    return guesses[0]
