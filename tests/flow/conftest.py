"""A small clip with sound."""

import pytest
from chains import launch


@pytest.fixture(scope="session")
def clip_with_sound(tmp_path_factory):
    """Twenty frames of 64x48 and a tone, H.264 and AAC or MP3 in Matroska."""
    path = tmp_path_factory.mktemp("flow") / "clip.mkv"
    launch(
        f"matroskamux name=m ! filesink location={path} "
        "videotestsrc num-buffers=20 ! video/x-raw,format=I420,width=64,height=48,framerate=30/1 ! x264enc ! "
        "h264parse ! m. audiotestsrc num-buffers=20 ! audioconvert ! vorbisenc ! m."
    )
    return path
