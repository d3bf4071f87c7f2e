"""A model that finds one box, which walks."""

#: A box that walks from left to right, 4 pixels a frame, standing at y=240 of 480.
WALKER = """
from headrace import Detections, Detector

class Walker(Detector):
    labels = ("walker",)
    n = 0

    def infer(self, frames):
        x = 100 + 4 * self.n
        self.n += 1
        return [Detections([[x - 10, 200, x + 10, 240]], [0.9], [0]) for _ in frames]
"""
