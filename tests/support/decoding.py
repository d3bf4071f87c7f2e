"""Decoders in tests: what they find, frame by frame, as a model file would give it."""

from headrace.infer.decoders import BoxDecoder, DecodeOptions
from headrace.infer.nms import suppress
from headrace.meta import Detections


def decoded(decoder, outputs, options: DecodeOptions, iou: float = 0.5) -> list[Detections]:
    """Boxes of each frame in pixels of the network's input, after suppression where the family needs it."""
    assert isinstance(decoder, BoxDecoder)
    found = decoder.decode(outputs, options).numpy()
    kept = suppress(found, iou, "class" if decoder.overlapping else "none")
    return decoder.complete(kept, outputs, options).split(len(next(iter(outputs.values()))))
