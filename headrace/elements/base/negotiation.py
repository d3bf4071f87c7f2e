"""Which caps a converter gives out."""

from __future__ import annotations

from gi.repository import Gst

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
