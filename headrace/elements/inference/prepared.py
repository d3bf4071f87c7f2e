"""Models on tensors that nvdspreprocess made: whose rows they are, and the way back to the frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from headrace.elements.inference.results import Target
from headrace.errors import ModelError
from headrace.infer.model import Model
from headrace.infer.result import Result
from headrace.meta.batch import BatchMetadata
from headrace.meta.osd import Rect
from headrace.meta.preprocess import PreprocessBatchUserMetadata, RoiMetadata


def prepared_for(meta: BatchMetadata, unique_id: int) -> list[PreprocessBatchUserMetadata]:
    """The tensors of a batch that are for an element."""
    found = [item for item in meta.user if isinstance(item, PreprocessBatchUserMetadata)]
    return [item for item in found if unique_id in item.target_unique_ids]


def targets_of(meta: BatchMetadata, prepared: Sequence[PreprocessBatchUserMetadata]) -> list[Target]:
    """What the rows of tensors show, one after the other: regions, or whole frames where there are none."""
    targets: list[Target] = []
    for item in prepared:
        regions = [Target(region.frame_meta.batch_id, region.row, region) for region in item.regions]
        targets += regions or [Target(index) for index in range(len(meta.frames))]
    return targets


def run_prepared(
    model: Model, meta: BatchMetadata, prepared: Sequence[PreprocessBatchUserMetadata], clip: bool
) -> list[Result]:
    """Run a model on tensors; boxes come back in pixels of the frames.

    Args:
        model: A model that takes tensors.
        meta: The batch.
        prepared: The tensors.
        clip: Cut boxes at their region; what lies outside of it is dropped.

    Raises:
        ModelError: The model takes no tensors, or a tensor has another number of rows than regions.
    """
    results: list[Result] = []
    for item in prepared:
        tensor = item.preprocess_tensor_meta.tensor.numpy()
        regions = item.regions or [_whole(meta, index, tensor.shape) for index in range(len(meta.frames))]
        if len(regions) != len(tensor):
            raise ModelError(f"a tensor of nvdspreprocess has {len(tensor)} rows for {len(regions)} regions")
        found = model.results_of(tensor)
        results += [_placed(result, region, clip) for result, region in zip(found, regions, strict=True)]
    return results


def black_tensors(prepared: Sequence[PreprocessBatchUserMetadata]) -> Callable[[Model], object]:
    """Asks a model of tensors of the same shapes and types, all zero."""
    tensors = [item.preprocess_tensor_meta.tensor.numpy() for item in prepared]
    kinds = [(tensor.shape, tensor.dtype) for tensor in tensors]
    return lambda model: [model.results_of(np.zeros(shape, dtype)) for shape, dtype in kinds]


def _whole(meta: BatchMetadata, index: int, shape: tuple[int, ...]) -> RoiMetadata:
    """A frame that was scaled to a row of a tensor of images as it is."""
    frame = meta.frames[index]
    width, height = frame.pipeline_width, frame.pipeline_height
    last = len(shape) == 4 and shape[3] in (1, 3) and shape[1] not in (1, 3)
    rows, columns = shape[1:3] if last else shape[-2:]
    return RoiMetadata(Rect(0, 0, width, height), frame, scale=(columns / width, rows / height))


def _placed(result: Result, region: RoiMetadata, clip: bool) -> Result:
    if result.tensors is not None:
        result.tensors.scale, result.tensors.offset = region.scale, region.offset
    found = result.detections
    if found is None:
        return result
    across, down = 1 / region.scale[0], 1 / region.scale[1]
    start = region.roi.left - region.offset[0] * across, region.roi.top - region.offset[1] * down
    placed = found.mapped((across, down), start)
    if clip and placed.rotation is None:
        roi = region.roi
        low, high = (
            np.array([roi.left, roi.top] * 2),
            np.array([roi.left + roi.width, roi.top + roi.height] * 2),
        )
        placed.xyxy = np.clip(placed.xyxy, low, high).astype(np.float32)
    kept = np.flatnonzero((placed.xyxy[:, 2:] > placed.xyxy[:, :2]).all(axis=1))
    return replace(result, detections=placed[kept])
