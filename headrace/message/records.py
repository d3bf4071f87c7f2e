"""What a message is made from besides events: plain immutable records of objects and frames.

They are made for every object of every frame and so are msgspec structs, which are built eight times as fast as
frozen dataclasses.
"""

from __future__ import annotations

import msgspec

from headrace.meta.event import Rect


class ObjectRecord(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One object of a frame, as its metadata says.

    Attributes:
        id: Track of the object.
        bbox: Box in pixels of the pipeline.
        classifiers: Pairs of classifier type and label.
        embedding: Vector that describes the object's looks.
        rotation: Degrees clockwise by which the box is turned about its centre.
        pose: ``(x, y, confidence)`` in pixels by name of the joint.
        mask: Outline as polygons, each x, y, x, y, ... in pixels.
    """

    id: int
    label: str
    confidence: float
    bbox: Rect
    class_id: int = 0
    classifiers: tuple[tuple[str, str], ...] = ()
    embedding: tuple[float, ...] = ()
    rotation: float = 0.0
    pose: tuple[tuple[str, tuple[float, ...]], ...] = ()
    mask: tuple[tuple[float, ...], ...] = ()


class FrameRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One frame of one source with its objects.

    Attributes:
        source_id: Index of the source; also picks the entries of the configuration.
        custom_messages: Texts that the full schema carries as they are.
    """

    source_id: int
    frame_number: int
    objects: tuple[ObjectRecord, ...] = ()
    custom_messages: tuple[str, ...] = ()
