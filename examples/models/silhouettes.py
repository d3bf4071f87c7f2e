"""Bright things by their pixels, with masks: headrace run clip.mp4 --model silhouettes.py:Silhouettes"""

import cv2
import numpy as np

from headrace import Detector, Instances


class Silhouettes(Detector):
    labels = ("thing",)

    def infer(self, frames):
        return [self.find(picture) for picture in frames.numpy()]

    def find(self, picture):
        gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        count, parts, stats, _ = cv2.connectedComponentsWithStats((gray > 180).astype(np.uint8))
        large = [part for part in range(1, count) if stats[part, cv2.CC_STAT_AREA] > 50]
        return Instances(np.array([parts == part for part in large]))
