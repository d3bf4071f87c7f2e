"""Choosing a decoder for a graph."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import lru_cache

from headrace.discovery import Found, discover
from headrace.errors import ModelError
from headrace.infer.decoders.base import AMBIGUOUS, Decoder, Match
from headrace.infer.engines.base import ModelGraph

#: Metadata key by which a model file names its decoder.
METADATA_KEY = "headrace.decoder"


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
    """Decoders that fit a graph, the best first; none for a graph without an input."""
    if not graph.inputs:
        return []
    found = [(decoder, decoder.matches(graph)) for decoder in known_decoders().values()]
    guesses = [Guess(decoder, match) for decoder, match in found if match is not None and match.score > 0]
    return sorted(guesses, key=lambda guess: -guess.match.score)


def choose_decoder(graph: ModelGraph, name: str = "auto") -> Guess:
    """The named decoder, else the one that the file's metadata names, else the best match by shapes.

    Raises:
        ModelError: No decoder has the name, none matches, or several match alike; lists output tensors and decoders.
    """
    decoders = known_decoders()
    wanted = graph.metadata.get(METADATA_KEY, "auto") if name == "auto" else name
    if wanted != "auto":
        if wanted not in decoders:
            raise ModelError(f"decoder {wanted!r} is unknown; use one of {', '.join(sorted(decoders))}")
        source = "named by the user" if name != "auto" else f"named by the file ({METADATA_KEY})"
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
