"""How many frames a run puts into a batch, and that nobody notices."""

from pathlib import Path

import pytest

import headrace
from headrace.flow import BatchMetadataOperator, Probe
from headrace.flow.run.config import RunConfig
from headrace.flow.run.runner import Run
from headrace.infer import Detector
from headrace.meta import Detections

DEMO = Path(headrace.__file__).parent / "models" / "demo.onnx"
SCENE = "sim://crossroad?frames=10&width=320&height=192&seed={}"


class Nothing(Detector):
    """A model in Python."""

    labels = ("thing",)

    def infer(self, frames):
        return [Detections([], [], []) for _ in frames]


class Sizes(BatchMetadataOperator):
    def __init__(self):
        self.seen = []

    def handle_metadata(self, batch_meta):
        self.seen.append(batch_meta.n_frames)


@pytest.fixture
def sizes(tmp_path):
    def of(*seeds, **options):
        given = {"model": str(DEMO), "summary": tmp_path / "s", **options}
        run, sizes = Run(RunConfig(inputs=[SCENE.format(seed) for seed in seeds], **given)), Sizes()
        run.pipeline.attach("infer", Probe("sizes", sizes))
        run.start()
        assert run.wait().error is None
        return sizes.seen

    return of


def test_a_batch_has_four_frames_of_one_file(sizes):
    assert sizes(1) == [4, 4, 2]


def test_few_files_share_a_batch_and_many_have_one_frame_each(sizes):
    assert set(sizes(1, 2, 3)[:-1]) == {4}
    assert set(sizes(1, 2, 3, 4, 5)) == {5}


@pytest.mark.parametrize(
    "options",
    [
        {"set": {"interval": "1"}},
        {"on_error": "drop"},
        {"live": True},
        {"batch_size": 1},
        {"model": f"{__name__}:Nothing"},
    ],
)
def test_where_a_batch_is_more_than_its_frames_it_has_one(sizes, options):
    assert set(sizes(1, **options)) == {1}


def test_tiles_show_every_frame(sizes, tmp_path):
    assert sizes(1, out=tmp_path / "o.mp4") == [1] * 10


def test_detections_and_tracks_are_the_same(sizes, tmp_path):
    written = []
    for size in (1, 0, 3):
        sizes(1, 2, batch_size=size, detections=tmp_path / f"{size}")
        written.append(sorted((tmp_path / f"{size}").read_text().splitlines()))
    assert written[0] == written[1] == written[2]
    assert len(written[0]) == 20
    assert any('"box"' in line for line in written[0])
