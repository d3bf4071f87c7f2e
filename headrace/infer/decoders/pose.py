"""What pose models that look at one object have in common."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from headrace.infer.candidates import Array, to_numpy
from headrace.infer.decoders.base import DecodeOptions, Outputs, PictureDecoder
from headrace.infer.decoders.scores import NotFiniteError
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import IMAGENET_RGB, PreprocessOptions
from headrace.infer.result import Result


class PoseDecoder(PictureDecoder):
    """A family that finds the points of the one object that a picture shows."""

    task = "pose"

    @abstractmethod
    def points(self, outputs: Outputs, width: int, height: int) -> Array:
        """Points ``(N, k, 3)`` x, y in pixels of the network's input of a width and height, and confidence."""

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB, letterboxed to the centre on black, ImageNet's means and deviations (mmpose, HRNet)."""
        return PreprocessOptions(scale=1.0, mean=IMAGENET_RGB.mean, std=IMAGENET_RGB.std, pad_value=0.0)

    def results(self, outputs: Outputs, options: DecodeOptions) -> list[Result]:
        """See `PictureDecoder.results`; confidences are cut at 0 and 1."""
        points = to_numpy(self.points(outputs, options.width, options.height), np.float32)
        if not np.isfinite(points).all():
            raise NotFiniteError("keypoints are not finite (NaN or infinite)")
        points = np.concatenate([points[..., :2], points[..., 2:].clip(0, 1)], axis=2)
        return [Result(keypoints=one) for one in points]
