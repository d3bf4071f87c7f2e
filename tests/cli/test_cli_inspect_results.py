"""What `headrace inspect` says and draws of results that are no boxes."""

import numpy as np

from headrace.cli import inspect
from headrace.cli._pictures import draw
from headrace.infer import Result
from headrace.meta import Segmentation

CLASSES = np.array([[-1, 1], [1, 1]], np.int32)
POINTS = np.array([[1.5, 2.0, 0.5]], np.float32)
WHOLE = Result(
    names=("sky", "road"),
    segmentation=Segmentation(0, CLASSES),
    keypoints=POINTS,
    embedding=np.array([0.5, 0.25], np.float32),
)


def test_all_of_it_is_in_the_json():
    assert inspect._plain(WHOLE) == {
        "classes": {1: 0.75, -1: 0.25},
        "keypoints": [[1.5, 2.0, 0.5]],
        "embedding": [0.5, 0.25],
    }


def test_all_of_it_is_listed(capsys):
    inspect._list("a.png", WHOLE)
    assert capsys.readouterr().out.splitlines() == [
        "a.png: pixels of road 75.0%, -1 25.0%",
        "a.png: points (1.5, 2.0) 0.50",
        "a.png: a vector of 2 numbers",
    ]


def test_classes_of_pixels_are_painted_over_the_picture():
    picture = np.full((8, 8, 3), 90, np.uint8)
    drawn = draw(picture, Result(segmentation=Segmentation(0, CLASSES)))
    assert (drawn[:4, :4] == 90).all()
    assert (drawn[4:] != 90).any(axis=2).all()
    assert (picture == 90).all()
