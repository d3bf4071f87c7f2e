"""One pass from a frame's planes to a row of a tensor: resize planes, convert small, scale into place."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.errors import FrameError, ModelError
from headrace.frames import Frame
from headrace.frames.scale import crop as cut
from headrace.infer.preprocess.options import PreprocessOptions
from headrace.infer.preprocess.picture import picture, split
from headrace.infer.preprocess.placement import Placement, place
from headrace.infer.preprocess.scratch import Scratch

_scratch = Scratch()


def preprocess(frame: Frame, out: NDArray[Any], options: PreprocessOptions) -> Placement:
    """Fill one row of a network's input from a frame.

    Large YUV frames are resized plane by plane and converted at network size. Releases the GIL in all its parts.

    Args:
        frame: A frame of any format, size and stride; it is only read.
        out: ``(C, H, W)`` or ``(H, W, C)`` view of float32, float16 or whole numbers; all of it is written.
        options: Colour order, resizing and scaling.

    Returns:
        Where the frame lies inside ``out``; it maps boxes back.

    Raises:
        ModelError: ``out`` has neither layout with the number of channels of ``options.color``.
    """
    frame = frame.host()
    channels_first = _channels_first(out, options)
    height, width = out.shape[1:] if channels_first else out.shape[:2]
    placement = place((frame.width, frame.height), (width, height), options)
    columns = slice(placement.left, placement.left + placement.size[0])
    rows = slice(placement.top, placement.top + placement.size[1])
    gain, bias = options.gain_and_bias()
    source = picture(frame, placement.size, options)
    if channels_first or len({*gain}) > 1 or len({*bias}) > 1:
        channels = out if channels_first else out.transpose(2, 0, 1)
        for plane, channel, g, b in zip(split(source), channels[:, rows, columns], gain, bias, strict=True):
            _scale_into(channel, plane, g, b)
    else:
        _scale_into(out[rows, columns], source.reshape(*source.shape[:2], -1), gain[0], bias[0])
    if placement.size != (width, height):
        pad = _as_type(np.add(np.multiply(gain, options.pad_value), bias), out.dtype)
        _fill_border(out, rows, columns, pad, channels_first)
    return placement


def crop(frame: Frame, ltrb: tuple[float, float, float, float]) -> tuple[Frame, tuple[int, int]]:
    """A region of a frame as a frame of its own; its planes are views.

    The region is widened to whole pixels (to an even start where chroma is subsampled) and cut at the
    frame's edges.

    Args:
        frame: The whole frame.
        ltrb: Left, top, right, bottom in pixels of the frame.

    Returns:
        The region and the ``(left, top)`` pixel of the frame where it starts.

    Raises:
        FrameError: The region has no pixel inside the frame, or is not finite.
    """
    if not np.all(np.isfinite(ltrb)):
        raise FrameError(f"region {ltrb} is not finite; give left, top, right, bottom in pixels")
    step = 2 if frame.format in ("NV12", "I420") else 1
    left = max(0, int(np.floor(ltrb[0]))) // step * step
    top = max(0, int(np.floor(ltrb[1]))) // step * step
    right, bottom = min(frame.width, int(np.ceil(ltrb[2]))), min(frame.height, int(np.ceil(ltrb[3])))
    if right <= left or bottom <= top or ltrb[2] <= ltrb[0] or ltrb[3] <= ltrb[1]:
        raise FrameError(f"region {ltrb} has no pixel of the frame of {frame.width}x{frame.height}")
    return cut(frame, left, top, right - left, bottom - top), (left, top)


def _channels_first(out: NDArray[Any], options: PreprocessOptions) -> bool:
    if out.ndim == 3 and out.shape[0] == options.channels:
        return True
    if out.ndim == 3 and out.shape[2] == options.channels:
        return False
    raise ModelError(
        f"the network's input row has shape {out.shape}, but colour {options.color} gives {options.channels} "
        "channel(s); name a preprocessing whose colour fits"
    )


def _fill_border(
    out: NDArray[Any], rows: slice, columns: slice, pad: NDArray[Any], channels_first: bool
) -> None:
    """Write what lies around a picture; ``pad`` has a value for each channel."""
    everywhere = slice(None)
    line = pad[:, None, None] if channels_first else np.tile(pad, (out.shape[1], 1))
    for y, x in (
        (slice(0, rows.start), everywhere),
        (slice(rows.stop, None), everywhere),
        (rows, slice(0, columns.start)),
        (rows, slice(columns.stop, None)),
    ):
        border = out[:, y, x] if channels_first else out[y, x]
        if border.size:
            border[...] = line if channels_first else line[x]


def _scale_into(target: NDArray[Any], source: NDArray[np.uint8], gain: float, bias: float) -> None:
    if target.dtype == np.float32:
        np.multiply(source, np.float32(gain), out=target)
        if bias:
            np.add(target, np.float32(bias), out=target)
    elif (gain, bias) == (1.0, 0.0) and target.dtype.kind in "iu" and np.iinfo(target.dtype).max >= 255:
        target[...] = source
    else:
        # Its bits, because OpenCV takes no float16 here, and few kinds of whole numbers.
        table = _table(gain, bias, target.dtype.str)
        bits = _scratch.take("bits", (*source.shape, table.itemsize)).view(table.dtype)[..., 0]
        target[...] = np.asarray(cv2.LUT(source, table, dst=bits)).view(target.dtype)


@lru_cache
def _table(gain: float, bias: float, dtype: str) -> NDArray[Any]:
    """What each of the 256 levels becomes, as bits of numbers of the same size."""
    values = _as_type(np.arange(256) * gain + bias, np.dtype(dtype))
    return values.view({1: np.uint8, 2: np.int16, 4: np.float32, 8: np.float64}[values.itemsize])


def _as_type(values: NDArray[np.floating], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Numbers of a tensor's type: whole ones rounded, and kept within its range."""
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        values = np.clip(np.rint(values), limits.min, limits.max)
    return values.astype(dtype)
