"""Pictures of the real clips."""

import cv2
from plain_yolox import REAL


def pictures_of(clip, step, count):
    """BGR pictures, every ``step``-th, decoded by OpenCV."""
    capture = cv2.VideoCapture(str(REAL / "videos" / clip))
    pictures, number = [], 0
    while len(pictures) < count and capture.grab():
        if number % step == 0:
            pictures.append(capture.retrieve()[1])
        number += 1
    assert pictures
    return pictures
