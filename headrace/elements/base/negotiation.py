"""Which caps a converter gives out, and what is behind it understands of single buffers."""

from __future__ import annotations

from dataclasses import dataclass

from gi.repository import Gst, GstVideo

from headrace.elements.base.caps import caps_of, framerate_of, is_batch, layout_of, without_cuda
from headrace.frames.surface import SurfaceLayout
from headrace.gst.structures import structure_of


def choose_caps(given: Gst.Caps, allowed: Gst.Caps, turned: bool = False) -> Gst.Caps | None:
    """Fixed caps that downstream takes and that need the least work.

    In this order: what comes in, as it is; the same frames, batched or not; the same frame rate in the first format
    and the nearest size that downstream takes. Frames in CUDA memory are passed on, but never made.

    Args:
        given: Fixed caps of the input.
        allowed: What downstream takes.
        turned: Width and height change places.

    Returns:
        ``None`` when downstream takes nothing that can be made.
    """
    layout, rate, batch = layout_of(given), framerate_of(given), is_batch(given)
    width, height = (layout.height, layout.width) if turned else (layout.width, layout.height)
    if not turned and allowed.can_intersect(given):
        return given
    allowed = without_cuda(allowed)
    same = SurfaceLayout.dense(layout.format, width, height, layout.color)
    for kind in (batch, not batch):
        wanted = caps_of(same, rate, kind)
        if allowed.can_intersect(wanted):
            return wanted
    return _nearest(allowed, layout.format, (width, height), rate)


def _nearest(allowed: Gst.Caps, format: str, size: tuple[int, int], rate: tuple[int, int]) -> Gst.Caps | None:
    for index in range(allowed.get_size()):
        structure = structure_of(allowed, index).copy()
        structure.fixate_field_string("format", format)
        structure.fixate_field_nearest_int("width", size[0])
        structure.fixate_field_nearest_int("height", size[1])
        structure.fixate_field_nearest_fraction("framerate", *rate)
        if structure.has_field("pixel-aspect-ratio"):
            structure.fixate_field_nearest_fraction("pixel-aspect-ratio", 1, 1)
        one = Gst.Caps.new_empty()
        one.append_structure_full(structure, allowed.get_features(index).copy())
        fixed = one.fixate()
        if framerate_of(fixed) in (rate, (0, 1)) or rate == (0, 1):
            return fixed
    return None


#: Stands in allocation queries for frames that are called batches by their caps, as decoders' are, and are none yet.
_UNBATCHED = Gst.meta_api_type_register("HeadraceUnbatchedFrameAPI", [])


@dataclass(frozen=True, slots=True)
class Understood:
    """What is behind a pad understands, every branch of it.

    Attributes:
        any_planes: Planes that lie differently from what caps say (GstVideoMeta).
        unbatched: Frames that are no batches under the caps of batches.
    """

    any_planes: bool
    unbatched: bool

    @classmethod
    def behind(cls, pad: Gst.Pad, caps: Gst.Caps) -> Understood:
        """Ask whoever is linked to a source pad."""
        query = Gst.Query.new_allocation(caps, False)
        answered = pad.peer_query(query)
        kinds = (GstVideo.video_meta_api_get_type(), _UNBATCHED)
        return cls(*(answered and _has(query, kind) for kind in kinds))


def answer_allocation(query: Gst.Query) -> None:
    """Say in an allocation query that planes may lie anywhere, and that frames need not be batches yet."""
    query.add_allocation_meta(GstVideo.video_meta_api_get_type(), None)
    query.add_allocation_meta(_UNBATCHED, None)


def _has(query: Gst.Query, kind: object) -> bool:
    found = query.find_allocation_meta(kind)
    return bool(found[0] if isinstance(found, tuple) else found)
