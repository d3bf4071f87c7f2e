"""kitti_dump_probe: writes the objects of each frame to a text file in KITTI's form."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from headrace import paths
from headrace.flow.objects.operators import BatchMetadataOperator, Probe
from headrace.meta.batch import BatchMetadata
from headrace.meta.frame import FrameMetadata
from headrace.meta.object import ObjectMetadata


class KittiDump(BatchMetadataOperator):
    """Writes ``<pad>_<frame>.txt`` for each frame: a line for each object, boxes in pixels of the muxer's frames."""

    PROPERTIES: ClassVar = {"kitti-dir": "/tmp/kitti", "tracker-kitti-output": False}

    def handle_metadata(self, batch_meta: BatchMetadata) -> None:
        """Write the frames of one batch."""
        folder = paths.resolve(self.get_property("kitti-dir"))
        folder.mkdir(parents=True, exist_ok=True)
        for frame in batch_meta.frame_items:
            self._write(folder / f"{frame.pad_index:03d}_{frame.frame_number:06d}.txt", frame)

    def _write(self, path: Path, frame: FrameMetadata) -> None:
        tracked = self.get_property("tracker-kitti-output")
        lines = (kitti_line(obj, tracked) for obj in frame.object_items)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def kitti_line(obj: ObjectMetadata, tracked: bool) -> str:
    """An object in KITTI's form: label, [track,] 0.0 0 0.0, left top right bottom, seven zeros, confidence.

    Args:
        obj: The object.
        tracked: Whether its track's number is written, and the tracker's confidence.
    """
    box = obj.rect_params
    edges = (box.left, box.top, box.left + box.width, box.top + box.height)
    track = f" {obj.object_id}" if tracked else ""
    confidence = obj.tracker_confidence if tracked else obj.confidence
    numbers = " ".join(f"{edge:f}" for edge in edges)
    return f"{obj.label}{track} 0.0 0 0.0 {numbers} {' '.join(['0.0'] * 7)} {confidence:f}"


def create(name: str) -> Probe:
    """The probe; properties ``kitti-dir`` and ``tracker-kitti-output``."""
    return Probe(name, KittiDump())
