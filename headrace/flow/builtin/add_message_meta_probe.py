"""add_message_meta_probe: an event message for every object, for message converters further on."""

from __future__ import annotations

from typing import Any, ClassVar

import yaml

from headrace import paths
from headrace.errors import ConfigError
from headrace.flow.messages import NOT_AVAILABLE
from headrace.flow.objects.operators import BatchMetadataOperator, Probe
from headrace.meta.batch import BatchMetadata


class EventMessages(BatchMetadataOperator):
    """Adds an event message for each object, in every ``frame-interval``-th frame.

    ``source-config`` is a YAML file with a ``source-list``, whose sensors are told by the source's number;
    ``label-file`` has a label on each line.
    """

    PROPERTIES: ClassVar = {"frame-interval": 1, "source-config": "", "label-file": ""}

    def handle_metadata(self, batch_meta: BatchMetadata) -> None:
        """Add the messages of one batch."""
        interval = max(1, self.get_property("frame-interval"))
        labels, sensors = self._known("label-file", _labels), self._known("source-config", _sensors)
        for frame in batch_meta.frame_items:
            if frame.frame_number % interval:
                continue
            sensor, uri = NOT_AVAILABLE, NOT_AVAILABLE
            if frame.source_id < len(sensors):
                sensor, uri = sensors[frame.source_id]
            for obj in frame.object_items:
                event = batch_meta.acquire_event_message_meta()
                event.generate(obj, frame, sensor, uri, labels)
                frame.append(event)

    def _known(self, name: str, read: Any) -> Any:
        """What a file says, read when it is first needed."""
        path = self.get_property(name)
        cache = self.__dict__.setdefault("_files", {})
        if (name, path) not in cache:
            cache[name, path] = read(path) if path else []
        return cache[name, path]


def _labels(path: str) -> list[str]:
    return [line.strip().lower() for line in _text(path, "label-file").splitlines()]


def _sensors(path: str) -> list[tuple[str, str]]:
    """Name and address of each source of a source configuration."""
    try:
        content = yaml.load(_text(path, "source-config"), yaml.BaseLoader)
        sources = content.get("source-list") or []
        return [
            (source.get("sensor-id") or NOT_AVAILABLE, source.get("uri") or NOT_AVAILABLE)
            for source in sources
        ]
    except (yaml.YAMLError, AttributeError) as error:
        raise ConfigError(
            f"source-config {path}: a YAML file with a source-list expected: {error}"
        ) from error


def _text(path: str, what: str) -> str:
    try:
        return paths.resolve(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{what} {path} cannot be read: {error}") from error


def create(name: str) -> Probe:
    """The probe; properties ``frame-interval``, ``source-config`` and ``label-file``."""
    return Probe(name, EventMessages())
