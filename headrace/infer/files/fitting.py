"""How large the input of a network that takes any size has to be for the frames that it is given."""

from __future__ import annotations

from headrace.infer.batch import FrameBatch
from headrace.infer.decoders import BoxDecoder, Decoder
from headrace.infer.engines import ModelGraph
from headrace.infer.files.network_input import NetworkInput
from headrace.infer.options import InferOptions
from headrace.infer.preprocess import PreprocessOptions, least_size


class FittingSize:
    """The size that shows all frames so far as the network's whole input does: it only grows.

    Several sizes of frames need what holds each of them, wide and tall ones together the whole input. What is cut out
    of frames comes in any shape, and needs the whole input, too.

    Args:
        whole: Width and height of the whole input in pixels; multiples of ``step``.
        step: Pixels for each cell of the network's coarsest map.
        options: How frames are placed.

    Attributes:
        whole: Width and height of the whole input.
        size: What is used; ``None`` before the first frames.

    Example:
        >>> from headrace.frames import Frame
        >>> fitting = FittingSize((640, 640), 32, PreprocessOptions())
        >>> fitting.needed(FrameBatch([Frame.empty("RGB", 1920, 1080)]))
        (640, 384)
    """

    def __init__(self, whole: tuple[int, int], step: int, options: PreprocessOptions) -> None:
        self.whole = whole
        self.size: tuple[int, int] | None = None
        self._step, self._options = step, options

    def needed(self, frames: FrameBatch) -> tuple[int, int]:
        """Width and height for these frames and all before them."""
        if not frames.whole:
            return self.whole
        sizes = {(frame.width, frame.height) for frame in frames}
        needs = [least_size(one, self.whole, self._step, self._options) for one in sizes]
        width, height = map(max, zip(*needs, self.size or needs[0], strict=True))
        return width, height


def said(frames: FrameBatch, size: tuple[int, int], whole: tuple[int, int]) -> str:
    """What users are told of a size."""
    shown = ", ".join(sorted({f"{frame.width}x{frame.height}" for frame in frames}))
    instead = f" instead of {whole[0]}x{whole[1]}" if size != whole else ""
    return f"frames of {shown} run at {size[0]}x{size[1]}{instead}"


def fitting_size(
    decoder: Decoder, graph: ModelGraph, options: InferOptions, network: NetworkInput
) -> FittingSize | None:
    """What finds the size for a model's frames; ``None`` where it has to be the model's own.

    That is where the user gives the size or wants none but the file's, where pictures are stretched, and where the
    decoder's boxes do not go by the cells of maps.
    """
    if not options.rectangular or options.input_size is not None or network.options.resize != "letterbox":
        return None
    step = decoder.size_step(graph) if isinstance(decoder, BoxDecoder) else None
    if step is None or len(graph.inputs) != 1 or any(side % step for side in network.size):
        return None
    return FittingSize(network.size, step, network.options)
