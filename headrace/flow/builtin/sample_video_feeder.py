"""sample_video_feeder: feeds raw frames from a file into an appsrc."""

from __future__ import annotations

from typing import BinaryIO, ClassVar, cast

import numpy as np

from headrace import paths
from headrace.errors import ConfigError
from headrace.flow.objects.feeders import Feeder
from headrace.flow.objects.operators import BufferProvider
from headrace.frames.frame import PIXEL_FORMATS, PixelFormat
from headrace.frames.surface import SurfaceLayout
from headrace.meta.buffer import Buffer


class FrameFile(BufferProvider):
    """Reads a frame of ``frame-width`` × ``frame-height`` in ``format`` from ``location`` at a time.

    There is no memory of a GPU's own here: ``use-gpu-memory`` and ``use-external-memory`` have no effect.
    """

    PROPERTIES: ClassVar = {
        "location": "", "frame-width": 0, "frame-height": 0, "format": "RGBA", "use-gpu-memory": False,
        "use-external-memory": False,
    }  # fmt: skip
    _file: BinaryIO | None = None

    def generate(self, size: int) -> Buffer:
        """The next frame; an empty buffer at the end of the file."""
        if self._file is None:
            self._file = self._open()
        frame = self._file.read(self._frame_size())
        if len(frame) < self._frame_size():
            self._file.close()
            return Buffer()
        return Buffer(np.frombuffer(frame, np.uint8))

    def _open(self) -> BinaryIO:
        location = self.get_property("location")
        try:
            return paths.resolve(location).open("rb")
        except OSError as error:
            raise ConfigError(f"location {location!r} cannot be read: {error}") from error

    def _frame_size(self) -> int:
        width, height = self.get_property("frame-width"), self.get_property("frame-height")
        kind = self.get_property("format")
        if kind not in PIXEL_FORMATS or width < 1 or height < 1:
            raise ConfigError(
                f"frame-width, frame-height and a format of {', '.join(PIXEL_FORMATS)} must be set, got "
                f"{width}x{height} {kind}"
            )
        return SurfaceLayout.dense(cast(PixelFormat, kind), width, height).size


def create(name: str) -> Feeder:
    """The feeder; properties as of `FrameFile`."""
    return Feeder(name, FrameFile())
