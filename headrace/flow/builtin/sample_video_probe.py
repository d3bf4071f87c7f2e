"""sample_video_probe: counts people and vehicles and draws the counts."""

from __future__ import annotations

from typing import ClassVar

from headrace.flow.objects.operators import BatchMetadataOperator, Probe
from headrace.meta import osd
from headrace.meta.batch import BatchMetadata

#: Classes in the order of DeepStream's traffic models.
_VEHICLE, _PERSON = 0, 2


class CountDrawer(BatchMetadataOperator):
    """Draws ``Person=2,Vehicle=5`` at the top left of each frame."""

    PROPERTIES: ClassVar = {"font-size": 12}

    def handle_metadata(self, batch_meta: BatchMetadata) -> None:
        """Count and draw in the frames of one batch."""
        for frame in batch_meta.frame_items:
            classes = [obj.class_id for obj in frame.object_items]
            display = batch_meta.acquire_display_meta()
            display.add_text(self._text(classes.count(_PERSON), classes.count(_VEHICLE)))
            frame.append(display)

    def _text(self, people: int, vehicles: int) -> osd.Text:
        text = osd.Text()
        text.display_text = f"Person={people},Vehicle={vehicles}"
        text.x_offset, text.y_offset = 10, 12
        text.font.name = osd.FontFamily.Serif
        text.font.size = self.get_property("font-size")
        text.font.color = osd.Color(1.0, 1.0, 1.0, 1.0)
        text.set_bg_color = True
        text.bg_color = osd.Color(0.0, 0.0, 0.0, 1.0)
        return text


def create(name: str) -> Probe:
    """The probe; property ``font-size``."""
    return Probe(name, CountDrawer())
