"""Frames whose planes say that they are in CUDA memory: on the GPU where there is one, otherwise in host memory.

Without a GPU Triton's interpreter runs the kernels (tests/conftest.py), and `DEVICE` is the CPU.
"""

import cv2
import numpy as np
import torch

from headrace.frames import Frame
from headrace.frames.color import convert
from headrace.frames.cuda import CudaPlane

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def picture(width, height, color, seed=0):
    """An NV12 frame with smooth parts, edges and noise, and room at the end of its rows."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (max(2, height // 16), max(2, width // 16), 3), np.uint8)
    image = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(20):
        corners, thick = rng.integers(0, [width, height], (2, 2)).tolist(), rng.choice([-1, 2])
        cv2.rectangle(image, *corners, rng.integers(0, 256, 3).tolist(), int(thick))
    noisy = np.clip(image.astype(np.int16) + rng.integers(-6, 7, image.shape), 0, 255).astype(np.uint8)
    frame = convert(Frame.from_array(noisy, "RGB"), "NV12", color)
    padded = (
        np.pad(plane, ((0, 0), (0, 13), (0, 0))[: plane.ndim])[:, : plane.shape[1]] for plane in frame.planes
    )
    return Frame("NV12", width, height, tuple(padded), color)


def on_device(frame):
    """The frame with planes of `CudaPlane`; each starts where an array of its own does."""
    planes = []
    for plane in frame.planes:
        memory = plane if plane.base is None else plane.base
        whole = memory if DEVICE == "cpu" else torch.from_numpy(memory).cuda()
        address = plane.ctypes.data if DEVICE == "cpu" else whole.data_ptr()
        planes.append(CudaPlane(address, plane.shape, plane.strides, 0, whole, lambda plane=plane: plane))
    return Frame(frame.format, frame.width, frame.height, tuple(planes), frame.color)
