"""Real clips through real pipelines: what a plain script finds, alone or beside others, whatever the format."""

import cv2
import pytest
from chains import Chain, count_frames, launch, to_mp4, write_model
from plain_yolox import CARS, CONFIDENCE, PEOPLE, REAL, PlainYolox, agreement

from headrace.flow import BufferOperator, Probe

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not (REAL / "videos").is_dir(), reason="HEADRACE_REAL has no videos"),
]
VIDEOS = REAL / "videos"
BOTTLE = "bottle_640x360_h264_29.83fps.mp4"
MJPEG = "cars_768x432_mjpeg.avi"
CHANGES = "cars_resolution_change_768x432_to_384x216.h264"
YOLOX = (
    "hrinfer",
    {"model": str(REAL / "models" / "yolox_nano.onnx"), "confidence": CONFIDENCE, "threads": 2},
)
# As the plain script does it.
SQUARE = "hrinfer", {**YOLOX[1], "rectangular": False}
# Looks at all pixels, so that a frame of another source or time would be noticed.
BRIGHTNESS = """
import numpy
def infer(self, frames):
    levels = [frame.planes[0].mean() for frame in frames]
    return [Detections([[0, 0, level, level]], [0.9], [0]) for level in levels]
"""


class EveryNth(BufferOperator):
    """Spares the model most frames; the decoder delivers them all."""

    def __init__(self, step):
        self.step, self.count = step, -1

    def handle_buffer(self, buffer):
        self.count += 1
        return self.count % self.step == 0


def pictures(path):
    capture = cv2.VideoCapture(str(path))
    while (read := capture.read())[0]:
        yield read[1]


def compared(frames, path):
    """F1 and number of hits of a pipeline's frames against the plain script on the same frames."""
    plain, wanted = PlainYolox(), {seen.number: seen.found for seen in frames}
    pairs = [(wanted.pop(n), plain(p, CONFIDENCE)) for n, p in enumerate(pictures(path)) if n in wanted]
    assert wanted == {}
    return agreement(pairs)


@pytest.mark.parametrize(("clip", "step", "least"), [(PEOPLE, 13, 60), (CARS, 4, 25)], ids=["people", "cars"])
def test_detections_equal_those_of_a_plain_script(clip, step, least):
    chain = Chain([VIDEOS / clip], SQUARE)
    every = EveryNth(step)
    chain.pipeline.attach("mux", Probe("every", every))
    played = chain.play(150)
    assert played.error is None
    total = every.count + 1
    assert total == count_frames(VIDEOS / clip)
    assert [seen.number for seen in played.frames[0]] == list(range(0, total, step))
    f1, hits = compared(played.frames[0], VIDEOS / clip)
    assert hits >= least
    assert f1 >= 0.99


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """The first 30 frames of a clip, as they are in it."""
    folder, ready = tmp_path_factory.mktemp("short"), {}

    def make(clip):
        if clip not in ready:
            ready[clip] = path = folder / clip
            parts = "avidemux ! jpegparse" if clip.endswith(".avi") else "qtdemux ! h264parse"
            muxer = "avimux" if clip.endswith(".avi") else "mp4mux"
            launch(
                f"filesrc location={VIDEOS / clip} ! {parts} ! identity eos-after=30 ! {muxer} "
                f"! filesink location={path}"
            )
        return ready[clip]

    return make


def plain_data(frames):
    """Everything of the frames of one source, for comparison."""
    return [
        (seen.number, seen.pts, seen.size, seen.found.xyxy.tolist(), seen.found.confidence.tolist(),
         seen.found.class_id.tolist())
        for seen in frames
    ]  # fmt: skip


def run(clips, model):
    played = Chain(clips, model).play(150)
    assert played.error is None
    return {source: plain_data(frames) for source, frames in played.frames.items()}


@pytest.fixture(params=["yolox", "python"])
def model(request, tmp_path):
    if request.param == "yolox":
        return YOLOX
    return "hrinfer", {"model": write_model(tmp_path, BRIGHTNESS)}


@pytest.mark.parametrize("copies", [4, 16])
def test_copies_at_once_get_the_same_detections_as_alone(short, model, copies):
    clip = short(BOTTLE)
    (alone,) = run([clip], model).values()
    assert [entry[0] for entry in alone] == list(range(len(alone)))
    assert len(alone) == count_frames(clip) >= 29
    assert sum(len(entry[3]) for entry in alone) > 10
    together = run([clip] * copies, model)
    assert sorted(together) == list(range(copies))
    assert all(frames == alone for frames in together.values())


def test_clips_of_other_sizes_rates_and_codecs_at_once_get_the_same_as_alone(short, model):
    clips = [short(clip) for clip in (BOTTLE, PEOPLE, CARS, MJPEG)]
    together = run(clips, model)
    for source, clip in enumerate(clips):
        alone = run([clip], model)[0]
        assert together[source] == alone, clip.name
        assert len(alone) == count_frames(clip)


def test_motion_jpeg_gives_what_the_original_gives():
    chain = Chain([VIDEOS / MJPEG], SQUARE)
    chain.pipeline.attach("mux", Probe("every", EveryNth(2)))
    played = chain.play(150)
    assert played.error is None
    f1, hits = compared(played.frames[0], VIDEOS / MJPEG)
    assert hits >= 15
    assert f1 >= 0.99
    # Compressed once more, it differs a little from the original.
    f1, _ = compared(played.frames[0], VIDEOS / CARS)
    assert f1 >= 0.8


def halves(path, folder):
    """A raw stream cut where its second size begins."""
    data = path.read_bytes()
    sets = [i for i in range(len(data) - 4) if data[i : i + 3] == b"\0\0\1" and data[i + 3] & 31 == 7]
    first = data[sets[0] : sets[0] + 12]
    cut = next(i for i in sets if data[i : i + 12] != first)
    parts = folder / "first.h264", folder / "second.h264"
    parts[0].write_bytes(data[:cut])
    parts[1].write_bytes(data[cut:])
    return parts


def test_a_change_of_size_in_the_stream_gives_boxes_in_each_frames_own_pixels(tmp_path):
    played = Chain([VIDEOS / CHANGES], SQUARE).play(150)
    assert played.error is None
    frames = played.frames[0]
    assert [seen.number for seen in frames] == list(range(100))
    assert [seen.size for seen in frames] == [(768, 432)] * 50 + [(384, 216)] * 50
    plain, pairs, seen = PlainYolox(), [], iter(frames)
    for part in halves(VIDEOS / CHANGES, tmp_path):
        pairs += [(next(seen).found, plain(picture, CONFIDENCE)) for picture in pictures(part)]
    assert len(pairs) == 100
    f1, hits = agreement(pairs)
    assert hits >= 10
    assert f1 >= 0.99


def test_a_change_of_size_in_the_stream_makes_one_playable_file(tmp_path):
    elements, sink = to_mp4(tmp_path / "out.mp4")
    mux = {"width": 768, "height": 432}
    played = Chain([VIDEOS / CHANGES], *elements, sink=sink, mux=mux).play(150)
    assert played.error is None
    sizes = [picture.shape for picture in pictures(tmp_path / "out.mp4")]
    assert sizes == [(432, 768, 3)] * 100


@pytest.mark.parametrize("name", ["empty_file.mp4", "text_named_mp4.mp4"])
def test_broken_files_are_refused(name):
    played = Chain([VIDEOS / name], YOLOX).play(150)
    assert played.error is not None
    assert played.error.element == "source0"
    assert name in str(played.error)


def test_a_real_clip_cut_short_gives_what_is_there(tmp_path):
    path = tmp_path / "cut.mp4"
    path.write_bytes((VIDEOS / PEOPLE).read_bytes()[:400_000])
    model = "hrinfer", {"model": write_model(tmp_path, BRIGHTNESS)}
    played = Chain([path], model).play(150)
    assert played.error is None
    assert "cut short" in played.warnings()[0].text
    cut, whole = plain_data(played.frames[0]), run([VIDEOS / PEOPLE], model)[0]
    assert 50 < len(cut) < 1000
    assert len(whole) == 1394
    assert cut == whole[: len(cut)]
