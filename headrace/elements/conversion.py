"""Frames converted, cropped and flipped; batches opened into plain frames and plain frames made batches."""

from __future__ import annotations

import dataclasses
import logging
import time

from headrace.elements.base.negotiation import Understood
from headrace.errors import ConfigError, FrameError
from headrace.frames import Frame, convert
from headrace.frames.scale import crop, fit, flip
from headrace.frames.surface import Surface, SurfaceLayout, write_frame
from headrace.gst import payload
from headrace.gst.buffer import BufferRef, new_buffer_like
from headrace.gst.native import CLOCK_TIME_NONE, buffer_struct
from headrace.gst.videometa import planes_of
from headrace.meta.batch import Batch, BatchMetadata, SourceItems

Rectangle = tuple[int, int, int, int]

_log = logging.getLogger(__name__)

_UNKNOWN = Understood(any_planes=True, unbatched=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Conversion:
    """What is done with every frame between two changes of caps.

    Attributes:
        layout: Format and size of the output.
        batches: Whether batches come out, rather than plain frames.
        source_part: Part of the input that is used, ``None`` for all.
        target_part: Part of the output that is painted, ``None`` for all.
        flip_method: 0 for none, see `headrace.frames.scale.flip`.
        keep: Whether caps ask for no change of the frames.
        behind: What downstream understands.
    """

    layout: SurfaceLayout
    batches: bool
    source_part: Rectangle | None = None
    target_part: Rectangle | None = None
    flip_method: int = 0
    keep: bool = False
    behind: Understood = _UNKNOWN

    def passes(self, buffer: int, given: SurfaceLayout) -> bool:
        """Whether a frame that is no batch goes on as it is.

        Args:
            buffer: Its address.
            given: What its caps say.
        """
        if self.passes_all or not self._unchanged or self.batches:
            return self.passes_all
        return planes_of(buffer) in (None, (given.offsets, given.strides))

    @property
    def passes_all(self) -> bool:
        """Whether all frames that are no batches go on as they are, wherever their planes lie."""
        return self._unchanged and (self.behind.unbatched if self.batches else self.behind.any_planes)

    @property
    def _unchanged(self) -> bool:
        return self.keep and not (self.source_part or self.target_part or self.flip_method)

    def outputs(self, batch: Batch, buffer: int) -> list[BufferRef]:
        """Make the output buffers of one batch: one batch, or a plain frame for each of its frames.

        Args:
            batch: Metadata and pixels; they are taken over, nobody else may hold them.
            buffer: Address of its buffer, whose flags and times are taken.

        Raises:
            FrameError: Plain frames are asked for, but the batch is of several sources.
        """
        if self.batches:
            batch.surfaces = [self._surface(surface) for surface in batch.surfaces]
            return [BufferRef(payload.attach(new_buffer_like(buffer), batch))]
        sources = {frame.pad_index for frame in batch.meta.frames}
        if len(sources) > 1:
            raise FrameError(
                f"a batch with frames of {len(sources)} sources cannot become plain frames; "
                "put nvmultistreamtiler or nvstreamdemux before the converter"
            )
        return [
            self._plain(batch.select(index), buffer, batch, index) for index in range(len(batch.surfaces))
        ]

    def _plain(self, single: Batch, like: int, whole: Batch, index: int) -> BufferRef:
        surface = self._surface(single.surfaces[0])
        plain_layout = SurfaceLayout.dense(surface.layout.format, surface.layout.width, surface.layout.height)
        same_planes = (surface.layout.offsets, surface.layout.strides) == (
            plain_layout.offsets,
            plain_layout.strides,
        )
        if not (same_planes or self.behind.any_planes):
            surface = write_frame(surface.frame())
        output = surface.buffer
        output.make_writable()
        source, target = buffer_struct(like), buffer_struct(output.address)
        target.pts = source.pts + later(whole.meta, index) if source.pts != CLOCK_TIME_NONE else source.pts
        target.dts, target.duration = CLOCK_TIME_NONE, source.duration
        return BufferRef(payload.attach(output.steal(), Batch(single.meta)))

    def _surface(self, surface: Surface) -> Surface:
        layout, wanted = surface.layout, self.layout
        same = (layout.format, layout.width, layout.height) == (wanted.format, wanted.width, wanted.height)
        if same and not (self.source_part or self.target_part or self.flip_method):
            return surface
        frame = surface.frame()
        if self.source_part:
            frame = crop(frame, *self.source_part)
        if self.flip_method:
            frame = flip(frame if len(frame.planes) == 1 else convert(frame, "RGB"), self.flip_method)
        if self.target_part:
            return self._painted(frame, self.target_part)
        return write_frame(fit(frame, wanted.width, wanted.height, wanted.format))

    def _painted(self, frame: Frame, part: Rectangle) -> Surface:
        """A black frame with the picture in one part of it."""
        target = Surface.allocate(self.layout.format, self.layout.width, self.layout.height, frame.color)
        whole = target.frame(writable=True)
        for index, plane in enumerate(whole.planes):
            plane[...] = 128 if index and whole.format in ("NV12", "I420") else 0
        hole = crop(whole, *part)
        small = fit(frame, hole.width, hole.height, self.layout.format)
        for plane, source in zip(hole.planes, small.planes, strict=True):
            plane[...] = source
        return target


def later(meta: BatchMetadata, index: int) -> int:
    """Nanoseconds by which a frame is later than the first one of its source in the batch."""
    frame = meta.frames[index]
    first = next(other for other in meta.frames if other.pad_index == frame.pad_index)
    if CLOCK_TIME_NONE in (frame.buffer_pts, first.buffer_pts):
        return 0
    return max(frame.buffer_pts - first.buffer_pts, 0)


def single_frame(buffer: int, layout: SurfaceLayout, rider: object) -> Batch:
    """A batch around one plain frame, with the metadata that rides on it or new metadata.

    Args:
        buffer: Address; a reference is added.
        layout: What the caps say.
        rider: The buffer's payload.
    """
    planes = planes_of(buffer)
    if planes is not None:
        layout = dataclasses.replace(layout, offsets=planes[0], strides=planes[1])
    reference = BufferRef.of(buffer)
    if rider is not None:
        # Shared without the payload: a frame that owned the metadata that owns the frame would never be freed.
        reference = reference.share()
        payload.detach(reference.address)
    surface = Surface(reference, layout)
    if isinstance(rider, Batch):
        return Batch(rider.meta, [surface])
    meta = BatchMetadata.new()
    frame = meta.add_frame(
        buffer_pts=buffer_struct(buffer).pts, ntp_timestamp=time.time_ns(), source_width=layout.width,
        source_height=layout.height, pipeline_width=layout.width, pipeline_height=layout.height,
    )  # fmt: skip
    if isinstance(rider, SourceItems):
        frame.user.extend(rider.items)
    return Batch(meta, [surface])


def parse_rectangle(name: str, text: str) -> Rectangle | None:
    """``left:top:width:height`` as numbers; ``None`` for an empty text, and for one that begins with no number.

    The latter is told in the log: programs for DeepStream put caps there by mistake, and run.

    Raises:
        ConfigError: It begins like a rectangle and is none.
    """
    if not text:
        return None
    if not text.lstrip(" +-.")[:1].isdecimal():
        _log.warning("%s=%r is no rectangle left:top:width:height and has no effect", name, text)
        return None
    try:
        left, top, width, height = (int(float(part)) for part in text.split(":"))
    except ValueError as error:
        raise ConfigError(f"{name}={text!r}: write left:top:width:height in pixels") from error
    if width <= 0 or height <= 0:
        raise ConfigError(f"{name}={text!r} is empty: width and height must be positive")
    return left, top, width, height
