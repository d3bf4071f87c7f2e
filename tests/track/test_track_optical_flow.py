"""Optical flow on pictures that are moved by known amounts, and its colours."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from headrace.compat.pyds.motion import NvDsOpticalFlowMeta, get_optical_flow_vectors
from headrace.draw import paint_flow
from headrace.errors import ConfigError
from headrace.frames import Frame, convert
from headrace.meta.optical_flow import OpticalFlow
from headrace.track.optical_flow import FlowEstimator


def picture(dx: int, dy: int, width: int = 320, height: int = 240) -> Frame:
    noise = np.random.default_rng(1).integers(0, 255, (60, 80, 3), np.uint8)
    large = cv2.resize(noise, (width + 80, height + 80), interpolation=cv2.INTER_CUBIC)
    return Frame.from_array(large[40 - dy : 40 - dy + height, 40 - dx : 40 - dx + width].copy(), "RGB")


@pytest.mark.parametrize(("preset", "tolerance"), [(0, 1.0), (1, 0.5), (2, 0.3)])
@pytest.mark.parametrize("format", ["RGB", "NV12"])
@pytest.mark.parametrize("shift", [(0, 0), (8, 0), (-4, 6)])
def test_a_moved_picture_has_moved_by_that_much(
    preset: int, tolerance: float, format: str, shift: tuple[int, int]
) -> None:
    estimator = FlowEstimator(preset)
    assert estimator.next(convert(picture(0, 0), format)) is None  # type: ignore[arg-type]
    flow = estimator.next(convert(picture(*shift), format))  # type: ignore[arg-type]
    assert flow is not None
    assert flow.shape == (60, 80, 2)
    assert flow.dtype == np.float32
    np.testing.assert_allclose(np.median(flow[8:-8, 8:-8], axis=(0, 1)), shift, atol=tolerance)


def test_a_change_of_size_starts_anew() -> None:
    estimator = FlowEstimator()
    estimator.next(picture(0, 0))
    assert estimator.next(picture(0, 0, 160, 120)) is None
    found = estimator.next(picture(0, 0, 160, 120))
    assert found is not None
    assert found.shape == (30, 40, 2)


@pytest.mark.parametrize("size", [(8, 8), (31, 200), (641, 361)])
def test_frames_of_any_size_are_taken(size: tuple[int, int]) -> None:
    estimator = FlowEstimator(1)
    estimator.next(picture(0, 0, *size))
    flow = estimator.next(picture(0, 0, *size))
    assert flow is not None
    assert flow.shape == (-(-size[1] // 4), -(-size[0] // 4), 2)
    assert np.abs(flow).max() < 0.5


def test_an_unknown_preset_is_named() -> None:
    with pytest.raises(ConfigError, match="preset-level is 3"):
        FlowEstimator(3)


@pytest.mark.parametrize(
    ("vector", "color"),
    [
        ((0, 0), [0, 0, 0, 255]),
        ((16, 0), [255, 0, 0, 255]),
        ((99, 0), [255, 0, 0, 255]),
        ((8, 0), [128, 0, 0, 255]),
        ((-16, 0), [0, 255, 255, 255]),
    ],
)
def test_colours_tell_direction_and_speed(vector: tuple[float, float], color: list[int]) -> None:
    shown = paint_flow(np.full((3, 4, 2), vector, np.float32), (16, 12)).planes[0]
    assert shown.shape == (12, 16, 4)
    np.testing.assert_allclose(shown[6, 6], color, atol=2)


def test_the_older_bindings_see_it() -> None:
    vectors = np.arange(24, dtype=np.float32).reshape(3, 4, 2)
    meta = NvDsOpticalFlowMeta.cast(OpticalFlow(vectors, 5))
    assert (meta.rows, meta.cols, meta.frame_num) == (3, 4, 5)
    np.testing.assert_array_equal(get_optical_flow_vectors(meta).reshape(3, 4, 2), vectors)
