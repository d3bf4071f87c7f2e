"""nvmsgconv: makes messages of what the metadata says.

gst-launch-1.0 ... ! nvtracker ! nvmsgconv payload-type=1 msg2p-newapi=true ! nvmsgbroker proto-lib=file ...
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from headrace.elements.base.filter import Filter
from headrace.errors import ConfigError
from headrace.gst.face import properties_of
from headrace.gst.options import option
from headrace.message import EventMessage, FrameRecord, MessageConverter, MsgConvConfig, ObjectRecord, Rect
from headrace.message.outline import outline
from headrace.meta.batch import Batch, BatchMetadata
from headrace.meta.frame import FrameMetadata
from headrace.meta.objects import ObjectTable
from headrace.meta.skeleton import Skeleton
from headrace.meta.user import ClassifierMetadata, MetaType, UserMetadata, embedding_of


@dataclasses.dataclass(frozen=True)
class MsgConvOptions:
    """Options of nvmsgconv."""

    config: str = option("", "file that describes sensors, places and modules")
    payload_type: int = option(0, "schema: 0 full, 1 minimal", maximum=257)
    msg2p_newapi: bool = option(False, "make messages of frames and their objects instead of event metas")
    frame_interval: int = option(30, "with msg2p-newapi: every n-th frame of a source", minimum=1)
    comp_id: int = option(0, "only events of this component; 0: of all")
    debug_payload_dir: str = option("", "folder that gets a file for each payload")
    multiple_payloads: bool = option(False, "several payloads an event", no_effect="always allowed")
    dummy_payload: bool = option(False, "also a message for frames without an event", no_effect="not sent")
    msg2p_lib: str = option("", "payload library", no_effect="payloads are made in Python")
    embedding_filter: str = option(
        "", "classes whose embeddings are sent, names or numbers such as person;2; all"
    )


class MsgConv(Filter):
    """Face of the payload schemas; payloads are attached to the frame as user metas."""

    __gtype_name__ = "HeadraceMsgConv"
    factory = "nvmsgconv"
    options_type = MsgConvOptions
    __gproperties__ = properties_of(MsgConvOptions)
    __gstmetadata__ = ("Message converter", "Filter/Metadata", "Makes messages of metadata", "Headrace")

    def start(self) -> None:
        """Read the configuration."""
        options = self.options
        config = MsgConvConfig.load(options.config) if options.config else None
        if options.payload_type == 0 and config is None:
            raise ConfigError("payload-type=0 needs config=FILE with the sensors; or use payload-type=1")
        self.embedded = frozenset(
            filter(None, (part.strip() for part in options.embedding_filter.split(";")))
        )
        self.converter = MessageConverter(options.payload_type, config)
        self.seen: dict[int, int] = {}
        self.written = 0

    def process(self, batch: Batch, buffer: int) -> None:
        """Attach the payloads of each frame."""
        for frame in batch.meta.frames:
            payloads = (
                self._from_frame(batch.meta, frame) if self.options.msg2p_newapi else self._from_events(frame)
            )
            for text in payloads + self._from_answers(batch.meta, frame) + self._from_analytics(frame):
                frame.user.append(UserMetadata(MetaType.PAYLOAD, text))
                self._dump(text)

    def _from_events(self, frame: FrameMetadata) -> list[bytes]:
        events = [event for meta in frame.user if (event := event_of(meta.data)) is not None]
        if self.options.comp_id:
            events = [event for event in events if event.component_id == self.options.comp_id]
        return self.converter.from_events(events)

    def _from_frame(self, meta: BatchMetadata, frame: FrameMetadata) -> list[bytes]:
        count = self.seen.get(frame.source_id, 0)
        self.seen[frame.source_id] = count + 1
        if count % self.options.frame_interval:
            return []
        return self.converter.from_frame(frame_record(meta, frame, self.embedded))

    def _from_answers(self, meta: BatchMetadata, frame: FrameMetadata) -> list[bytes]:
        """Every answer of hrvlm is sent, whatever ``frame-interval`` says: it comes once."""
        items = [*frame.user]
        if meta.objects.user:
            items += (
                item
                for row in meta.objects.rows_of(frame.batch_id).tolist()
                for item in meta.objects.user.get(row, ())
            )
        answers = [item.data for item in items if item.meta_type == MetaType.VLM_RESULT]
        return [self.converter.from_answer(one.source_id, one.frame_number, one.to_dict()) for one in answers]

    def _from_analytics(self, frame: FrameMetadata) -> list[bytes]:
        """Every event of the analytics is sent, with the wall clock of its frame where that is known."""
        events = [item.data for item in frame.user if item.meta_type == MetaType.ANALYTICS_EVENT]
        return [self.converter.from_analytics(event, frame.ntp_timestamp) for event in events]

    def _dump(self, text: bytes) -> None:
        if self.options.debug_payload_dir:
            self.written += 1
            (Path(self.options.debug_payload_dir) / f"payload-{self.written:06d}.json").write_bytes(text)


def event_of(data: object) -> EventMessage | None:
    """The event that user data is or, as those of pyds programs do, can be made into; ``None`` for other data."""
    if isinstance(data, EventMessage):
        return data
    make = getattr(data, "event_message", None)
    return make() if callable(make) else None


def frame_record(
    meta: BatchMetadata, frame: FrameMetadata, embedded: frozenset[str] = frozenset()
) -> FrameRecord:
    """A frame and its objects as messages want them.

    Args:
        meta: The batch.
        frame: The frame.
        embedded: Names or numbers of the classes whose embeddings are sent; empty for all.
    """
    table = meta.objects
    rows = table.rows_of(frame.batch_id)
    names = ("object_id", "label", "confidence", "class_id", "rotation")
    columns = (table.column(name)[rows].tolist() for name in names)
    boxes = map(Rect, *(side[rows].tolist() for side in table.column("rect").T))
    objects = tuple(
        ObjectRecord(
            id=object_id, label=label, confidence=confidence, bbox=box, class_id=class_id, rotation=rotation,
            classifiers=_classes(table.classifiers[row]) if row in table.classifiers else (),
            mask=outline(table.masks[row], box.left, box.top, box.width, box.height) if row in table.masks else (),
            pose=_pose(table.skeletons[row]) if row in table.skeletons else (),
            embedding=_embedding(table, row, embedded) if row in table.user else (),
        )
        for row, box, object_id, label, confidence, class_id, rotation in zip(
            rows.tolist(), boxes, *columns, strict=True
        )
    )  # fmt: skip
    return FrameRecord(source_id=frame.source_id, frame_number=frame.frame_number, objects=objects)


def _pose(skeleton: Skeleton) -> tuple[tuple[str, tuple[float, ...]], ...]:
    points = np.round(skeleton.points.astype(np.float64), 3).tolist()
    return tuple((name, tuple(point)) for name, point in zip(skeleton.names, points, strict=True))


def _embedding(table: ObjectTable, row: int, classes: frozenset[str]) -> tuple[float, ...]:
    vector = embedding_of(table.user[row])
    if vector is None or (
        classes and classes.isdisjoint((table.cell("label", row), str(table.cell("class_id", row))))
    ):
        return ()
    return tuple(vector.tolist())


def _classes(results: list[ClassifierMetadata]) -> tuple[tuple[str, str], ...]:
    return tuple((result.classifier_type, label.label) for result in results for label in result.labels)
