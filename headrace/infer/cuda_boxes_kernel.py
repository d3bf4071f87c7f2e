"""The kernels of `headrace.infer.cuda_boxes`, in Triton; imported only where a network runs on a GPU."""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def candidates_kernel(
    scores, objectness, least, keys, counts, cells, frame_stride, cell_stride, class_stride,
    objectness_frame_stride, objectness_cell_stride,
    CLASSES: tl.constexpr, OBJECTNESS: tl.constexpr, ROOM: tl.constexpr, HIGHEST: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """List the cells of frame ``program_id(1)`` whose best class reaches its least score.

    A key has the score in its upper half (as the bits of a positive float32 are ordered), then 20 bits that fall with
    the cell and 12 for the class: of equal scores the lower cell comes first. What is no score at all (NaN, or
    above ``HIGHEST``) is noted in ``counts[frame, 1]``.
    """
    frame = tl.program_id(1).to(tl.int64)
    cell = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = cell < cells
    place = scores + frame * frame_stride + cell.to(tl.int64) * cell_stride
    best = tl.load(place, mask=there, other=0.0).to(tl.float32)
    number = tl.zeros((BLOCK,), tl.int32)
    odd = best != best
    for one in tl.range(1, CLASSES, loop_unroll_factor=8):  # so that several loads are under way
        score = tl.load(place + one * class_stride, mask=there, other=0.0).to(tl.float32)
        odd = odd | (score != score)
        better = score > best
        best = tl.where(better, score, best)
        number = tl.where(better, one, number)
    if OBJECTNESS:
        place = objectness + frame * objectness_frame_stride + cell.to(tl.int64) * objectness_cell_stride
        best *= tl.load(place, mask=there, other=0.0).to(tl.float32)
    odd = odd | ~(best <= HIGHEST)
    tl.atomic_max(counts + frame * 2 + 1, tl.max(odd.to(tl.int32), axis=0))
    sure = there & ~odd & (best >= tl.load(least + number))
    rank = tl.cumsum(sure.to(tl.int32), axis=0) - 1
    first = tl.atomic_add(counts + frame * 2, tl.sum(sure.to(tl.int32), axis=0))
    bits = best.to(tl.int32, bitcast=True).to(tl.int64)
    key = (bits << 32) | ((1048575 - cell).to(tl.int64) << 12) | number
    tl.store(keys + frame * ROOM + first + rank, key, mask=sure & (first + rank < ROOM))


@triton.jit
def _corners(place, step, mask, CENTRES: tl.constexpr):
    """The corners of boxes whose four numbers lie ``step`` apart, centre and size with ``CENTRES``."""
    a = tl.load(place, mask=mask, other=0.0).to(tl.float32)
    b = tl.load(place + step, mask=mask, other=0.0).to(tl.float32)
    c = tl.load(place + 2 * step, mask=mask, other=0.0).to(tl.float32)
    d = tl.load(place + 3 * step, mask=mask, other=0.0).to(tl.float32)
    if CENTRES:
        c, d = c / 2, d / 2
        left, top, right, bottom = a - c, b - d, a + c, b + d
    else:
        left, top, right, bottom = a, b, c, d
    return left, top, right, bottom


@triton.jit
def _store_rows(place, left, top, right, bottom, score, number, mask):
    """Rows of six numbers."""
    tl.store(place, left, mask=mask)
    tl.store(place + 1, top, mask=mask)
    tl.store(place + 2, right, mask=mask)
    tl.store(place + 3, bottom, mask=mask)
    tl.store(place + 4, score, mask=mask)
    tl.store(place + 5, number, mask=mask)


@triton.jit
def _in_order(
    boxes, keys, listed, row, cell_stride, number_stride, lane, CENTRES: tl.constexpr, ROOM: tl.constexpr
):
    """Write one frame's candidates to ``row``, best first, and give each lane the one of its place."""
    there = lane < listed
    key = tl.load(keys + lane, mask=there, other=-1)
    rank = tl.zeros((ROOM,), tl.int32)
    for one in range(listed):
        rank += (tl.load(keys + one) > key).to(tl.int32)
    cell = 1048575 - ((key >> 12) & 1048575)
    left, top, right, bottom = _corners(boxes + cell * cell_stride, number_stride, there, CENTRES)
    score = (key >> 32).to(tl.int32).to(tl.float32, bitcast=True)
    _store_rows(row + rank * 6, left, top, right, bottom, score, (key & 4095).to(tl.float32), there)
    tl.debug_barrier()  # other lanes read what was stored
    left, top, right, bottom = _corners(row + lane * 6, 1, there, False)
    score = tl.load(row + lane * 6 + 4, mask=there, other=0.0)
    number = tl.load(row + lane * 6 + 5, mask=there, other=0.0)
    return left, top, right, bottom, score, number


@triton.jit
def _overlap(box, x0, y0, x1, y1, area):
    """How much boxes overlap the one at ``box``, as OpenCV reckons it."""
    x, y = tl.load(box).to(tl.float64), tl.load(box + 1).to(tl.float64)
    z, w = tl.load(box + 2).to(tl.float64), tl.load(box + 3).to(tl.float64)
    across = tl.minimum(x1, z) - tl.maximum(x0, x)
    down = tl.minimum(y1, w) - tl.maximum(y0, y)
    shared = tl.where((across > 0) & (down > 0), across * down, 0.0)
    whole = area + (z - x) * (w - y)
    return tl.where(whole <= 2.220446049250313e-16, 1.0, shared / (whole - shared)).to(tl.float32)


@triton.jit
def suppression_kernel(
    boxes, keys, counts, limits, ordered, out, frame_stride, cell_stride, number_stride,
    CENTRES: tl.constexpr, ROOM: tl.constexpr,
):  # fmt: skip
    """Order the candidates of frame ``program_id(0)``, and keep those that overlap no better one of their class.

    The overlap is OpenCV's (``cv2.dnn.NMSBoxes``): in double precision, rounded to single, compared with the
    threshold in ``limits[0]``; ``limits[1]`` is 0 where classes do not matter, else 1. ``out[frame]`` is a row of
    counts (kept, found, 1 if something is odd) and then the kept, best first: corners, score and class. ``ordered``
    is scratch.
    """
    frame = tl.program_id(0).to(tl.int64)
    lane = tl.arange(0, ROOM)
    found = tl.load(counts + frame * 2)
    listed = tl.minimum(found, ROOM)
    there = lane < listed
    row = ordered + frame * ROOM * 6
    boxes += frame * frame_stride
    keys += frame * ROOM
    left, top, right, bottom, score, number = _in_order(
        boxes, keys, listed, row, cell_stride, number_stride, lane, CENTRES, ROOM
    )
    known = (tl.abs(left) < 3e38) & (tl.abs(top) < 3e38) & (tl.abs(right) < 3e38) & (tl.abs(bottom) < 3e38)
    odd = tl.maximum(tl.load(counts + frame * 2 + 1), tl.max((there & ~known).to(tl.int32), axis=0))
    kept = (there & known & (right > left) & (bottom > top)).to(tl.int32)
    threshold, by_class = tl.load(limits), tl.load(limits + 1)
    x0, y0, x1, y1 = left.to(tl.float64), top.to(tl.float64), right.to(tl.float64), bottom.to(tl.float64)
    area = (x1 - x0) * (y1 - y0)
    for one in range(listed):
        if tl.sum(tl.where(lane == one, kept, 0), axis=0) > 0:
            overlap = _overlap(row + one * 6, x0, y0, x1, y1, area)
            same = number * by_class == tl.load(row + one * 6 + 5) * by_class
            kept = tl.where((lane > one) & same & (overlap > threshold), 0, kept)
    target = out + frame * (ROOM + 1) * 6
    tl.store(target, tl.sum(kept, axis=0).to(tl.float32))
    tl.store(target + 1, found.to(tl.float32))
    tl.store(target + 2, odd.to(tl.float32))
    position = target + tl.cumsum(kept, axis=0) * 6
    _store_rows(position, left, top, right, bottom, score, number, kept > 0)
