"""Flow: whole flows on synthetic scenes, and what comes out of them."""

import socket
import threading
import time
import wave
from queue import Empty, Queue

import cv2
import numpy as np
import pytest
from graphs import register_stand_ins

from headrace.flow import (
    BatchMetadataOperator,
    BufferProvider,
    BufferRetriever,
    EOSMessage,
    Flow,
    MediaType,
    Pipeline,
    Probe,
    RenderMode,
)
from headrace.flow.stages import stamping
from headrace.frames.tensor import as_tensor
from headrace.meta.buffer import Buffer

SCENE = "sim://plaza?frames={frames}&width=160&height=96&seed={seed}&noise=0"
SIZE = {"width": 160, "height": 96}


def scene(frames=6, seed=1):
    return SCENE.format(frames=frames, seed=seed)


class Watch(BatchMetadataOperator):
    def __init__(self):
        self.frames = {}
        self.times = []

    def handle_metadata(self, batch_meta):
        for frame in batch_meta.frame_items:
            self.frames.setdefault(frame.pad_index, []).append(frame.frame_number)
            self.times.append(frame.buffer_pts)


class Take(BufferRetriever):
    def __init__(self):
        self.pictures = []

    def consume(self, buffer):
        for index in range(buffer.batch_size):
            self.pictures.append(buffer.extract(index).clone().numpy())
        return 1


def play(flow, limit=60.0, on_message=None):
    thread = threading.Thread(target=flow, args=(on_message,), daemon=True)
    thread.start()
    thread.join(limit)
    assert not thread.is_alive(), "the flow hangs"


def test_every_frame_of_every_source_passes():
    watch, told = Watch(), []
    flow = Flow(Pipeline("test")).batch_capture([scene(6), scene(9, seed=2)], **SIZE)
    flow = flow.attach(Probe("watch", watch)).render(RenderMode.DISCARD)
    play(flow, on_message=told.append)
    assert watch.frames == {0: list(range(6)), 1: list(range(9))}
    assert isinstance(told[-1], EOSMessage) or any(isinstance(one, EOSMessage) for one in told)


def test_a_short_source_does_not_end_the_others():
    watch = Watch()
    sources = [scene(1), *(scene(5, seed) for seed in range(2, 5))]
    flow = Flow(Pipeline("test")).batch_capture(sources, **SIZE)
    play(flow.attach(Probe("watch", watch)).render(RenderMode.DISCARD))
    assert {index: len(numbers) for index, numbers in watch.frames.items()} == {0: 1, 1: 5, 2: 5, 3: 5}


def test_both_branches_of_a_fork_get_everything(tmp_path):
    first, second = Watch(), Take()
    flow = Flow(Pipeline("test")).batch_capture([scene()], **SIZE).fork()
    flow.attach(Probe("first", first)).render(RenderMode.DISCARD)
    flow.retrieve(second)
    play(flow)
    assert len(first.frames[0]) == len(second.pictures) == 6


def test_retrieved_frames_are_the_scene_in_rgb():
    take = Take()
    play(Flow(Pipeline("test")).batch_capture([scene(3)], **SIZE).retrieve(take))
    assert [picture.shape for picture in take.pictures] == [(96, 160, 3)] * 3
    assert all(picture.std() > 10 for picture in take.pictures)


class Handing(BufferProvider):
    """Gives the pictures of a queue, and then the end."""

    def __init__(self, pictures, **attributes):
        self.pictures = pictures
        self.__dict__.update(attributes)

    def generate(self, size):
        try:
            return Buffer(self.pictures.get_nowait().tobytes())
        except Empty:
            return Buffer()


def queued(pictures):
    queue = Queue()
    for picture in pictures:
        queue.put(picture)
    return queue


def test_what_is_injected_can_be_retrieved():
    pictures = [np.full((48, 64, 3), value, np.uint8) for value in (40, 120, 200)]
    take = Take()
    provider = Handing(queued(pictures), format="RGB", width=64, height=48, framerate=30)
    play(Flow(Pipeline("test")).inject([provider]).retrieve(take))
    assert [int(picture.mean().round()) for picture in take.pictures] == pytest.approx([40, 120, 200], abs=2)


class Four(BufferProvider):
    format, width, height, framerate = "RGB", 64, 48, 30
    asked = 0

    def generate(self, size):
        self.asked += 1
        return Buffer(bytes(64 * 48 * 3)) if self.asked % 5 else Buffer()


def test_a_provider_is_asked_no_more_after_its_end_but_when_the_flow_is_played_again():
    for _ in range(10):
        provider = Four()
        flow = Flow(Pipeline("test")).inject([provider]).render(RenderMode.DISCARD)
        play(flow)
        assert provider.asked == 5
        play(flow)
        assert provider.asked == 10


def injected(provider):
    """A flow of what is injected, and what is seen of it."""
    watch = Watch()
    flow = Flow(Pipeline("test")).inject([provider]).batch()
    return flow.attach(Probe("watch", watch)).render(RenderMode.DISCARD), watch


def test_injected_frames_that_are_in_time_keep_their_rate(monkeypatch):
    monkeypatch.setattr(stamping, "_now", lambda source: 0)
    flow, watch = injected(Four())
    for _ in range(2):  # played again, time begins again
        play(flow)
        assert [round(one / 1e6) for one in watch.times] == [0, 33, 67, 100]
        watch.times.clear()


def test_an_injected_frame_that_is_late_comes_when_it_comes():
    class Late(Four):
        """The third comes half a second after the beginning."""

        def generate(self, size):
            source = flow.pipeline.gst.get_by_name(flow.streams[0].originator)
            while self.asked % 5 == 2 and stamping._now(source) < 500_000_000:
                time.sleep(0.01)
            return super().generate(size)

    flow, watch = injected(Late())
    for _ in range(2):
        play(flow)
        assert watch.times[2] >= 500_000_000
        assert min(np.diff(watch.times)) >= 33_000_000
        watch.times.clear()


def test_injected_streams_are_batched():
    watch = Watch()
    providers = [
        Handing(
            queued([np.zeros((48, 64, 3), np.uint8)] * 4), format="RGB", width=64, height=48, framerate=30
        )
        for _ in range(2)
    ]
    flow = Flow(Pipeline("test")).inject(providers).batch(batched_push_timeout=33000)
    play(flow.attach(Probe("watch", watch)).render(RenderMode.DISCARD))
    assert {index: len(numbers) for index, numbers in watch.frames.items()} == {0: 4, 1: 4}


def test_pictures_in_files_formats_can_be_injected():
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:, 32:] = (0, 0, 255)  # BGR: the right half is red
    encoded = cv2.imencode(".png", picture)[1]
    take = Take()
    provider = Handing(queued([encoded]), format="PNG", width=64, height=48, framerate=5)
    play(Flow(Pipeline("test")).inject([provider]).retrieve(take))
    (got,) = take.pictures
    assert got[20, 10].max() < 20
    assert got[20, 50, 0] > 200
    assert got[20, 50, 1:].max() < 60


def frames_of(path):
    video = cv2.VideoCapture(str(path))
    pictures = []
    while True:
        more, picture = video.read()
        if not more:
            return pictures
        pictures.append(picture)


@pytest.mark.parametrize(
    ("name", "options"),
    [("o.mp4", {}), ("o.mov", {"codec_type": "h265"}), ("high.mp4", {"profile": 4, "iframeinterval": 2})],
)
def test_encoded_files_hold_every_frame(tmp_path, name, options):
    flow = Flow(Pipeline("test")).batch_capture([scene(8)], **SIZE)
    play(flow.encode(tmp_path / name, use_sw_codec=True, **options))
    pictures = frames_of(tmp_path / name)
    assert [picture.shape for picture in pictures] == [(96, 160, 3)] * 8
    assert pictures[4].std() > 10


def test_two_sources_are_encoded_side_by_side(tmp_path):
    flow = Flow(Pipeline("test")).batch_capture([scene(8), scene(8, seed=2)], **SIZE)
    play(flow.encode(tmp_path / "o.mp4", use_sw_codec=True))
    pictures = frames_of(tmp_path / "o.mp4")
    assert len(pictures) >= 8
    left, right = pictures[-1][:, :80], pictures[-1][:, 80:]
    assert left.std() > 10
    assert right.std() > 10


def test_a_picture_and_a_row_of_pictures(tmp_path):
    for name in ("last.jpg", "n%d.jpg", "all.mjpg"):
        flow = Flow(Pipeline("test")).batch_capture([scene(3)], **SIZE)
        play(flow.encode(tmp_path / name))
    assert cv2.imread(str(tmp_path / "last.jpg")).shape == (96, 160, 3)
    assert sorted(path.name for path in tmp_path.glob("n*.jpg")) == ["n0.jpg", "n1.jpg", "n2.jpg"]
    assert len(frames_of(tmp_path / "all.mjpg")) == 3


def test_encoded_pictures_are_sent_as_rtp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(60)
        flow = Flow(Pipeline("test")).batch_capture([scene(4)], **SIZE)
        play(flow.encode(f"udp://localhost:{receiver.getsockname()[1]}", use_sw_codec=True))
        packet = receiver.recv(2048)
    assert packet[0] >> 6 == 2  # RTP's version
    assert packet[1] & 0x7F == 96


def test_sound_is_copied_into_a_file(tmp_path):
    tone = (8000 * np.sin(np.arange(8000) / 10)).astype("<i2")
    with wave.open(str(tmp_path / "in.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(tone.tobytes())
    flow = Flow(Pipeline("test")).capture([tmp_path / "in.wav"], media_types=MediaType.AUDIO)
    play(flow.encode(tmp_path / "out.wav"))
    with wave.open(str(tmp_path / "out.wav")) as file:
        assert (file.getframerate(), file.getnchannels()) == (8000, 1)
        assert np.array_equal(np.frombuffer(file.readframes(8000), "<i2"), tone)


def test_generated_tensors_go_with_the_batch(tmp_path, monkeypatch):
    register_stand_ins()
    seen = []

    class Look(BatchMetadataOperator):
        def handle_metadata(self, batch_meta):
            for item in batch_meta.preprocess_batch_items:
                meta = item.as_preprocess_batch()
                tensor = meta.preprocess_tensor_meta.tensor
                seen.append((meta.preprocess_tensor_meta.name, tensor.numpy().tolist()))

    from headrace.flow.stages.analysis import TensorsOfBatch

    generator = TensorsOfBatch(lambda n: {"input": as_tensor(np.full((n, 2), 7, np.float32), "NC")}, 1)
    flow = Flow(Pipeline("test")).batch_capture([scene(2)], **SIZE)
    flow = flow.attach(Probe("generate", generator)).attach(Probe("look", Look()))
    play(flow.render(RenderMode.DISCARD))
    assert seen == [("input", [[7.0, 7.0]])] * 2
