"""Decoders turn a network's output tensors into results; one file for each model family."""

from headrace.infer.decoders.base import BoxDecoder, DecodeOptions, Decoder, Match, PictureDecoder
from headrace.infer.decoders.registry import Guess, choose_decoder, guess_decoders, known_decoders

__all__ = [
    "BoxDecoder",
    "DecodeOptions",
    "Decoder",
    "Guess",
    "Match",
    "PictureDecoder",
    "choose_decoder",
    "guess_decoders",
    "known_decoders",
]
