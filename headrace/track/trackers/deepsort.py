"""Looks before place, in the spirit of DeepSORT (Wojke et al., 2017), with any embedding model of the project.

Put an `hrinfer` whose model returns embeddings, with ``process-mode=secondary``, before the tracker. Objects without a
look are matched by IoU, in the second round.
"""

from __future__ import annotations

import numpy as np

from headrace.track.following import Tracker
from headrace.track.matching import Recipe, Round
from headrace.track.motion import XYAH, Array
from headrace.track.options import TrackerOptions
from headrace.track.overlap import buffered_iou, iou

#: How far from its prediction an object is looked for, as a share of its size on every side.
REACH = 1.0
#: Least cosine of looks that belong to one object.
ALIKE = 0.6


def blend(score: Array, cosine: Array) -> Array:
    """Looks alone, for who is near at all."""
    return np.where((score > 0) & (cosine >= ALIKE), cosine, 0)


def build(options: TrackerOptions) -> Tracker:
    """A tracker for any number of sources."""
    near = buffered_iou(REACH)
    rounds = (
        Round(near, 0.25, "strong", "sure", margin=REACH, blend=blend),
        Round(iou, options.min_iou, "strong"),
        Round(iou, options.min_tentative_iou, "weak", "recent"),
    )
    return Tracker(Recipe(rounds, XYAH), options)
