"""Models that are a file: engine, preprocessing, decoder and labels put together."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ModelError
from headrace.infer.batch import FrameBatch
from headrace.infer.candidates import strongest, to_numpy
from headrace.infer.decoders import BoxDecoder, DecodeOptions, Decoder, Guess, choose_decoder
from headrace.infer.decoders.base import Outputs, PictureDecoder
from headrace.infer.decoders.scores import NotFiniteError
from headrace.infer.engines import (
    resize,
    run_batch,
    run_each,
    run_slices,
)
from headrace.infer.engines.base import rows_for, settle
from headrace.infer.files.device_path import DevicePath
from headrace.infer.files.fitting import FittingSize, fitting_size, said
from headrace.infer.files.known_inputs import image_graph, with_known_inputs
from headrace.infer.files.model_file import ModelFile
from headrace.infer.files.network_input import NetworkInput
from headrace.infer.model import Model
from headrace.infer.nms import suppress
from headrace.infer.options import InferOptions
from headrace.infer.preprocess import Placement
from headrace.infer.result import Result
from headrace.meta import Detections, TensorOutput
from headrace.profiling import span

_log = logging.getLogger(__name__)
#: Of a batch of images.
_AXES = 4


class FileModel(Model):
    """A model from a file of weights, read by one of Headrace's decoders.

    Boxes come out in frame pixels, upright ones clipped to the frame, most confident first. May be called from
    several threads at once.

    Args:
        file: The file; the model closes its engine.
        options: In place of those of the file, to read one file in several ways.

    Attributes:
        guess: The decoder that was chosen, and why.
        network: The input of the network.

    Raises:
        ModelError: Frames do not fit the model's inputs, or no decoder or more than one fits its outputs.
        ConfigError: The number of labels given is not that of the model's classes.

    Example:
        >>> FileModel(ModelFile.open(InferOptions(model="missing.onnx")))
        Traceback (most recent call last):
        headrace.errors.ModelError: model file missing.onnx does not exist; check the path
    """

    def __init__(self, file: ModelFile, options: InferOptions | None = None) -> None:
        self._options = options = options or file.options
        self.graph = image_graph(file.graph)
        self.guess: Guess = choose_decoder(self.graph, options.decoder)
        try:
            classes = self.decoder.class_count(self.graph)
            usual = self.decoder.preprocess(self.graph), self.decoder.default_input_size(self.graph)
            batched = self.decoder.batched(self.graph)
        except (ValueError, LookupError) as error:
            raise self._unreadable(error) from error
        self.labels = file.labels(classes, self.decoder.class_names)
        self.network = NetworkInput(self.graph, options, *usual)
        self._batched = batched and any(len(spec.shape) == _AXES for spec in file.graph.inputs)
        self._open = any(None in output.shape[1:] for output in self.graph.outputs)
        self._engine = with_known_inputs(file.engine, self.network.size)
        self._fitting = fitting_size(self.decoder, self.graph, options, self.network)
        direct = self._batched and not self._open
        self._device_path = DevicePath.of(self._engine, self.decoder) if direct else None
        self._decode = self._decode_options()
        self.decoder.check(self._decode)

    @property
    def concurrency(self) -> int:
        """See `Model.concurrency`."""
        return self._engine.concurrency

    @property
    def rows(self) -> int | None:
        """See `Model.rows`."""
        return rows_for(self._engine)

    def settle(self, live: bool, pictures: int) -> None:
        """See `Model.settle`."""
        settle(self._engine, live, pictures)

    def fits(self, frames: FrameBatch) -> bool:
        """See `Model.fits`: whether the network runs at the size that these frames and all before need."""
        fitting = self._fitting
        return fitting is None or not len(frames) or fitting.needed(frames) == fitting.size

    def prepare(self, frames: FrameBatch) -> None:
        """See `Model.prepare`: run at the size that these frames and all before need.

        OpenVINO compiles for it, in some tenths of a second. A size at which the network fails on these frames
        is not used, and no other either: then it stays with the file's own.
        """
        fitting = self._fitting
        if fitting is None or self.fits(frames):
            return
        size, began = fitting.needed(frames), time.perf_counter()
        self._go_on_at(size, frames, fitting)
        fitting.size = size
        _log.info("%s: %s", self.graph.path, said(frames, self.network.size, fitting.whole))
        seconds = time.perf_counter() - began
        _log.debug("%s: frames, live ones too, waited %.2f s for that", self.graph.path, seconds)

    def _go_on_at(self, size: tuple[int, int], frames: FrameBatch, fitting: FittingSize) -> None:
        if size == self.network.size:
            return
        if not self._resize(size) or (size != fitting.whole and not self._works(frames)):
            self._fitting = None
            self._resize(fitting.whole)
        if self._device_path is not None:
            self._device_path.warm(self.network)

    def warm(self, pictures: int, whole: bool = True) -> None:
        """See `Model.warm`: for what the device does; black frames go all the way, at the size that most cameras need.

        Raises:
            ModelError: As for a run.
        """
        path, fitting = self._device_path, self._fitting
        if path is None:
            return
        black = FrameBatch([path.black_frame()] * pictures, whole)
        if fitting is not None and fitting.size is None:
            self._go_on_at(fitting.needed(black), black, fitting)
        path.warm(self.network, pictures)
        with path.trial():
            self.results(black)

    def _resize(self, size: tuple[int, int]) -> bool:
        if not resize(self._engine, *size):
            _log.debug("%s keeps its size: graph or engine allow no other", self.graph.path)
            return False
        self.network = self.network.resized(*size)
        self._decode = self._decode_options()
        return True

    def _works(self, frames: FrameBatch) -> bool:
        """Whether outputs follow the size: not if a number of cells, or what belongs to each, is baked in."""
        pairs = zip(self.graph.outputs, self._engine.graph.outputs, strict=True)
        same = any(None not in now.shape[1:] and now.shape[1:] == was.shape[1:] for was, now in pairs)
        if same and isinstance(self.decoder, BoxDecoder) and self.decoder.overlapping:
            _log.debug("%s keeps its size: its outputs do not follow it", self.graph.path)
            return False
        try:
            self.results(FrameBatch([frames[0]], frames.whole))
        except ModelError as error:
            _log.debug("%s keeps its size: %s", self.graph.path, error)
            return False
        return True

    def adjust(self, options: InferOptions) -> None:
        """Go on with other thresholds and limits; see `Model.adjust`."""
        self._options = self._options.adjusted(options)
        self._decode = self._decode_options()

    def _decode_options(self) -> DecodeOptions:
        options = self._options
        least = min([options.confidence, *options.class_confidence.values()])
        decode = DecodeOptions(
            least, *self.network.size, self.labels, options.decoder_options, self.graph.metadata
        )
        if self._device_path is not None:
            self._device_path.adjust(decode, options)
        return decode

    @property
    def decoder(self) -> Decoder:
        """What reads the outputs."""
        return self.guess.decoder

    def results(self, frames: FrameBatch) -> Sequence[Result]:
        """See `Model.results`.

        Raises:
            ModelError: The run failed, or the decoder cannot read the outputs, or they are not finite.
        """
        if not len(frames):
            return []
        if self._device_path is not None:
            return self._on_device(self._device_path, frames)
        network = self.network
        return self._placed(self._on_host(frames), frames.placements, network)

    def _on_device(self, path: DevicePath, frames: FrameBatch) -> Sequence[Result]:
        """Results of a run that leaves what is large on the GPU."""
        rows, decode, network = len(frames), self._decode, self.network
        try:
            with path.slot(frames, network) as slot:
                table = slot.run()
                with span("decode", frames):
                    if table is None:
                        return self._placed(
                            self._read(slot.outputs(), rows, decode), frames.placements, network
                        )
                    found, unread = path.boxes(
                        table, frames.placements, self._options.max_detections, self.labels
                    )
                    self._check_classes(found.boxes.class_id)
                    fits = self._fits(found.boxes)
                    found = found if fits is None else found.only(fits)
                    if not unread:
                        return found
                    part = {name: tensor[unread] for name, tensor in slot.outputs().items()}
                    usual = self._decoded(part, len(unread), decode)
                    placed = self._placed(usual, [frames.placements[row] for row in unread], network)
                    read = dict(zip(unread, placed, strict=True))
                    return [read.get(row) or result for row, result in enumerate(found)]
        except (ValueError, LookupError, TypeError) as error:
            raise self._unreadable(error) from error

    def _on_host(self, frames: FrameBatch) -> list[Result]:
        """Results in pixels of the network's input."""
        network, decode = self.network, self._decode
        tensor = network.take(len(frames))
        with span("preprocess", frames):
            frames.fill(tensor, network.options)
        if not self._batched:
            parts: Iterable[Outputs] = run_each(self._engine, tensor)
        else:  # what differs in length from run to run cannot be joined, and is read run by run
            parts = run_slices(self._engine, tensor) if self._open else [run_batch(self._engine, tensor)]
        results: list[Result] = []
        for outputs in parts:
            with span("decode", frames):
                results += self._read(outputs, _rows(outputs), decode)
        network.give(tensor)
        return results

    def _placed(
        self, results: Iterable[Result], placements: Iterable[Placement], network: NetworkInput
    ) -> list[Result]:
        """Results in pixels of their frames."""
        return [self._place(*pair, network) for pair in zip(results, placements, strict=True)]

    def _place(self, result: Result, placement: Placement, network: NetworkInput) -> Result:
        """A result in pixels of the frame."""
        changes: dict[str, Any] = {}
        if result.detections is not None:
            placed = placement.detections_to_frame(result.detections)
            fits = self._fits(placed)
            changes["detections"] = placed if fits is None else placed[fits]
        if result.keypoints is not None:
            changes["keypoints"] = placement.points_to_frame(result.keypoints)
        if result.segmentation is not None:
            changes["segmentation"] = placement.segmentation_to_frame(result.segmentation, network.size)
        if result.tensors is not None:
            size_of_input = *network.size, network.options.channels
            offset = placement.left, placement.top
            changes["tensors"] = replace(
                result.tensors, network_size=size_of_input, scale=placement.scale, offset=offset
            )
        return replace(result, **changes)

    def _read(self, outputs: Outputs, rows: int, decode: DecodeOptions) -> list[Result]:
        """Results in pixels of the network's input, with the raw outputs where they are wanted."""
        results = self._decoded(outputs, rows, decode)
        if not self._options.output_tensors:
            return results
        # Copies: a row would keep the outputs of the whole batch, which the engine may use again.
        layers = [
            {name: to_numpy(out[row], None).copy() for name, out in outputs.items()} for row in range(rows)
        ]
        pairs = zip(results, layers, strict=True)
        return [replace(result, tensors=result.tensors or TensorOutput(0, own)) for result, own in pairs]

    def _decoded(self, outputs: Outputs, rows: int, decode: DecodeOptions) -> list[Result]:
        decoder = self.decoder
        try:
            if isinstance(decoder, PictureDecoder):
                return decoder.results(outputs, decode)
            if isinstance(decoder, BoxDecoder):
                boxes = self._boxes(decoder, outputs, rows, decode)
                return [Result(detections=found, names=self.labels) for found in boxes]
        except NotFiniteError as error:
            named = [name for name, array in outputs.items() if not np.isfinite(to_numpy(array, None)).all()]
            raise ModelError(
                f"{self.graph.path}: decoder {decoder.name}: {error}; output {', '.join(named) or 'of any name'} "
                "holds NaN or what becomes infinite: export the model again, in float32 where it is float16, and check "
                "how its input is normalised"
            ) from error
        except (ValueError, LookupError, TypeError) as error:
            raise self._unreadable(error) from error
        raise ModelError(f"decoder {decoder.name} is neither a BoxDecoder nor a PictureDecoder")

    def _unreadable(self, reason: Exception) -> ModelError:
        return ModelError(
            f"decoder {self.decoder.name} cannot read the outputs of {self.graph.path} "
            f"({'; '.join(map(str, self.graph.outputs))}): {reason}; name another decoder"
        )

    def _boxes(
        self, decoder: BoxDecoder, outputs: Outputs, rows: int, decode: DecodeOptions
    ) -> list[Detections]:
        options = self._options
        found = decoder.decode(outputs, decode).numpy()
        if not (np.isfinite(found.xyxy).all() and np.isfinite(found.confidence).all()):
            raise NotFiniteError("boxes or confidences are not finite (NaN or infinite)")
        self._check_classes(found.class_id)
        if options.class_confidence:
            least = np.full(
                max(found.class_id.max(initial=0), *options.class_confidence) + 1, options.confidence
            )
            for number, value in options.class_confidence.items():
                least[number] = value
            found = found[found.confidence >= least[found.class_id]]
        if options.classes is not None:
            found = found[np.isin(found.class_id, options.classes)]
        mode = options.nms_mode if decoder.overlapping else "none"
        kept = suppress(found, options.nms, mode, options.confidence)
        if len(kept) > options.max_detections:
            kept = strongest(kept, options.max_detections)
        return decoder.complete(kept, outputs, decode).split(rows)

    def _check_classes(self, classes: NDArray[np.integer[Any]]) -> None:
        worst = int(classes.max(initial=-1))
        if self.labels and worst >= len(self.labels):
            raise ModelError(
                f"{self.graph.path}: class {worst} has no label, there are {len(self.labels)} labels; "
                f"give {worst + 1} or more"
            )

    def _fits(self, found: Detections) -> NDArray[np.bool_] | None:
        """Which boxes are neither too small nor too large; ``None`` where any is right."""
        least, greatest = self._options.least_size, self._options.greatest_size
        if not any(least) and not any(greatest):
            return None
        sides = found.xyxy[:, 2:] - found.xyxy[:, :2]
        fits = (sides >= np.array(least)) & (sides <= np.array([side or np.inf for side in greatest]))
        return np.asarray(fits.all(axis=1))

    def close(self) -> None:
        """Free the engine."""
        self._engine.close()


def _rows(outputs: Outputs) -> int:
    return int(next(iter(outputs.values())).shape[0])
