"""sample_video_receiver: takes frames out of an appsink and counts them."""

from __future__ import annotations

from headrace.flow.objects.operators import BufferRetriever
from headrace.flow.objects.receivers import Receiver
from headrace.meta.buffer import Buffer


class FrameCounter(BufferRetriever):
    """Counts frames.

    Attributes:
        frames: Frames so far.

    Example:
        >>> counter = FrameCounter()
        >>> counter.consume(Buffer(b"abc")), counter.frames
        (1, 1)
    """

    frames = 0

    def consume(self, buffer: Buffer) -> int:
        """Count the frames of one buffer."""
        self.frames += buffer.batch_size
        return 1


def create(name: str) -> Receiver:
    """The receiver; it has no properties."""
    return Receiver(name, FrameCounter())
