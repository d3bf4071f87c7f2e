"""A model's batches on the GPU: frames there straight into the engine's own input, chosen boxes back."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headrace.infer.batch import FrameBatch
from headrace.infer.candidates import Candidates, strongest
from headrace.infer.decoders import BoxDecoder, DecodeOptions, Decoder
from headrace.infer.engines import Engine
from headrace.infer.engines.slots import Slot, SlotEngine, slot_engine
from headrace.infer.files.network_input import NetworkInput
from headrace.infer.options import InferOptions
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

    def boxes(self, table: NDArray[np.float32], rows: int, most: int) -> tuple[Candidates, list[int]]:
        """The boxes that a run has kept, as `CudaBoxes` tells them.

        Args:
            table: What the slot's run gave.
            rows: Frames of the batch.
            most: Boxes of a frame, the most confident.

        Returns:
            The boxes, and the frames of which there are none because they have to be read the usual way: those with
            too many candidates, or with numbers that are none, and the first batch, because only the usual way sees by
            the numbers that a graph is of another family.
        """
        from headrace.infer.cuda_boxes import ROOM, CudaBoxes

        found = CudaBoxes.read(table, rows)
        if not self._looked:
            self._looked = True
            return found.candidates[:0], list(range(rows))
        if found.unread and not self.unread:
            _log.warning(
                "a frame has more than %d boxes above the confidence, or numbers that are none; such frames are read "
                "in full, which is slower: raise the confidence", ROOM,
            )  # fmt: skip
        self.unread += len(found.unread)
        return strongest(found.candidates, most), found.unread
