"""Tiny models in a folder of the test's own."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tiny_onnx import build


@pytest.fixture
def make_onnx(tmp_path) -> Callable[..., Path]:
    """`build` in a folder of the test's own."""

    def make(outputs, name="tiny.onnx", **options):
        return build(tmp_path / name, outputs, **options)

    return make


@pytest.fixture
def yolov8_outputs():
    """For a 32-pixel input and 2 classes: cell 3 holds a box of class 1 whose score is the brightness."""
    constant = np.zeros((1, 6, 21), np.float32)
    constant[0, :4, 3] = 16, 12, 8, 4
    mask = np.zeros_like(constant)
    mask[0, 5, 3] = 1
    return {"output0": (constant, mask)}
