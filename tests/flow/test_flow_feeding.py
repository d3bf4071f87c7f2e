"""Buffers out of one pipeline and into another."""

import queue
import threading

import numpy as np
import pytest
from flows import finish, frames, play

from headrace import Buffer, ColorFormat, as_tensor
from headrace.errors import PipelineError
from headrace.flow import (
    BufferOperator,
    BufferProvider,
    BufferRetriever,
    Feeder,
    Pipeline,
    Probe,
    Receiver,
    ServiceMakerPipeline,
)

NVMM_RGB = "video/x-raw(memory:NVMM), format=RGB, width=64, height=48, framerate=30/1"
PLAIN_RGB = "video/x-raw, format=RGB, width=64, height=48, framerate=30/1"
TO_RGB = (("nvvideoconvert", {}), ("capsfilter", {"caps": "video/x-raw(memory:NVMM), format=RGB"}))


class Take(BufferRetriever):
    def __init__(self, pictures, result=1):
        super().__init__()
        self.pictures, self.result = pictures, result

    def consume(self, buffer):
        self.pictures.put(buffer.extract(0).clone())
        return self.result


class Give(BufferProvider):
    """Hands on pictures until ``None`` comes."""

    def __init__(self, pictures, make):  # no super().__init__()
        self.pictures, self.make, self.generated = pictures, make, 0

    def generate(self, size):
        tensor = self.pictures.get()
        if tensor is None:
            return Buffer()
        self.generated += 1
        return self.make(tensor)


class Pictures(BufferOperator):
    def __init__(self):
        self.seen = []

    def handle_buffer(self, buffer):
        self.seen.append(np.array(buffer.extract(0).numpy()))


def wrapped(tensor):
    return as_tensor(np.from_dlpack(tensor), "HWC").wrap(ColorFormat.RGB)


def plain(tensor):
    return Buffer(np.from_dlpack(tensor).tobytes())


@pytest.mark.parametrize(
    ("caps", "make"), [(NVMM_RGB, wrapped), (NVMM_RGB, plain), (PLAIN_RGB, wrapped), (PLAIN_RGB, plain)]
)
def test_pictures_go_from_one_pipeline_into_another(caps, make):
    pictures, shown = queue.Queue(maxsize=4), Pictures()
    give = Give(pictures, make)
    second = ServiceMakerPipeline("second")
    second.add("appsrc", "src", {"caps": caps, "do-timestamp": True})
    second.add("nvvideoconvert", "convert", {"nvbuf-memory-type": 2}).add("fakesink", "sink", {"sync": False})
    second.add("capsfilter", "rgb", {"caps": "video/x-raw(memory:NVMM), format=RGB"})
    second.add("nvstreammux", "mux", {"batch-size": 1, "width": 64, "height": 48})
    second.link("src", "convert", "rgb").link(("rgb", "mux"), ("", "sink_%u")).link("mux", "sink")
    second.attach("mux", Probe("pictures", shown))
    second.attach("src", Feeder("feeder", give), tips="need-data/enough-data").start()
    sent = queue.Queue()
    first = frames(
        6, *TO_RGB, kind=ServiceMakerPipeline, sink=("appsink", {"emit-signals": True, "sync": False})
    )

    class Both(Take):
        def consume(self, buffer):
            sent.put(np.array(buffer.extract(0).numpy()))
            return super().consume(buffer)

    first.attach("sink", Receiver("receiver", Both(pictures)), tips="new-sample").start()
    finish(first)
    pictures.put(None)
    finish(second)
    assert give.generated == 6
    assert len(shown.seen) == 6
    for picture in shown.seen:
        np.testing.assert_array_equal(picture, sent.get(timeout=1))


class Steps(BufferProvider):
    def __init__(self, *steps):
        self.steps = list(steps)

    def generate(self, size):
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step


def feed(kind, *steps):
    pipeline = kind("feed").add("appsrc", "src", {"caps": "application/octet-stream", "format": 3})
    pipeline.add("fakesink", "sink", {"sync": False}).link("src", "sink")
    sizes = []

    class Sizes(BufferOperator):
        def handle_buffer(self, buffer):
            sizes.append(buffer.extract(0).size())

    pipeline.attach("src", Probe("sizes", Sizes())).attach("src", Feeder("feeder", Steps(*steps)))
    play(pipeline)
    return sizes


@pytest.mark.parametrize("end", [None, Buffer()])
def test_nothing_ends_the_stream_and_no_bytes_mean_later(end):
    assert feed(ServiceMakerPipeline, Buffer(b"abc"), Buffer(b""), Buffer([1, 2]), end) == [3, 2]


def test_a_feeder_that_is_slow_to_end_feeds_the_next_run():
    pipeline = Pipeline("feed").add("appsrc", "src", {"caps": "application/octet-stream", "format": 3})
    pipeline.add("fakesink", "sink", {"sync": False}).link("src", "sink")
    give = Steps(Buffer(b"abc"), Buffer(), Buffer(b"de"), Buffer())
    pipeline.attach("src", Feeder("feeder", give))
    go_on, asked, source = threading.Event(), threading.Event(), pipeline["src"].element
    source.connect_after(
        "end-of-stream", lambda source: go_on.wait(60)
    )  # the feeder's thread stands still here
    play(pipeline)
    source.connect("need-data", lambda source, size: asked.set())
    pipeline.start()
    assert asked.wait(60)
    go_on.set()
    finish(pipeline)
    assert give.steps == []


def test_a_provider_that_raises_ends_its_stream(capfd):
    assert feed(ServiceMakerPipeline, Buffer(b"abc"), ValueError("no more today")) == [3]
    assert "ValueError: no more today" in capfd.readouterr().err
    with pytest.raises(PipelineError, match="feeder 'feeder': ValueError: no more today"):
        feed(Pipeline, Buffer(b"abc"), ValueError("no more today"))


def test_a_negative_result_is_an_error(capfd):
    pictures = queue.Queue()
    pipeline = frames(
        5, *TO_RGB, kind=ServiceMakerPipeline, sink=("appsink", {"emit-signals": True, "sync": False})
    )
    pipeline.attach("sink", Receiver("receiver", Take(pictures, -1)))
    play(pipeline)
    assert pictures.qsize() == 1
    assert "ERROR from" in capfd.readouterr().out


def test_a_retriever_that_raises_is_told(capfd):
    class Fails(BufferRetriever):
        def consume(self, buffer):
            raise ValueError("cannot take it")

    for kind in (ServiceMakerPipeline, Pipeline):
        pipeline = frames(2, *TO_RGB, kind=kind, sink=("appsink", {"emit-signals": True, "sync": False}))
        pipeline.attach("sink", Receiver("receiver", Fails()))
        if kind is Pipeline:
            with pytest.raises(PipelineError, match="cannot take it"):
                play(pipeline)
        else:
            play(pipeline)
            assert (
                capfd.readouterr().err.count("ValueError: cannot take it") == 3
            )  # a line each, and the traceback once


@pytest.mark.parametrize("kind", [Receiver, Feeder])
def test_only_the_right_user_code_is_taken(kind):
    with pytest.raises(TypeError, match="'x' needs a Buffer"):
        kind("x", object())
