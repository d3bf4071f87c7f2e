"""Choosing a decoder for a graph."""

from __future__ import annotations

import importlib
from functools import lru_cache

from headrace.discovery import Found, discover
from headrace.errors import ModelError
from headrace.infer.decoders.base import Decoder
from headrace.infer.engines.base import ModelGraph

#: Metadata key by which a model file names its decoder.
METADATA_KEY = "headrace.decoder"


@lru_cache(maxsize=1)
def _found() -> Found:
    return discover(importlib.import_module("headrace.infer.decoders"), "_decoder", "DECODER")


def known_decoders() -> dict[str, Decoder]:
    """Every decoder by its name."""
    return dict(_found().items)


def choose_decoder(graph: ModelGraph, name: str = "auto") -> Decoder:
    """The named decoder, else the one that the file's metadata names, else the best match by shapes.

    Raises:
        ModelError: No decoder has the name, or none matches; lists output tensors and known decoders.
    """
    decoders = known_decoders()
    wanted = graph.metadata.get(METADATA_KEY, "auto") if name == "auto" else name
    if wanted != "auto":
        if wanted not in decoders:
            raise ModelError(f"decoder {wanted!r} is unknown; use one of {', '.join(sorted(decoders))}")
        return decoders[wanted]
    scores = {decoder.name: decoder.matches(graph) or 0.0 for decoder in decoders.values()}
    best = max(scores, key=lambda key: scores[key])
    if scores[best] <= 0:
        raise ModelError(
            f"no decoder fits {graph.path}; outputs: {'; '.join(map(str, graph.outputs))}; known decoders: "
            f"{', '.join(sorted(decoders))}. Name one of them, or write a Python model that decodes"
        )
    return decoders[best]
