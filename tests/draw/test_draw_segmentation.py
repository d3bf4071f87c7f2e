"""Class maps as pictures."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.draw import class_color, paint_segmentation
from headrace.frames import Frame, convert


def color(class_id: int) -> list[int]:
    return [round(255 * part) for part in class_color(class_id)]


def test_every_class_has_its_colour_and_none_is_black() -> None:
    picture = paint_segmentation(np.array([[0, 1], [7, -1]], np.int32), (4, 4)).planes[0]
    assert picture[0, 0].tolist() == color(0)
    assert picture[1, 2].tolist() == color(1)
    assert picture[3, 1].tolist() == color(7)
    assert picture[3, 3].tolist() == [0, 0, 0, 255]


def test_classes_are_not_mixed_at_their_borders() -> None:
    classes = np.random.default_rng(0).integers(0, 9, (13, 17))
    picture = paint_segmentation(classes, (100, 70)).planes[0]
    assert {tuple(pixel) for pixel in picture.reshape(-1, 4).tolist()} == {tuple(color(i)) for i in range(9)}


@pytest.mark.parametrize("format", ["RGB", "NV12", "RGBA"])
def test_the_frame_shines_through(format: str) -> None:
    frame = convert(Frame.from_array(np.full((6, 8, 3), 100, np.uint8), "RGB"), format)  # type: ignore[arg-type]
    picture = paint_segmentation(np.array([[2, -1]]), (16, 12), frame, 0.25).planes[0]
    expected = 0.25 * np.array(color(2)[:3]) + 0.75 * 100
    np.testing.assert_allclose(picture[5, 2, :3], expected, atol=2)
    np.testing.assert_allclose(picture[5, 14], [100, 100, 100, 255], atol=1)


def test_a_weight_of_one_hides_the_frame_only_where_there_is_a_class() -> None:
    frame = Frame.from_array(np.full((2, 4, 3), 9, np.uint8), "RGB")
    picture = paint_segmentation(np.array([[300, -5]]), (4, 2), frame, 1.0).planes[0]
    assert picture[0, 0].tolist() == color(300 % 255)
    assert picture[0, 3].tolist() == [9, 9, 9, 255]
