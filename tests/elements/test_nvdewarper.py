"""nvdewarper: views of a picture as frames of a batch."""

import numpy as np
import pytest

OUT = "fakesink name=sink sync=false"
NVMM = "video/x-raw(memory:NVMM)"
SOURCE = (
    "videotestsrc num-buffers=3 pattern=smpte ! video/x-raw,format=I420,width=160,height=120,framerate=30/1"
)
VIEWS = """\
[property]
output-width=96
output-height=64
[surface0]
projection-type=4
surface-index=3
focal-length=60
width=192
height=128
[surface1]
projection-type=2
src-fov=160
top-angle=40
bottom-angle=-40
"""


@pytest.fixture
def views(tmp_path):
    path = tmp_path / "views.txt"
    path.write_text(VIEWS)
    return path


def frames(batch):
    """What the frames of a batch say of themselves."""
    return [
        (frame.pad_index, frame.batch_id, frame.frame_number, frame.num_surfaces_per_frame, frame.surface_type,
         frame.surface_index, frame.pipeline_width, frame.pipeline_height)
        for frame in batch.meta.frames
    ]  # fmt: skip


def test_the_muxer_batches_all_views_of_every_source(run, views):
    one = run(
        f"{SOURCE} ! nvvideoconvert ! {NVMM},format=RGBA ! nvdewarper config-file={views} ! m.sink_0"
        f" {SOURCE} ! nvvideoconvert ! {NVMM},format=RGBA ! nvdewarper config-file={views} ! m.sink_1"
        f" nvstreammux name=m batch-size=2 num-surfaces-per-frame=2 ! {OUT}"
    ).to_end()
    seen = [frame for batch in one.out.payloads for frame in frames(batch)]
    assert sorted(frame[:1] + frame[2:] for frame in seen) == sorted(
        (source, number, 2, kind, index, 96, 64)
        for source in (0, 1) for number in (0, 1, 2) for kind, index in ((4, 3), (2, 0))
    )  # fmt: skip
    last = one.out.payloads[-1]
    assert [frame[4] for frame in frames(last)[:2]] == [4, 2]
    pictures = [surface.frame() for surface in last.surfaces]
    assert {(picture.format, picture.width, picture.height) for picture in pictures} == {("RGBA", 96, 64)}
    assert np.abs(pictures[0].planes[0].astype(int) - pictures[1].planes[0]).mean() > 5


def test_without_a_word_the_muxer_takes_the_first_view(run, views):
    one = run(
        f"{SOURCE} ! nvvideoconvert ! nvdewarper config-file={views} ! m.sink_0 nvstreammux name=m ! {OUT}"
    ).to_end()
    assert [frames(batch) for batch in one.out.payloads] == [[(0, 0, n, 1, 4, 3, 96, 64)] for n in range(3)]


def test_views_become_plain_frames(run, views):
    one = run(
        f"{SOURCE} ! nvvideoconvert ! nvdewarper config-file={views} ! nvvideoconvert"
        f" ! video/x-raw,format=RGB ! {OUT}"
    ).to_end()
    assert one.out.sizes == [96 * 64 * 3] * 6


def test_fewer_views_can_be_asked_for(run, views):
    one = run(
        f"{SOURCE} ! nvvideoconvert ! nvdewarper config-file={views} num-batch-buffers=1 source-id=7 ! {OUT}"
    ).to_end()
    assert [(len(batch.surfaces), batch.meta.frames[0].source_id) for batch in one.out.payloads] == [
        (1, 7)
    ] * 3


@pytest.mark.parametrize(("setting", "words"), [("", "set config-file"), ("config-file=/no.txt", "/no.txt")])
def test_a_file_that_is_missing_is_an_error(run, setting, words):
    error = run(f"{SOURCE} ! nvvideoconvert ! nvdewarper {setting} ! {OUT}").to_error()
    assert words in error.text
