"""Decoders turn a network's output tensors into detections; one file for each model family."""

from headrace.infer.decoders.base import DecodeOptions, Decoder
from headrace.infer.decoders.registry import choose_decoder, known_decoders

__all__ = ["DecodeOptions", "Decoder", "choose_decoder", "known_decoders"]
