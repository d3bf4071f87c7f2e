"""The clips can be decoded and are as their names say."""

from __future__ import annotations

import math

import cv2
import pytest
from conftest import SECONDS

from headrace.assets.streams import CLIPS, FPS
from headrace.source.sim import Scene

FILES = [(clip, name) for clip in CLIPS for name in clip.files]


@pytest.mark.parametrize(("clip", "name"), FILES, ids=[name for _, name in FILES])
def test_a_clip_has_its_size_and_length(tree, clip, name):
    path = tree / "samples/streams" / name
    if "h265" in name and not path.exists():
        pytest.skip("no H.265 encoder here")
    video = cv2.VideoCapture(str(path))
    frames = []
    while (frame := video.read()[1]) is not None:
        frames.append(frame)
    assert len(frames) == math.ceil(SECONDS * FPS)
    assert frames[0].shape[1::-1] == clip.size
    wanted, _ = Scene(clip.options(SECONDS)).render(4)
    assert cv2.absdiff(frames[4], wanted).mean() < 8
