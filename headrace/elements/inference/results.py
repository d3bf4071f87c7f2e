"""How a model's results become metadata (contract: configs §1.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from headrace.infer import Region
from headrace.infer.attributes import ClassAttributes
from headrace.infer.cluster import admit
from headrace.infer.result import Result
from headrace.meta.batch import Batch
from headrace.meta.detections import Detections
from headrace.meta.frame import FrameMetadata, append_detections
from headrace.meta.preprocess import RoiMetadata
from headrace.meta.skeleton import Edges, Skeleton
from headrace.meta.user import ClassifierMetadata, Label, MetaType, ObjectReidUserMetadata, UserMetadata

_FRAME_BORDER = 6


@dataclass(frozen=True, slots=True)
class ResultSettings:
    """How results are written.

    Attributes:
        unique_id: Component id.
        attributes: Limits and colours of each class; empty for none.
        crop: Cut objects at the margins of their class instead of dropping them.
        filter_out_classes: Classes of detections that are left out.
        classifier_type: What a classifier tells.
        mask_threshold: Values of instance masks above it belong to the object.
    """

    unique_id: int = 1
    attributes: tuple[ClassAttributes, ...] = ()
    crop: bool = False
    filter_out_classes: tuple[int, ...] | None = None
    classifier_type: str = ""
    mask_threshold: float = 0.5


class Target(NamedTuple):
    """What a result speaks of.

    Attributes:
        frame: Position of the frame in the batch.
        row: Row of the object that was looked at, -1 for the frame itself.
        region: The region that nvdspreprocess took, ``None`` otherwise.
        box: The part of the frame that was looked at, ``None`` for all of it or of the object.
    """

    frame: int
    row: int = -1
    region: RoiMetadata | None = None
    box: Region | None = None


def write_results(
    batch: Batch, targets: Sequence[Target], results: Sequence[Result], settings: ResultSettings
) -> None:
    """Write all that a model said of the frames or objects of a batch."""
    found = _plain_boxes(targets, results, settings) if len(results) > 1 else None
    if found is None:
        for target, result in zip(targets, results, strict=True):
            write_result(batch, target, result, settings)
        return
    frame = np.repeat([target.frame for target in targets], [len(one) for one in found])
    append_detections(
        batch.meta.objects, frame, Detections.joined(found), results[0].names, settings.unique_id
    )


def _plain_boxes(
    targets: Sequence[Target], results: Sequence[Result], settings: ResultSettings
) -> list[Detections] | None:
    """What was found, if these are upright boxes of whole frames and nothing else: they are written all at once."""
    if settings.attributes or settings.filter_out_classes is not None:
        return None
    if any(target.row >= 0 for target in targets):
        return None
    names = results[0].names
    found = [one.detections for one in results if one.only_boxes and one.names is names]
    return None if len(found) < len(results) else [one for one in found if one is not None]


def write_result(batch: Batch, target: Target, result: Result, settings: ResultSettings) -> None:
    """Write all that a model said of one frame or object."""
    frame = batch.meta.frames[target.frame]
    if result.detections is not None:
        write_objects(frame, result.detections, result.names, settings, target.row, result.skeleton)
    if result.labels and target.region is not None:
        target.region.classifiers.append(_classification(result.labels, settings))
    row = target.row
    if row < 0 and target.region is None and (result.labels or result.keypoints is not None):
        row = _object_over(batch, frame, result, settings, target.box)
    if row >= 0 and result.labels:
        write_labels(batch, row, result.labels, settings)
    if row >= 0 and result.keypoints is not None:
        batch.meta.objects.skeletons[row] = Skeleton(result.keypoints, result.skeleton)
    if result.embedding is not None:
        _attach(batch, target, ObjectReidUserMetadata(result.embedding))
    if result.segmentation is not None:
        _attach(batch, target, UserMetadata(MetaType.SEGMENTATION, result.segmentation))
    if result.tensors is not None:
        tensors = replace(result.tensors, unique_id=settings.unique_id)
        _attach(batch, target, UserMetadata(MetaType.TENSOR_OUTPUT, tensors))


def write_objects(
    frame: FrameMetadata,
    found: Detections,
    names: Sequence[str],
    settings: ResultSettings,
    parent: int = -1,
    skeleton: Edges | None = None,
) -> None:
    """Append the objects that are wanted."""
    if settings.attributes:
        found = admit(
            found, settings.attributes, (frame.pipeline_width, frame.pipeline_height), settings.crop
        )
    if settings.filter_out_classes is not None:
        found = found[~np.isin(found.class_id, settings.filter_out_classes)]
    rows = frame.add_detections(found, names, settings.unique_id, parent, skeleton)
    if settings.attributes and len(found):
        _color(frame, rows, found, settings.attributes)
    if found.masks is not None:
        for row in range(rows.start, rows.stop):
            frame.table.masks[row].threshold = settings.mask_threshold


def _color(
    frame: FrameMetadata, rows: slice, found: Detections, attributes: Sequence[ClassAttributes]
) -> None:
    table = frame.table
    borders = np.array([one.border_color for one in attributes], np.float32)
    table.column("border_color")[rows] = borders[found.class_id]
    if any(one.bg_color is not None for one in attributes):
        grounds = np.array([one.bg_color or (0, 0, 0, 0) for one in attributes], np.float32)
        table.column("has_bg_color")[rows] = [attributes[c].bg_color is not None for c in found.class_id]
        table.column("bg_color")[rows] = grounds[found.class_id]


def write_labels(batch: Batch, row: int, labels: Sequence[Label], settings: ResultSettings) -> None:
    """Attach a classifier's result to an object; a text that was set already is made longer."""
    table = batch.meta.objects
    meta = _classification(labels, settings)
    table.classifiers.setdefault(row, []).append(meta)
    if row in table.texts:
        words = " ".join(label.label for label in labels if label.label)
        text = table.texts[row]
        text.display_text = f"{text.display_text} {words}".strip()


def _classification(labels: Sequence[Label], settings: ResultSettings) -> ClassifierMetadata:
    own = [replace(label) for label in labels]
    return ClassifierMetadata(settings.unique_id, settings.classifier_type, own)


def _object_over(
    batch: Batch, frame: FrameMetadata, result: Result, settings: ResultSettings, box: Region | None = None
) -> int:
    """What says something of whole frames, or of regions, makes one object of class -1 over each; its row."""
    left, top, right, bottom = box or (0, 0, frame.pipeline_width, frame.pipeline_height)
    ltwh = np.array([left, top, right - left, bottom - top], np.float32)
    confidence = result.labels[0].prob if result.labels else 1.0
    rows = batch.meta.objects.add(
        1, frame=frame.batch_id, class_id=-1, component_id=settings.unique_id, rect=ltwh, detector_box=ltwh,
        confidence=confidence, border_width=_FRAME_BORDER, border_color=(1.0, 0.0, 0.0, 1.0),
    )  # fmt: skip
    return int(rows.start)


def _attach(batch: Batch, target: Target, meta: UserMetadata) -> None:
    if target.region is not None:
        target.region.user.append(meta)
    elif target.row < 0:
        batch.meta.frames[target.frame].user.append(meta)
    else:
        batch.meta.objects.user.setdefault(target.row, []).append(meta)
