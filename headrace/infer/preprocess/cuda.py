"""Frames in a GPU's memory to a network's input there: one kernel for a batch, planes to scaled colours.

The kernel samples as `headrace.infer.preprocess.convert` does with OpenCV: planes one by one, and converted first
where the network's grid is finer than that of the colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from headrace.errors import FrameError, ModelError
from headrace.frames import Frame
from headrace.frames.color import yuv_matrix
from headrace.frames.cuda import CudaPlane
from headrace.frames.frame import Colorimetry, plane_shapes
from headrace.infer.preprocess.options import PreprocessOptions
from headrace.infer.preprocess.picture import converts_first
from headrace.infer.preprocess.placement import Placement, place

#: A frame's row: 13 whole numbers, then 25 in double precision (`_row`).
_WHOLE, _ENTRIES = 13, 38
_BLOCK = 256
#: Left, top, width and height that a frame takes in the target.
_Box = tuple[int, int, int, int]


def supports(frame: Frame, options: PreprocessOptions) -> bool:
    """Whether `preprocess_cuda` takes such frames with such options; others go by way of the host."""
    return frame.format == "NV12" and options.interpolation == "linear"


def preprocess_cuda(frames: Sequence[Frame], out: Any, options: PreprocessOptions) -> list[Placement]:
    """Fill a network's input from NV12 frames in the memory of its GPU, with one kernel.

    What was queued runs on the current stream: the frames must stay valid until the stream has come past it.

    Args:
        frames: NV12 frames of any sizes and colorimetries; their planes are `headrace.frames.cuda.CudaPlane`, or
            whatever has ``address``, ``shape`` and ``strides``.
        out: torch tensor ``(N, C, H, W)`` or ``(N, H, W, C)`` of float16, float32 or uint8, with any strides (such as
            of ``channels_last``); the row of each frame is written whole, rows beyond the frames are left.
        options: Colour order, resizing and scaling; interpolation is linear.

    Returns:
        Where each frame lies in its row.

    Raises:
        ModelError: ``out`` has not the channels of ``options.color``, or fewer rows than there are frames.
        FrameError: A frame is not NV12, or the options ask for another interpolation than linear (see `supports`).
    """
    target = _channels_first(out, options)
    if target.shape[0] < len(frames):
        raise ModelError(f"an input of {target.shape[0]} rows cannot hold {len(frames)} frames")
    size = int(target.shape[3]), int(target.shape[2])
    kinds: dict[object, tuple[Placement, NDArray[np.int64]]] = {}
    pairs = []
    for frame in frames:
        kind = frame.format, frame.width, frame.height, frame.color
        if kind not in kinds:
            kinds[kind] = _kind(frame, size, options)
        pairs.append(kinds[kind])
    _launch(frames, [row for _, row in pairs], target)
    return [placement for placement, _ in pairs]


def _kind(
    frame: Frame, size: tuple[int, int], options: PreprocessOptions
) -> tuple[Placement, NDArray[np.int64]]:
    """Where frames of this format, size and colorimetry lie, and their row of the table."""
    if not supports(frame, options):
        raise FrameError(
            f"a {frame.format} frame with interpolation {options.interpolation} is not read on the GPU; "
            "use frame.host()"
        )
    placement = place((frame.width, frame.height), size, options)
    box = (placement.left, placement.top, *placement.size)
    first = options.color != "GRAY" and converts_first(frame, placement.size)
    return placement, _row(frame.width, frame.height, frame.color, box, first, options)


def upload(rows: NDArray[Any], out: Any) -> None:
    """Copy rows that were prepared on the host into a tensor of the same shape; they may change when it returns."""
    out.copy_(torch.from_numpy(rows))


def black_frame(number: int, width: int = 1920, height: int = 1080) -> Frame:
    """A black NV12 frame in the memory of a GPU, as its decoder gives them, to try things with."""
    planes: list[Any] = []
    for shape, value in zip(plane_shapes("NV12", width, height), (16, 128), strict=True):
        tensor = torch.full(shape, value, dtype=torch.uint8, device=torch.device("cuda", number))
        planes.append(
            CudaPlane(tensor.data_ptr(), shape, tensor.stride(), number, tensor, tensor.cpu().numpy)
        )
    return Frame("NV12", width, height, tuple(planes))


def _channels_first(out: Any, options: PreprocessOptions) -> Any:
    if out.ndim == 4 and out.shape[1] == options.channels:
        return out
    if out.ndim == 4 and out.shape[3] == options.channels:
        return out.permute(0, 3, 1, 2)
    raise ModelError(
        f"the network's input has shape {tuple(out.shape)}, but colour {options.color} gives {options.channels} "
        "channel(s); name a preprocessing whose colour fits"
    )


@lru_cache(maxsize=256)
def _row(
    width: int, height: int, color: Colorimetry, box: _Box, first: bool, options: PreprocessOptions
) -> NDArray[np.int64]:
    """A frame's row of the table, but for addresses and strides.

    Whole numbers: two addresses, two strides, size of luma (width, height) and of chroma, left, top, width and height
    in the target, whether to convert first. Then in double precision: samples per target pixel across and down, of luma
    and of chroma; the colour matrix; and for each channel gain, bias and padding.
    """
    chroma = plane_shapes("NV12", width, height)[1]
    row = np.zeros(_ENTRIES, np.int64)
    row[4:_WHOLE] = (width, height, chroma[1], chroma[0], *box, first)
    numbers = row[_WHOLE:].view(np.float64)
    numbers[:2] = width / box[2], height / box[3]
    numbers[2:4] = chroma[1] / box[2], chroma[0] / box[3]
    matrix = yuv_matrix(color)
    if options.color == "GRAY":  # neutral chroma (128) leaves luma's gain and an offset
        numbers[4] = matrix[0, 0]
        numbers[7] = matrix[0, 3] + 128 * (matrix[0, 1] + matrix[0, 2])
    else:
        numbers[4:16] = (matrix[::-1] if options.color == "BGR" else matrix).ravel()
    gain, bias = options.gain_and_bias()
    for channel, (g, b) in enumerate(zip(gain, bias, strict=True)):
        numbers[16 + channel : _ENTRIES - _WHOLE : 3] = g, b, g * options.pad_value + b
    row.flags.writeable = False
    return row


def _launch(frames: Sequence[Frame], rows: Sequence[NDArray[np.int64]], target: Any) -> None:
    """Copy the table and start the kernel on the current stream."""
    from headrace.infer.preprocess.cuda_kernel import nv12_kernel

    on_gpu = target.device.type == "cuda"
    # Pinned memory comes from torch's cache, which gives it out again only when the copy is done.
    table = torch.empty((len(rows), _ENTRIES), dtype=torch.int64, pin_memory=on_gpu)
    filled = table.numpy()
    np.stack(rows, out=filled)
    planes = (cast("tuple[CudaPlane, CudaPlane]", frame.planes) for frame in frames)
    filled[:, :4] = [(one.address, two.address, one.strides[0], two.strides[0]) for one, two in planes]
    table = table.to(target.device, non_blocking=True)
    channels, height, width = target.shape[1:]
    nv12_kernel[(-(-width * height // _BLOCK), len(rows))](
        table, table.view(torch.float64), target, *target.stride(), width, height,
        CHANNELS=channels, ENTRIES=_ENTRIES, BLOCK=_BLOCK,
    )  # fmt: skip
