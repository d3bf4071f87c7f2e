"""The clips can be decoded and are as their names say."""

from __future__ import annotations

import math
import wave

import cv2
import pytest

import headrace.gst  # noqa: F401 - initialises GStreamer
from headrace.assets import encoding
from headrace.assets.streams import CLIPS, FPS, Clip
from headrace.source.sim import Scene

from gi.repository import Gst  # isort: skip

FILES = [(clip, name) for clip in CLIPS for name in clip.files]


@pytest.mark.parametrize(("clip", "name"), FILES, ids=[name for _, name in FILES])
def test_a_clip_has_its_size_and_length(tree, seconds, clip, name):
    path = tree / "samples/streams" / name
    if "h265" in name and not path.exists():
        pytest.skip("no H.265 encoder here")
    video = cv2.VideoCapture(str(path))
    frames = []
    while (frame := video.read()[1]) is not None:
        frames.append(frame)
    assert len(frames) == math.ceil(seconds * FPS)
    assert frames[0].shape[1::-1] == clip.size
    wanted, _ = Scene(clip.options(seconds)).render(4)
    assert cv2.absdiff(frames[4], wanted).mean() < 8


def test_an_encoder_may_look_far_ahead_of_another(tmp_path, monkeypatch):
    """As x264enc does with the threads it starts on two dozen cores."""
    codecs = {**encoding._ENCODERS, "h264": ("x264enc speed-preset=veryfast threads=100",)}
    monkeypatch.setattr(encoding, "_ENCODERS", codecs)
    encoding.encode(
        Clip("far", "plaza", 1, (64, 48), ("a.h264", "a.mjpeg"), 1), tmp_path, 5, ["a.h264", "a.mjpeg"]
    )
    assert min((tmp_path / name).stat().st_size for name in ("a.h264", "a.mjpeg")) > 0


def test_the_sound_is_ten_seconds_of_one_channel(tree):
    with wave.open(str(tree / "samples/streams/sonyc_mixed_audio.wav")) as sound:
        assert (sound.getnchannels(), sound.getframerate(), sound.getnframes()) == (1, 48_000, 480_000)


def test_a_raw_stream_carries_its_frame_rate(tree):
    pipeline = Gst.parse_launch("filesrc name=file ! h264parse ! appsink name=out sync=false")
    pipeline.get_by_name("file").set_property("location", str(tree / "samples/streams/sample_720p.h264"))
    pipeline.set_state(Gst.State.PLAYING)
    sample = pipeline.get_by_name("out").emit("pull-sample")
    pipeline.set_state(Gst.State.NULL)
    assert "framerate=(fraction)30/1" in sample.get_caps().to_string()
