"""The warmest place of each picture, found by torch: headrace run clip.mp4 --model warmest.py:Warmest"""

import torch
from torch.nn import functional

from headrace import Detections, Detector

CELL = 32


class Warmest(Detector):
    labels = ("warm",)

    def infer(self, frames):
        return [self.find(picture) for picture in frames.torch()]

    @torch.inference_mode()
    def find(self, picture):
        """Where red exceeds blue most, in cells of 32 pixels."""
        red, blue = picture[..., 0].float(), picture[..., 2].float()
        cells = functional.avg_pool2d((red - blue)[None, None] / 255, CELL)[0, 0]
        if not cells.numel() or cells.max() <= 0:
            return Detections.empty()
        row, column = divmod(int(cells.argmax()), cells.shape[1])
        corner = torch.tensor([column, row, column + 1, row + 1]) * CELL
        return Detections(corner[None], cells.max()[None])
