"""A model's batches on the GPU: frames there straight into the engine's own input, chosen boxes back."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headrace.frames import Frame
from headrace.infer.batch import FrameBatch
from headrace.infer.decoders import BoxDecoder, DecodeOptions, Decoder
from headrace.infer.engines import Engine
from headrace.infer.engines.slots import Slot, SlotEngine, slot_engine
from headrace.infer.files.network_input import NetworkInput
from headrace.infer.options import InferOptions
from headrace.infer.preprocess import Placement
from headrace.infer.preprocess.placement import boxes_to_frames
from headrace.infer.result import BoxResults
from headrace.meta import Detections
from headrace.profiling import span

_log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from headrace.infer.cuda_boxes import CudaBoxes


class DevicePath:
    """Fills the input of an engine's slots, and fetches what its run has made of the outputs; for several threads.

    Frames that do not lie on the device, or in a way that the kernel does not take, are prepared on the host and
    copied. Boxes of decoders that give `Dense` ones are chosen and suppressed on the device; soft suppression and raw
    outputs go the usual way.

    Args:
        engine: Offers slots.
        decoder: What reads the outputs.

    Attributes:
        unread: Frames so far whose boxes were not chosen on the device, because there were too many.
    """

    def __init__(self, engine: SlotEngine, decoder: Decoder) -> None:
        self._engine = engine
        dense = isinstance(decoder, BoxDecoder) and type(decoder).dense is not BoxDecoder.dense
        self._decoder = decoder if dense else None
        self._boxes: CudaBoxes | None = None
        self._wanted = False
        self.unread = 0
        self._looked = False
        self._rows = 0

    @classmethod
    def of(cls, engine: Engine, decoder: Decoder) -> DevicePath | None:
        """The path, if the engine offers slots and Triton is there to compile kernels; ``None`` otherwise."""
        slots = slot_engine(engine)
        return None if slots is None or importlib.util.find_spec("triton") is None else cls(slots, decoder)

    def adjust(self, decode: DecodeOptions, options: InferOptions) -> None:
        """Go on with other thresholds, or at another size; not while a run is under way."""
        self._wanted = options.nms_mode != "soft" and not options.output_tensors
        if not isinstance(self._decoder, BoxDecoder):
            return
        if self._boxes is not None:
            self._boxes.adjust(decode, options)
        else:
            from headrace.infer.cuda_boxes import CudaBoxes

            names = [spec.name for spec in self._engine.graph.outputs]
            self._boxes = CudaBoxes(self._decoder, names, decode, options)

    def warm(self, network: NetworkInput, rows: int | None = None) -> None:
        """Be ready for batches of up to this many rows, at this size of the network's input.

        Args:
            network: Tells the size.
            rows: The greatest batch; the same as before if it is left out, or nothing if none was given yet.

        Raises:
            ModelError: As for a run.
        """
        self._rows = self._rows if rows is None else rows
        if self._rows:
            self._engine.warm(self._rows, network.size, self._boxes if self._wanted else None)

    def black_frame(self) -> Frame:
        """A frame to try things with, on the device."""
        from headrace.infer.preprocess import cuda

        return cuda.black_frame(self._engine.device[1])

    @contextmanager
    def trial(self) -> Iterator[None]:
        """What is run within is no real batch: the next one is looked at as the first is."""
        try:
            yield
        finally:
            self._looked = False

    @contextmanager
    def slot(self, frames: FrameBatch, network: NetworkInput) -> Iterator[Slot]:
        """A slot whose input holds the frames.

        Raises:
            ModelError: The run failed, or the engine is closed.
        """
        finish = self._boxes if self._wanted else None
        with self._engine.slot(len(frames), network.size, finish) as slot:
            with span("preprocess", frames):
                self._fill(slot.input[: len(frames)], frames, network)
            yield slot

    def _fill(self, tensor: Any, frames: FrameBatch, network: NetworkInput) -> None:
        from headrace.infer.preprocess.cuda import supports, upload

        options, device = network.options, self._engine.device
        if tensor.is_floating_point() and all(f.device == device and supports(f, options) for f in frames):
            frames.fill(tensor, options)
            return
        on_host = network.take(len(frames))
        frames.fill(on_host, options)
        upload(on_host, tensor)
        network.give(on_host)

    def boxes(
        self, table: NDArray[np.float32], placements: Sequence[Placement], most: int, names: Sequence[str]
    ) -> tuple[BoxResults, list[int]]:
        """The boxes that a run has kept, in pixels of their frames; see `CudaBoxes.read`.

        Args:
            table: What the slot's run gave.
            placements: Of each frame of the batch.
            most: Boxes of a frame, the most confident.
            names: Names of the classes.

        Returns:
            The boxes, and the frames of which there are none because they have to be read the usual way: those with
            too many candidates, or with numbers that are none, and the first batch, because only the usual way sees by
            the numbers that a graph is of another family.
        """
        from headrace.infer.cuda_boxes import ROOM, CudaBoxes

        found = CudaBoxes.read(table, len(placements), most if self._looked else 0)
        if not self._looked:
            self._looked, unread = True, list(range(len(placements)))
        else:
            unread = found.unread
            if unread and not self.unread:
                _log.warning(
                    "a frame has more than %d boxes above the confidence, or numbers that are none; such frames are "
                    "read in full, which is slower: raise the confidence", ROOM,
                )  # fmt: skip
            self.unread += len(unread)
        corners = boxes_to_frames(found.columns[:4], found.counts, placements)
        boxes = Detections(
            np.ascontiguousarray(corners.T), found.columns[4], found.columns[5].astype(np.int32)
        )
        results = BoxResults(boxes, found.counts, names)
        left = corners[2:] > corners[:2]
        return results if left.all() else results.only(left[0] & left[1]), unread
