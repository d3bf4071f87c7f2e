"""Bright things with the tightest box around each, however it lies: headrace run clip.mp4 --model rotated.py:Blobs"""

import cv2

from headrace import Detector, Oriented


class Blobs(Detector):
    labels = ("blob",)

    def infer(self, frames):
        return [self.find(picture) for picture in frames.numpy()]

    def find(self, picture):
        bright = cv2.threshold(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), 180, 255, cv2.THRESH_BINARY)[1]
        outlines, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        outlines = [outline for outline in outlines if cv2.contourArea(outline) > 50]
        boxes = [(*centre, *size, angle) for centre, size, angle in map(cv2.minAreaRect, outlines)]
        return Oriented(boxes)
