"""What the peers without a detector of their own run: letterbox, onnxruntime, suppression, as tutorials write it."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np

_CONFIDENCE, _OVERLAP = 0.25, 0.45


def job() -> tuple[Any, Callable[..., None]]:
    """The job of the command line, and a function that counts frames that are done."""
    counter, lock = np.memmap(sys.argv[2], "u8", "r+"), threading.Lock()

    def done(number: int = 1) -> None:
        with lock:
            counter[0] += number

    return json.loads(sys.argv[1]), done


class Plain:
    """A detector on full-size BGR pictures."""

    def __init__(self, model: str, size: tuple[int, int], colour: int = cv2.COLOR_BGR2RGB) -> None:
        import onnxruntime

        self.session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        self.name, self.size, self.colour = self.session.get_inputs()[0].name, size, colour

    def __call__(self, picture: Any) -> tuple[Any, Any, Any]:
        """Boxes ``(n, 4)`` in pixels of the picture, scores and classes."""
        width, height = self.size
        scale = min(width / picture.shape[1], height / picture.shape[0])
        inner = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
        left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
        canvas: Any = np.full((height, width, 3), 114, np.uint8)
        canvas[top : top + inner[1], left : left + inner[0]] = cv2.resize(picture, inner)
        if self.colour >= 0:
            canvas = cv2.cvtColor(canvas, self.colour)
        tensor = canvas.transpose(2, 0, 1)[None].astype(np.float32) / 255
        output = self.session.run(None, {self.name: tensor})[0][0]
        scores = output[4:].max(0)
        sure = scores > _CONFIDENCE
        boxes = output[:4, sure].T.copy()
        boxes[:, :2] -= boxes[:, 2:] / 2
        boxes = (boxes - (left, top, 0, 0)) / scale
        kept = np.array(cv2.dnn.NMSBoxes(boxes.tolist(), scores[sure].tolist(), _CONFIDENCE, _OVERLAP), int)
        boxes[:, 2:] += boxes[:, :2]
        return boxes[kept], scores[sure][kept], output[4:, sure].argmax(0)[kept]


def pictures(clip: str) -> Iterator[Any]:
    """BGR pictures of a file."""
    video = cv2.VideoCapture(clip)
    while True:
        good, picture = video.read()
        if not good:
            return
        yield picture


def in_threads(work: Callable[[], None], count: int) -> None:
    """Do something several times at once."""
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
