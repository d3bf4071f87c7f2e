"""A vector of colours for each object, to find it again in another camera.

hrinfer model=colours.py:Colours process-mode=2, behind a detector; read obj.embedding in a probe.
"""

import cv2

from headrace import Embeddings, Network


class Colours(Network):
    def infer(self, frames):
        return [Embeddings(self.histogram(picture), normalise=True) for picture in frames.numpy()]

    def histogram(self, picture):
        """Share of 12 hues by 4 saturations."""
        hsv = cv2.cvtColor(picture, cv2.COLOR_RGB2HSV)
        return cv2.calcHist([hsv], [0, 1], None, [12, 4], [0, 180, 0, 256]).ravel()
