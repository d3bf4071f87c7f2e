"""Boxes of a batch chosen and suppressed on the GPU, so that a few kilobytes come back instead of every cell.

Two kernels, of fixed shapes, so that they are part of an engine's CUDA graph: one lists the cells whose best class
reaches its least score, the other puts them in order and suppresses as `headrace.infer.nms` does. Frames with more
such cells than there is room for are read the usual way, and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from headrace.infer.candidates import Candidates
from headrace.infer.decoders.base import BoxDecoder, DecodeOptions
from headrace.infer.options import InferOptions

#: Candidates of a frame that are compared with each other.
ROOM = 512
#: Classes and cells that a key has bits for.
_MOST_CLASSES, _MOST_CELLS = 1 << 12, 1 << 20
#: Scores are in 0–1, and may be next to one where a network is quantised.
_HIGHEST = 1.05
_BLOCK = 256


@dataclass(frozen=True, slots=True)
class ChosenBoxes:
    """What came back from the device.

    Attributes:
        candidates: Boxes that were kept, by frame and in order of falling confidence.
        unread: Rows of frames that have to be read the usual way: more candidates than room, or numbers that are
            no scores or boxes.
    """

    candidates: Candidates
    unread: list[int]


class CudaBoxes:
    """Chooses and suppresses boxes of one decoder on the device; called by an engine as part of its run.

    Args:
        decoder: Gives `Dense` boxes.
        names: Of the outputs, in order.
        decode: As for the decoder; its size is that of the inputs that come next.
        options: Thresholds and modes, which `adjust` changes.
    """

    def __init__(
        self, decoder: BoxDecoder, names: Sequence[str], decode: DecodeOptions, options: InferOptions
    ) -> None:
        self._decoder, self._names = decoder, tuple(names)
        self._least: torch.Tensor | None = None
        self._limits: torch.Tensor | None = None
        self.adjust(decode, options)

    def adjust(self, decode: DecodeOptions, options: InferOptions) -> None:
        """Go on with other thresholds, or at another size; not while a run is under way."""
        self._decode, self._options = decode, options
        if self._least is not None and self._limits is not None:
            self._least.copy_(self._least_scores(len(self._least)))
            self._limits.copy_(self._overlaps())

    def __call__(self, outputs: Sequence[Any]) -> torch.Tensor:
        """The kept boxes of every frame, ``(N, 1 + ROOM, 6)`` on the device; see `read`.

        Raises:
            ValueError: The decoder gives no dense boxes of such outputs, or too many for a key's bits.
        """
        from headrace.infer.cuda_boxes_kernel import candidates_kernel, suppression_kernel

        dense = self._decoder.dense(dict(zip(self._names, outputs, strict=True)), self._decode)
        if dense is None:
            raise ValueError(f"decoder {self._decoder.name} gives no dense boxes")
        boxes, scores, objectness = dense.boxes, dense.scores, dense.objectness
        frames, cells, classes = scores.shape
        if classes > _MOST_CLASSES or cells > _MOST_CELLS:
            raise ValueError(f"{cells} cells of {classes} classes are too many")
        device = scores.device
        if self._least is None or self._limits is None:  # at the first, unrecorded run
            self._least = self._least_scores(classes).to(device)
            self._limits = self._overlaps().to(device)
        keys = torch.empty((frames, ROOM), dtype=torch.int64, device=device)
        counts = torch.zeros((frames, 2), dtype=torch.int32, device=device)
        ordered = torch.empty((frames, ROOM, 6), dtype=torch.float32, device=device)
        out = torch.empty((frames, 1 + ROOM, 6), dtype=torch.float32, device=device)
        trust = scores if objectness is None else objectness
        candidates_kernel[(-(-cells // _BLOCK), frames)](
            scores, trust, self._least, keys, counts, cells, *scores.stride(), *trust.stride()[:2],
            CLASSES=classes, OBJECTNESS=objectness is not None, ROOM=ROOM, HIGHEST=_HIGHEST, BLOCK=_BLOCK,
        )  # fmt: skip
        suppression_kernel[(frames,)](
            boxes, keys, counts, self._limits, ordered, out, *boxes.stride(), CENTRES=dense.centres, ROOM=ROOM
        )
        return out

    @staticmethod
    def read(chosen: NDArray[np.float32], rows: int) -> ChosenBoxes:
        """What `__call__` gave, on the host; arrays of its own.

        Args:
            chosen: The tensor.
            rows: Frames of the batch; rows beyond are left out.
        """
        kept, found, odd = (chosen[:rows, 0, column].astype(np.intp) for column in range(3))
        unread = (found > ROOM) | (odd > 0)
        kept[unread] = 0
        table = chosen[:rows, 1:][np.arange(ROOM) < kept[:, None]]
        frame = np.repeat(np.arange(rows), kept)
        boxes = Candidates(frame, table[:, :4], table[:, 4], table[:, 5].astype(np.intp))
        return ChosenBoxes(boxes, np.flatnonzero(unread).tolist())

    def _least_scores(self, classes: int) -> torch.Tensor:
        """The least score of each class; infinite for those that nobody wants."""
        options = self._options
        least = np.full(classes, options.confidence, np.float64)
        for number, value in options.class_confidence.items():
            least[number : number + 1] = value
        # Scores are compared in single precision: the next number up is the least that reaches the confidence.
        single = least.astype(np.float32)
        if options.class_confidence:
            single = np.where(single < least, np.nextafter(single, np.float32(np.inf)), single)
        if options.classes is not None:
            single[~np.isin(np.arange(classes), options.classes)] = np.inf
        return torch.from_numpy(single)

    def _overlaps(self) -> torch.Tensor:
        options = self._options
        mode = options.nms_mode if self._decoder.overlapping else "none"
        return torch.tensor([2.0 if mode == "none" else options.nms, float(mode != "agnostic")])
