"""The common part of the JPEG encoders."""

from __future__ import annotations

from gi.repository import Gst

from headrace.elements.base.built import Built
from headrace.elements.base.caps import ANY_CAPS
from headrace.elements.base.parts import make
from headrace.gst.face import template


class JpegEncoder(Built):
    """Face of an encoder with a property ``quality``, from 0 to 100."""

    __gsttemplates__ = (
        template("sink", Gst.PadDirection.SINK, ANY_CAPS),
        template("src", Gst.PadDirection.SRC, Gst.Caps.from_string("image/jpeg")),
    )

    def build(self) -> list[Gst.Element]:
        """Converter and encoder.

        Raises:
            PipelineError: The encoder is not installed.
        """
        snapshot = getattr(self.options, "snapshot", False)
        settings = {"snapshot": snapshot, "quality": self.options.quality}
        return [make("nvvideoconvert"), make("jpegenc", "encoder", settings)]

    def option_changed(self, field: str) -> None:
        """The quality may change while playing."""
        if field == "quality" and self.parts:
            self.parts[-1].set_property("quality", self.options.quality)
