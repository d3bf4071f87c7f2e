"""Small clips that the fault tests share."""

import pytest
from chains import launch

BALL = "videotestsrc pattern=ball num-buffers=60 ! video/x-raw,width=320,height=240,framerate=10/1"
H264 = "x264enc key-int-max=15 bframes=2 b-adapt=false ! h264parse"


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """A folder with 60 frames as ``end.mp4`` (index at the end), ``front.mp4`` and ``raw.h264``."""
    folder = tmp_path_factory.mktemp("clips")
    ends = {
        "end.mp4": "mp4mux",
        "front.mp4": "mp4mux faststart=true",
        "raw.h264": "video/x-h264,stream-format=byte-stream",
    }
    for name, end in ends.items():
        launch(f"{BALL} ! {H264} ! {end} ! filesink location={folder / name}")
    return folder


@pytest.fixture
def clip(clips):
    return clips / "front.mp4"
