"""The kernel of `headrace.infer.preprocess.cuda`, in Triton; imported only where frames are on a GPU.

Resizing is OpenCV's of 8-bit pictures (INTER_LINEAR: weights of 11 bits, every plane rounded to 8 bits), so that a
network sees the same numbers wherever a frame lies.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def _rounded(value):
    """The nearest whole number, the even one of two, of float32 below 2**22: what is added leaves no room for more."""
    return ((value + 12582912.0) - 12582912.0).to(tl.int32)


@triton.jit
def _between(at, scale, size, ACROSS: tl.constexpr):
    """The two samples that a position of the target lies between, and their weights of 11 bits.

    At the edges OpenCV weighs the one column that is there whole, but the one row twice.
    """
    source = ((at.to(tl.float64) + 0.5) * scale - 0.5).to(tl.float32)
    whole = tl.floor(source)
    first = whole.to(tl.int32)
    part = source - whole
    if ACROSS:
        part = tl.where((first < 0) | (first >= size - 1), 0.0, part)
    second = tl.minimum(tl.maximum(first + 1, 0), size - 1)
    first = tl.minimum(tl.maximum(first, 0), size - 1)
    near = _rounded((1.0 - part) * 2048)
    return first, second, near, _rounded(part * 2048)


@triton.jit
def _blend(upper_left, upper_right, lower_left, lower_right, left, right, upper, lower):
    """Four samples by weights of 11 bits, rounded to 8 bits as OpenCV does it."""
    above = (upper_left * left + upper_right * right) >> 4
    below = (lower_left * left + lower_right * right) >> 4
    return (((upper * above) >> 16) + ((lower * below) >> 16) + 2) >> 2


@triton.jit
def _sample(plane, stride, step, x0, x1, left, right, y0, y1, upper, lower, halves, mask):
    """A plane between its samples; ``step`` bytes lie from one to the next.

    ``halves`` says that each sample is the mean of four of two channels, which OpenCV rounds to the even number.
    """
    a = tl.load(plane + y0 * stride + x0 * step, mask=mask, other=0).to(tl.int32)
    b = tl.load(plane + y0 * stride + x1 * step, mask=mask, other=0).to(tl.int32)
    c = tl.load(plane + y1 * stride + x0 * step, mask=mask, other=0).to(tl.int32)
    d = tl.load(plane + y1 * stride + x1 * step, mask=mask, other=0).to(tl.int32)
    total = a + b + c + d
    mean = (total + 1 + ((total >> 2) & 1)) >> 2
    return tl.where(halves, mean, _blend(a, b, c, d, left, right, upper, lower))


@triton.jit
def _colour(row, y, u, v):
    """One row of the colour matrix applied, rounded and kept in 0–255."""
    value = tl.load(row).to(tl.float32) * y + tl.load(row + 1).to(tl.float32) * u
    value += tl.load(row + 2).to(tl.float32) * v + tl.load(row + 3).to(tl.float32)
    return tl.minimum(tl.maximum(_rounded(value), 0), 255)


@triton.jit
def _repeated(row, luma, chroma, luma_stride, chroma_stride, x, y, mask):
    """One colour of a pixel of the frame, each chroma sample repeated."""
    place = chroma + (y // 2) * chroma_stride + (x // 2) * 2
    u = tl.load(place, mask=mask, other=0).to(tl.int32)
    v = tl.load(place + 1, mask=mask, other=0).to(tl.int32)
    return _colour(row, tl.load(luma + y * luma_stride + x, mask=mask, other=0).to(tl.int32), u, v)


@triton.jit
def _store(out, numbers, channel, colour, inside, mask):
    """A channel with its gain and bias, or the padding beside the frame."""
    gain, bias = tl.load(numbers + channel).to(tl.float32), tl.load(numbers + 3 + channel).to(tl.float32)
    pad = tl.load(numbers + 6 + channel).to(tl.float32)
    value = tl.where(inside, colour.to(tl.float32) * gain + bias, pad)
    tl.store(out, value.to(out.dtype.element_ty), mask=mask)


@triton.jit
def nv12_kernel(
    table, numbers, out, row_stride, channel_stride, y_stride, x_stride, width, height,
    CHANNELS: tl.constexpr, ENTRIES: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Pixels ``program_id(0) * BLOCK`` and following of frame ``program_id(1)``; the table is `cuda._row`'s."""
    frame = tl.program_id(1).to(tl.int64)
    pixel = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    table += frame * ENTRIES
    numbers += frame * ENTRIES + 13
    luma = tl.load(table).to(tl.pointer_type(tl.uint8))
    chroma = tl.load(table + 1).to(tl.pointer_type(tl.uint8))
    luma_stride, chroma_stride = tl.load(table + 2), tl.load(table + 3)
    columns, rows = tl.load(table + 4).to(tl.int32), tl.load(table + 5).to(tl.int32)
    x, y = pixel % width - tl.load(table + 8).to(tl.int32), pixel // width - tl.load(table + 9).to(tl.int32)
    mask = pixel < width * height
    inside = (x >= 0) & (x < tl.load(table + 10)) & (y >= 0) & (y < tl.load(table + 11)) & mask
    x0, x1, left, right = _between(x, tl.load(numbers), columns, True)
    y0, y1, upper, lower = _between(y, tl.load(numbers + 1), rows, False)
    matrix = numbers + 4
    out += frame * row_stride + (pixel // width) * y_stride + (pixel % width) * x_stride
    if CHANNELS == 1:
        grey = _sample(luma, luma_stride, 1, x0, x1, left, right, y0, y1, upper, lower, False, inside)
        _store(out, numbers + 16, 0, _colour(matrix, grey, 0, 0), inside, mask)
    elif tl.load(table + 12) != 0:
        for channel in tl.static_range(3):
            one = matrix + 4 * channel
            a = _repeated(one, luma, chroma, luma_stride, chroma_stride, x0, y0, inside)
            b = _repeated(one, luma, chroma, luma_stride, chroma_stride, x1, y0, inside)
            c = _repeated(one, luma, chroma, luma_stride, chroma_stride, x0, y1, inside)
            d = _repeated(one, luma, chroma, luma_stride, chroma_stride, x1, y1, inside)
            colour = _blend(a, b, c, d, left, right, upper, lower)
            _store(out + channel * channel_stride, numbers + 16, channel, colour, inside, mask)
    else:
        grey = _sample(luma, luma_stride, 1, x0, x1, left, right, y0, y1, upper, lower, False, inside)
        x0, x1, left, right = _between(x, tl.load(numbers + 2), tl.load(table + 6).to(tl.int32), True)
        y0, y1, upper, lower = _between(y, tl.load(numbers + 3), tl.load(table + 7).to(tl.int32), False)
        halves = (tl.load(numbers + 2) == 2.0) & (tl.load(numbers + 3) == 2.0)
        u = _sample(chroma, chroma_stride, 2, x0, x1, left, right, y0, y1, upper, lower, halves, inside)
        v = _sample(chroma + 1, chroma_stride, 2, x0, x1, left, right, y0, y1, upper, lower, halves, inside)
        for channel in tl.static_range(3):
            colour = _colour(matrix + 4 * channel, grey, u, v)
            _store(out + channel * channel_stride, numbers + 16, channel, colour, inside, mask)
