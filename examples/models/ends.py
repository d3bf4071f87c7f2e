"""The four ends of the largest bright thing, joined to a ring: headrace run clip.mp4 --model ends.py:Ends"""

import cv2
import numpy as np

from headrace import Detections, Detector, Keypoints


class Ends(Detector):
    labels = ("thing",)
    skeleton = ((0, 1), (1, 2), (2, 3), (3, 0))

    def infer(self, frames):
        return [self.find(picture) for picture in frames.numpy()]

    def find(self, picture):
        bright = cv2.threshold(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), 180, 255, cv2.THRESH_BINARY)[1]
        outlines, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        if not outlines:
            return Detections.empty()
        points = max(outlines, key=cv2.contourArea)[:, 0].astype(np.float32)
        x, y = points.T
        return Keypoints([points[[y.argmin(), x.argmax(), y.argmax(), x.argmin()]]])
