"""Helpers around pipelines: rates, model files, contents and frames of media, clicks on tiles."""

import os
import threading

import numpy as np
import pytest
from flows import frames, play
from gi.repository import Gst
from waiting import wait_until

from headrace.errors import PipelineError
from headrace.flow import Flow, Pipeline
from headrace.flow.osd import EventHandler
from headrace.flow.postprocessing import ObjectDetectorOutputConverter, PostProcessing
from headrace.flow.utils import EngineFileMonitor, MediaChunk, MediaExtractor, MediaInfo, PerfMonitor
from headrace.source.sim import Scene, parse_sim_uri

SCENE = "sim://plaza?frames={}&width=160&height=96&seed=3&noise=0"
MS = 1_000_000


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def monitor(clock, out, show_name=False, batch_size=2):
    return PerfMonitor(batch_size, 1000, "nvurisrcbin", show_name, out=out.append, clock=clock)


def test_rates_now_and_on_average(clock):
    out = []
    perf = monitor(clock, out)
    for _ in range(20):
        perf.count([0, 1])
    clock.now = 2.0
    perf.tick()
    perf.count([0] * 10)
    clock.now = 3.0
    perf.tick()
    first, second = (text.splitlines() for text in out)
    assert first[0] == "Active sources : 2"
    assert first[1] == "**PERF:  FPS 0 (Avg)\tFPS 1 (Avg)\t"
    assert first[3] == "**PERF:  10.00 (10.00)\t10.00 (10.00)\t"
    assert len(second) == 3  # without the header
    assert second[2] == "**PERF:  10.00 (10.00)\t0.00 (6.67)\t"


def test_the_header_comes_every_twentieth_time(clock):
    out = []
    perf = monitor(clock, out)
    for _ in range(41):
        perf.tick()
    assert [index for index, text in enumerate(out) if "FPS 0 (Avg)" in text] == [0, 20, 40]


def test_sources_with_names_have_a_line_each(clock):
    out = []
    perf = monitor(clock, out, show_name=True)
    perf.add_stream(source_id=0, uri="rtsp://a", sensor_id="A", sensor_name="Gate")
    perf.add_stream(source_id=1, uri="rtsp://b", sensor_id="B", sensor_name="Yard")
    perf.count([0] * 30)
    clock.now = 1.0
    perf.tick()
    assert out[0].splitlines()[-2:] == [
        "30.00 (30.00)\tsource_id : 0 stream_name Gate",
        "0.00 (0.00)\tsource_id : 1 stream_name Yard",
    ]
    perf.remove_stream(1)
    perf.count([0, 1])  # a frame that was under way
    assert perf.report().startswith("Active sources : 1")
    perf.add_stream(source_id=1, sensor_name="Yard")
    assert perf.report().startswith("Active sources : 2")


def test_nothing_is_counted_or_printed_in_a_pause(clock):
    out = []
    perf = monitor(clock, out, batch_size=1)
    perf.count([0])
    perf.pause()
    perf.count([0])
    perf.tick()
    perf.resume()
    clock.now = 1.0
    perf.tick()
    assert [text.splitlines()[-1] for text in out] == ["**PERF:  0.00 (1.00)\t"]


def test_frames_are_counted_at_a_sink_pad(clock):
    out = []
    perf = monitor(clock, out, batch_size=1)
    pipeline = frames(5, ("nvmultistreamtiler", {"width": 64, "height": 48}))
    perf.apply(pipeline["nvmultistreamtiler"], "sink")
    play(pipeline)
    clock.now = 1.0
    assert perf.report().splitlines()[-1] == "**PERF:  5.00 (5.00)\t"


@pytest.mark.parametrize(
    ("factory", "name", "present"),
    [("nvinfer", "model-engine-file", ""), ("hrinfer", "model", ""), ("hrinfer", "model", ":Cats")],
)
def test_a_model_is_replaced_when_its_file_was_written(tmp_path, monkeypatch, factory, name, present):
    engine = tmp_path / "model.onnx"
    engine.write_bytes(b"old")
    loaded = []

    class Model:
        element = Gst.ElementFactory.make(factory)

        def get(self, asked):
            assert asked == name
            return f"{engine}{present}"

        def set(self, properties):
            loaded.append(properties)

    watch = EngineFileMonitor(Model(), str(engine), interval=0.01)
    looks, look = [], watch.state
    monkeypatch.setattr(watch, "state", lambda: looks.append(look()) or looks[-1])
    assert not watch.started
    assert watch.start()
    wait_until(lambda: len(looks) > 3)
    assert not loaded  # as it was from the start
    write_whole(engine, b"newer")
    wait_until(lambda: loaded)
    looks.clear()
    wait_until(lambda: len(looks) > 3)
    assert watch.stop()
    assert loaded == [{name: f"{engine}{present}"}]
    assert not watch.stop()


def write_whole(path, data):
    """Write a file that is seen as it was or as it will be, never half."""
    new = path.with_suffix(".new")
    new.write_bytes(data)
    os.utime(new, ns=(1, 1))
    new.replace(path)


def test_a_file_written_right_after_the_start_is_loaded(tmp_path, monkeypatch):
    engine, loaded, held = tmp_path / "model.onnx", [], []
    engine.write_bytes(b"old")
    watch = EngineFileMonitor(None, str(engine), interval=0.01)
    monkeypatch.setattr(watch, "update", lambda: loaded.append(engine.read_bytes()))
    with monkeypatch.context() as late:  # the thread does not come to anything before the file is there
        late.setattr(threading.Thread, "start", lambda thread: held.append(thread))
        watch.start()
    write_whole(engine, b"newer")
    held[0].start()
    wait_until(lambda: loaded)
    watch.stop()
    assert loaded == [b"newer"]


def test_without_a_file_nothing_is_watched():
    assert EngineFileMonitor(None, None).start() is False


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    flow = Flow(Pipeline("clip")).batch_capture([SCENE.format(30)], width=160, height=96)
    flow.encode(path, use_sw_codec=True, enable_osd=False, profile=4, bitrate=4_000_000)()
    return path


def test_what_is_in_a_file(clip):
    info = MediaInfo.discover(str(clip))
    assert info
    assert not info.live
    assert info.duration == pytest.approx(1_000 * MS, abs=50 * MS)
    (video,) = info.streams
    assert (video.width, video.height, video.framerate) == (160, 96, (30, 1))
    assert "H.264" in video.codec
    assert MediaInfo.discover(clip.as_uri()) == info


@pytest.mark.parametrize("place", ["/nowhere.mp4", __file__])
def test_what_cannot_be_read_is_falsy(place):
    assert not MediaInfo.discover(place)


def drain(queue):
    return list(iter(queue.get, None))


def nearest(picture, drawn):
    """Which of the frames that were drawn a picture shows."""
    return int(np.argmin([np.abs(picture.astype(int) - one).mean() for one in drawn]))


@pytest.mark.parametrize("encoded", [False, True])
def test_frames_are_those_of_their_times(clip, encoded):
    scene = Scene(parse_sim_uri(SCENE.format(30)))
    drawn = [scene.render(index)[0] for index in range(30)]
    source = str(clip) if encoded else SCENE.format(30)
    with MediaExtractor([MediaChunk(source, interval=200 * MS)], scaling=(160, 96)) as extractor:
        got = drain(extractor()[0])
    assert [round(frame.timestamp / MS) for frame in got] == [0, 200, 400, 600, 800]
    shown = [frame.tensor.numpy()[:, :, ::-1] for frame in got]  # the scene draws in BGR
    assert [nearest(picture, drawn) for picture in shown] == [0, 6, 12, 18, 24]


def test_every_frame_of_a_clip_with_its_time(clip):
    with MediaExtractor([MediaChunk(str(clip))], scaling=(160, 96)) as extractor:
        (queue,) = extractor()
        got = drain(queue)
    assert [round(frame.timestamp / MS) for frame in got] == [round(1000 * i / 30) for i in range(30)]
    assert {frame.tensor.shape for frame in got} == {(96, 160, 3)}


@pytest.mark.parametrize("seek", [False, True])
def test_a_part_of_a_clip_at_intervals(clip, seek):
    chunk = MediaChunk(str(clip), start_pts=300 * MS, duration=500 * MS, interval=100 * MS)
    with MediaExtractor([chunk], scaling=(160, 96), enable_seek=seek) as extractor:
        got = drain(extractor()[0])
    assert [round(frame.timestamp / MS) for frame in got] == [300, 400, 500, 600, 700]


def test_seeking_gives_the_same_pictures(clip):
    chunk = MediaChunk(str(clip), start_pts=700 * MS)
    pictures = []
    for seek in (False, True):
        with MediaExtractor([chunk], scaling=None, enable_seek=seek) as extractor:
            pictures.append([frame.tensor.numpy() for frame in drain(extractor()[0])])
    assert len(pictures[0]) == 9
    np.testing.assert_array_equal(pictures[0], pictures[1])


@pytest.mark.parametrize("blocking", [False, True])
def test_chunks_go_to_queues_of_their_own(clip, blocking):
    chunks = [MediaChunk(str(clip)), MediaChunk(SCENE.format(7)), MediaChunk(str(clip), duration=200 * MS)]
    with MediaExtractor(chunks, n_thread=2, scaling=(64, 48), blocking=blocking) as extractor:
        assert [len(drain(queue)) for queue in extractor()] == [30, 7, 6]


def test_queues_may_be_read_in_turns(clip):
    chunks = [MediaChunk(str(clip), duration=200 * MS)] * 3
    with MediaExtractor(chunks, scaling=(64, 48)) as extractor:
        queues = extractor()
        rounds = [[queue.get(timeout=60) for queue in queues] for _ in range(7)]
    assert [frame is None for frame in rounds[-1]] == [True] * 3
    assert all(len({frame.timestamp for frame in one}) == 1 for one in rounds[:-1])


def test_chunks_can_be_added_to_an_extractor_without_any(clip):
    with MediaExtractor(scaling=(64, 48)) as extractor:
        assert extractor() == []
        assert len(drain(extractor.append(MediaChunk(str(clip), duration=100 * MS)))) == 3
    with MediaExtractor([MediaChunk(str(clip))]) as extractor, pytest.raises(RuntimeError, match="to append"):
        extractor.append(MediaChunk(str(clip)))


def test_an_extractor_can_be_left_early(clip):
    with MediaExtractor([MediaChunk(str(clip))] * 3, scaling=(64, 48)) as extractor:
        queues = extractor()
        queues[0].get(timeout=60)
    assert [queue.get(timeout=1) for queue in queues] == [None] * 3
    with pytest.raises(PipelineError, match="closed"):
        extractor()


def test_a_chunk_that_cannot_be_read_ends_at_once(caplog):
    with MediaExtractor([MediaChunk("/nowhere.mp4")]) as extractor:
        assert drain(extractor()[0]) == []
    assert "/nowhere.mp4" in caplog.text


class Panel:
    """A tiler as an EventHandler sees it."""

    def __init__(self):
        self.values = {"rows": 1, "columns": 1, "show-source": -1}

    def get(self, name):
        return self.values[name]

    def set(self, properties):
        self.values.update(properties)


def test_a_click_shows_a_tile_and_another_click_all():
    panel = Panel()
    handler = EventHandler(tiler=panel, renderer=panel)
    handler.saw(2)  # three sources: a grid of two by two
    shown = []
    for click in ((1, 700, 100), (1, 700, 100), (1, 10, 700), (3, 10, 10), (1, 1000, 700)):
        handler.clicked(*click, (1280, 720))
        shown.append(panel.values["show-source"])
    assert shown == [1, -1, 2, -1, -1]  # the last one is on no tile
    handler.typed("1")
    assert panel.values["show-source"] == 1
    handler.typed("Escape")
    assert panel.values["show-source"] == -1


def test_events_of_a_window_reach_the_tiler():
    from gi.repository import Gst

    pipeline = frames(3, ("nvmultistreamtiler", {"width": 64, "height": 48}))
    tiler, sink = pipeline["nvmultistreamtiler"], pipeline["sink"]
    handler = EventHandler(tiler=tiler, osd=None, renderer=sink)
    assert handler.start()
    pipeline.gst.set_state(Gst.State.PAUSED)
    pipeline.gst.get_state(60 * Gst.SECOND)
    event = Gst.Structure.new_empty("application/x-gst-navigation")
    for key, value in (
        ("event", "mouse-button-press"),
        ("button", 1),
        ("pointer_x", 5.0),
        ("pointer_y", 5.0),
    ):
        event.set_value(key, value)
    sink.element.sinkpads[0].push_event(Gst.Event.new_navigation(event))
    assert tiler.get("show-source") == 0
    handler.stop()
    assert not handler.started
    pipeline.gst.set_state(Gst.State.NULL)


def test_converters_must_convert():
    with pytest.raises(TypeError, match="abstract"):
        ObjectDetectorOutputConverter()
    assert issubclass(ObjectDetectorOutputConverter, PostProcessing)
