"""The frames of a batch as a model wants them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ModelError
from headrace.frames import HOST, Frame, to_rgb
from headrace.frames.cuda_tensor import cuda_torch, rgb_on_device
from headrace.infer.preprocess import Placement, PreprocessOptions, preprocess
from headrace.meta import Detections

_TRAINING_STYLE = PreprocessOptions()


class FrameBatch:
    """What `Detector.infer` is given: frames, converted only when somebody asks.

    Valid during the call that it is given to; arrays may be views of the frames' memory and are read only.
    Used by one thread.

    Args:
        frames: Frames of any formats and sizes; nothing is copied.
        whole: Whether they are as a camera gives them, of few sizes, and not regions or objects cut out of such.

    Attributes:
        whole: The same.

    Example:
        >>> batch = FrameBatch([Frame.from_array(np.zeros((90, 160, 3), np.uint8), "RGB")])
        >>> batch.letterbox(64).shape
        (1, 3, 64, 64)
        >>> batch.to_frame_pixels(0, [[0, 14, 64, 50]]).tolist()
        [[0.0, 0.0, 160.0, 90.0]]
    """

    def __init__(self, frames: Sequence[Frame], whole: bool = True) -> None:
        self._frames = tuple(frames)
        self.whole = whole
        self._placements: tuple[Placement, ...] = ()

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[Frame]:
        return iter(self._frames)

    def __getitem__(self, index: int) -> Frame:
        return self._frames[index]

    def numpy(self) -> list[NDArray[np.uint8]]:
        """Each frame as RGB ``(H, W, 3)`` uint8 in host memory; a view when it is RGB already."""
        return [to_rgb(frame.host()) for frame in self._frames]

    def dlpack(self) -> list[Any]:
        """Each frame as RGB ``(H, W, 3)`` uint8 with ``__dlpack__``, for ``from_dlpack`` of any library.

        On the GPU for frames that lie there, if torch is installed. Otherwise in host memory: a copy where the frame's
        memory is read only, because DLPack cannot say so.
        """
        return [_handed_over(frame) for frame in self._frames]

    def torch(self) -> list[Any]:
        """Each frame as a torch tensor, RGB ``(H, W, 3)`` uint8, on the GPU for frames that lie there.

        Raises:
            ModelError: torch is not installed.
        """
        try:
            library = importlib.import_module("torch")
        except ImportError as error:
            raise ModelError("frames.torch() needs torch: pip install 'headrace[torch]'") from error
        return [library.from_dlpack(array) for array in self.dlpack()]

    def letterbox(
        self, size: int | tuple[int, int], options: PreprocessOptions = _TRAINING_STYLE
    ) -> NDArray[np.float32]:
        """All frames as one float32 tensor ``(N, 3, height, width)``; RGB 0–1 on grey unless told otherwise.

        Args:
            size: Side in pixels, or ``(width, height)``.
            options: Colour order, padding and scaling.
        """
        width, height = (size, size) if isinstance(size, int) else size
        tensor = np.empty((len(self), options.channels, height, width), np.float32)
        self.fill(tensor, options)
        return tensor

    def fill(self, tensor: Any, options: PreprocessOptions) -> None:
        """Write all frames into a tensor that the caller owns, NCHW or NHWC, one row each.

        A torch tensor on a GPU is filled from frames that lie there, with one kernel: see `preprocess_cuda`.

        Raises:
            ModelError: The tensor does not have a row for each frame, or not the channels of ``options``.
        """
        if len(tensor) != len(self):
            raise ModelError(f"a tensor with {len(tensor)} rows cannot hold {len(self)} frames")
        if not isinstance(tensor, np.ndarray):
            from headrace.infer.preprocess.cuda import preprocess_cuda

            self._placements = tuple(preprocess_cuda(self._frames, tensor, options))
            return
        pairs = zip(self._frames, tensor, strict=True)
        self._placements = tuple(preprocess(frame, row, options) for frame, row in pairs)

    def to_frame(self, index: int, found: Detections) -> Detections:
        """Objects from pixels of the last `letterbox` to pixels of a frame, with turned boxes, masks and keypoints.

        Upright boxes are clipped to the frame, and left out where nothing is left of them.

        Raises:
            ModelError: `letterbox` or `fill` was not called before.
        """
        return self._placement(index).detections_to_frame(found)

    def to_frame_pixels(self, index: int, xyxy: Any) -> NDArray[np.float32]:
        """Boxes ``(n, 4)`` from pixels of the last `letterbox` to pixels of a frame, clipped to the frame.

        Raises:
            ModelError: `letterbox` or `fill` was not called before.
        """
        return self._placement(index).to_frame(np.asarray(xyxy, np.float32))

    def _placement(self, index: int) -> Placement:
        if not self._placements:
            raise ModelError(
                "to_frame and to_frame_pixels map from letterboxed frames; call frames.letterbox(size) first"
            )
        return self._placements[index]

    @property
    def placements(self) -> tuple[Placement, ...]:
        """Where each frame lies in the tensor that was filled last; empty before that."""
        return self._placements


def _handed_over(frame: Frame) -> Any:
    if frame.device != HOST and cuda_torch() is not None:
        return rgb_on_device(frame)
    array = to_rgb(frame.host())
    return array if array.flags.writeable else array.copy()
