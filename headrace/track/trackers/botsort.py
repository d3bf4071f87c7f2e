"""BoT-SORT (Aharon et al., 2022): ByteTrack with the camera's motion taken out, and looks where they are known.

The camera's motion needs the frames (`Sightings.pictures`), looks need embeddings (`Sightings.embeddings`); without
them this is ByteTrack with width and height in the filter.
"""

from __future__ import annotations

import numpy as np

from headrace.track.matching import Recipe, Round
from headrace.track.motion import XYWH, Array
from headrace.track.options import TrackerOptions
from headrace.track.overlap import iou
from headrace.track.steady import SteadyTracker

#: Looks count for boxes that are at least so near (IoU) and whose looks are at least so alike (cosine).
NEAR, ALIKE = 0.2, 0.6


def blend(score: Array, cosine: Array) -> Array:
    """The better of overlap and looks, the latter only for who is near and alike enough."""
    looks = np.where((score >= NEAR) & (cosine >= ALIKE), (1 + cosine) / 2, 0)
    best: Array = np.maximum(score, looks)
    return best


def build(options: TrackerOptions) -> SteadyTracker:
    """A tracker for any number of sources."""
    rounds = (
        Round(iou, options.min_iou, "strong", "sure", blend=blend),
        Round(iou, max(0.5, options.min_tentative_iou), "weak", "recent"),
        Round(iou, max(0.3, options.min_iou), "strong", "new", blend=blend),
    )
    return SteadyTracker(Recipe(rounds, XYWH), options)
