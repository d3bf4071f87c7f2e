"""Whole programs in pyservicemaker's Pipeline API, each in a process of its own."""

import re

import pytest
from apps import run_app, write
from chains import launch

ROOT = "/opt/nvidia/deepstream/deepstream"
STREAMS = f"{ROOT}/samples/streams"


@pytest.fixture(scope="module")
def assets(tmp_path_factory):
    """A folder in the place of DeepStream's, with two short streams in it."""
    folder = tmp_path_factory.mktemp("assets")
    streams = folder / "samples" / "streams"
    streams.mkdir(parents=True)
    source = (
        "videotestsrc num-buffers=30 ! video/x-raw,format=I420,width=128,height=96,framerate=30/1 ! x264enc"
    )
    launch(f"{source} ! video/x-h264,stream-format=byte-stream ! filesink location={streams}/short.h264")
    launch(f"{source} ! h264parse ! mp4mux ! filesink location={streams}/short.mp4")
    return folder


@pytest.fixture
def app(assets, tmp_path):
    """Run a program's text with arguments; gives its output's lines."""

    def run(text, *arguments):
        done = run_app(write(tmp_path, text), *arguments, options=["--assets", assets])
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout.splitlines()

    return run


COUNTER = """
from pyservicemaker import Pipeline, Probe, BatchMetadataOperator, osd
from multiprocessing import Process
import platform, sys

class Counter(BatchMetadataOperator):
    def handle_metadata(self, batch_meta):
        for frame_meta in batch_meta.frame_items:
            new = batch_meta.acquire_object_meta()
            new.class_id, new.confidence = 2, 0.75
            new.rect_params.left = new.rect_params.top = 4
            new.rect_params.width = new.rect_params.height = 40
            frame_meta.append(new)
            people = sum(1 for object_meta in frame_meta.object_items if object_meta.class_id == 2)
            text = osd.Text()
            text.display_text = f"Person={people}".encode("ascii")
            text.x_offset, text.y_offset = 10, 12
            text.font.name, text.font.size, text.font.color = osd.FontFamily.Serif, 12, osd.Color(1.0, 1.0, 1.0, 1.0)
            text.set_bg_color, text.bg_color = True, osd.Color(0.0, 0.0, 0.0, 1.0)
            display_meta = batch_meta.acquire_display_meta()
            display_meta.add_text(text)
            frame_meta.append(display_meta)
            print(f"pad {frame_meta.pad_index} frame {frame_meta.frame_number} people {people}")

def main(path):
    sink = "nv3dsink" if platform.processor() == "aarch64" else "nveglglessink"
    if path.endswith((".yaml", ".yml")):
        pipeline = Pipeline("counter", path)
    else:
        pipeline = Pipeline("counter")
        pipeline.add("filesrc", "src", {"location": path})
        pipeline.add("h264parse", "parser").add("nvv4l2decoder", "decoder")
        pipeline.add("nvstreammux", "mux", {"batch-size": 1, "width": 1280, "height": 720, "gpu-id": 0})
        pipeline.add("nvosdbin", "osd").add(sink, "sink", {"sync": 0, "qos": False})
        pipeline.link("src", "parser", "decoder").link(("decoder", "mux"), ("", "sink_%u")).link("mux", "osd", "sink")
    pipeline.attach("mux", Probe("counter", Counter()))
    pipeline.attach("mux", "measure_fps_probe", "fps", properties={"interval": 0})
    pipeline.start().wait()

if __name__ == "__main__":
    process = Process(target=main, args=(sys.argv[1],))
    try:
        process.start()
        process.join()
    except KeyboardInterrupt:
        process.terminate()
    sys.exit(process.exitcode)
"""

GRAPH = f"""
deepstream:
  nodes:
  - {{type: filesrc, name: file, properties: {{location: {STREAMS}/short.h264}}}}
  - {{type: h264parse, name: parser}}
  - {{type: nvv4l2decoder, name: decoder}}
  - {{type: nvstreammux, name: mux, properties: {{batch-size: 1, width: 1280, height: 720}}}}
  - {{type: nvvideoconvert, name: converter}}
  - {{type: nvdsosd, name: osd, enable: false}}
  - {{type: nveglglessink, name: sink, properties: {{sync: false}}}}
  - {{type: sample_video_probe.sample_video_probe, name: drawn, properties: {{font-size: 15}}}}
  edges:
    file: parser
    parser: decoder
    decoder: mux
    mux.src: [converter, drawn]
    converter: osd
    osd: sink
"""


@pytest.mark.parametrize("form", ["code", "yaml"])
def test_counter(app, tmp_path, form):
    (tmp_path / "graph.yaml").write_text(GRAPH)
    lines = app(COUNTER, "graph.yaml" if form == "yaml" else f"{STREAMS}/short.h264")
    counted = [line for line in lines if line.startswith("pad")]
    assert counted == [f"pad 0 frame {n} people 1" for n in range(30)]
    assert sum(bool(re.match(r"\*\*FPS:  [\d.]+ \([\d.]+\)", line)) for line in lines) >= 20
    shown = [line for line in lines if not line.startswith(("pad", "**", "Add", "LINK"))]
    assert shown == [
        "Initializing GStreamer Backend...!",
        "Event Thread Enabled...",
        "Main Loop Running...",
        "End of stream",
        "Main Loop Exited...",
        "Pipeline counter stopped",
    ]


SOURCES = """
from pyservicemaker import (
    BatchMetadataOperator, DynamicSourceMessage, EOSMessage, Pipeline, PipelineState, Probe, StateTransitionMessage,
)
import sys

class Pads(BatchMetadataOperator):
    def __init__(self):
        super().__init__()
        self.frames = {}

    def handle_metadata(self, batch_meta):
        for frame_meta in batch_meta.frame_items:
            self.frames[frame_meta.pad_index] = self.frames.get(frame_meta.pad_index, 0) + 1

def on_message(message):
    if isinstance(message, StateTransitionMessage):
        if message.new_state == PipelineState.PLAYING and message.origin == "sink":
            print("sink plays")
    elif isinstance(message, DynamicSourceMessage):
        print(message.source_added, message.source_id, message.sensor_id, message.uri)
    elif isinstance(message, EOSMessage):
        print("end")

uris = sys.argv[2:]
pads = Pads()
pipeline = Pipeline(name="sources")
if sys.argv[1] == "multi":
    pipeline.add("nvmultiurisrcbin", "mux", {
        "uri-list": ",".join(uris), "sensor-id-list": "a,b", "sensor-name-list": "A,B", "port": 0, "width": 128,
        "height": 96, "batched-push-timeout": 33000, "max-batch-size": 4, "drop-pipeline-eos": 0, "live-source": 0,
    })
else:
    pipeline.add("nvstreammux", "mux", {"batch-size": len(uris), "width": 128, "height": 96})
    for i, uri in enumerate(uris):
        pipeline.add(sys.argv[1], f"src_{i}", {"uri": uri}).link((f"src_{i}", "mux"), ("", "sink_%u"))
pipeline.add("fakesink", "sink", {"sync": False}).link("mux", "sink").attach("mux", Probe("pads", pads))
if sys.argv[1] == "uridecodebin":
    pipeline.prepare(on_message)
    pipeline.activate()
else:
    pipeline.start(on_message)
pipeline.wait()
print(sorted(pads.frames.items()))
"""


@pytest.mark.parametrize("source", ["nvurisrcbin", "uridecodebin", "multi"])
def test_many_sources(app, source):
    lines = app(SOURCES, source, *[f"file://{STREAMS}/short.mp4"] * 2)
    assert lines[-1] == "[(0, 30), (1, 30)]"
    assert lines.count("sink plays") == 1
    assert lines.count("end") == 1
    if source == "multi":
        assert "new stream added [1:b:B]" in lines
        assert any(line.startswith("True 0 a file://") for line in lines)


HAND_OVER = """
from multiprocessing import Process
from queue import Queue
import sys
import numpy as np
from pyservicemaker import (
    Buffer, BufferProvider, BufferRetriever, ColorFormat, Feeder, Pipeline, Receiver, as_tensor,
)

class Take(BufferRetriever):
    count = 0
    def __init__(self, queue):
        super().__init__()
        self.queue = queue
    def consume(self, buffer):
        self.queue.put(buffer.extract(0).clone())
        self.count += 1
        print(f"consumed: {self.count}")
        return 1

class Give(BufferProvider):
    count = 0
    def __init__(self, queue):
        super().__init__()
        self.queue = queue
    def generate(self, size):
        tensor = self.queue.get()
        if tensor is None:
            print("nothing left")
            return Buffer()
        self.count += 1
        print(f"generated: {self.count}")
        return as_tensor(np.from_dlpack(tensor), "HWC").wrap(ColorFormat.RGB)

def main(uri):
    queue = Queue(maxsize=10)
    give, take = Pipeline("give"), Pipeline("take")
    caps = "video/x-raw(memory:NVMM), format=RGB, width=128, height=96, framerate=30/1"
    give.add("appsrc", "src", {"caps": caps, "do-timestamp": True})
    give.add("nvvideoconvert", "convert", {"nvbuf-memory-type": 2, "compute-hw": 1})
    give.add("capsfilter", "nv12", {"caps": "video/x-raw(memory:NVMM), format=NV12"})
    give.add("nvstreammux", "mux", {"batch-size": 1, "width": 128, "height": 96})
    give.add("nveglglessink", "sink", {"sync": False})
    give.link("src", "convert", "nv12").link(("nv12", "mux"), ("", "sink_%u")).link("mux", "sink")
    give.attach("src", Feeder("feeder", Give(queue)), tips="need-data/enough-data").start()
    take.add("nvurisrcbin", "src", {"uri": uri})
    take.add("nvstreammux", "mux", {"batch-size": 1, "width": 128, "height": 96})
    take.add("nvvideoconvert", "convert").add("capsfilter", "rgb", {"caps": "video/x-raw(memory:NVMM), format=RGB"})
    take.add("appsink", "sink", {"emit-signals": True})
    take.link(("src", "mux"), ("", "sink_%u")).link("mux", "convert", "rgb", "sink")
    take.attach("sink", Receiver("receiver", Take(queue)), tips="new-sample").start()
    take.wait()
    queue.put(None)
    give.wait()

if __name__ == "__main__":
    process = Process(target=main, args=(sys.argv[1],))
    process.start()
    process.join()
    sys.exit(process.exitcode)
"""


def test_pictures_handed_from_one_pipeline_to_another(app):
    lines = app(HAND_OVER, f"file://{STREAMS}/short.mp4")
    out = " ".join(lines)  # two threads print: lines may run into each other
    for word in ("consumed", "generated"):
        assert [int(number) for number in re.findall(rf"{word}: (\d+)", out)] == list(range(1, 31))
    assert out.count("nothing left") == 1
    assert lines[-1] == "Pipeline give stopped"


RECORDED = """
from pyservicemaker import BatchMetadataOperator, CommonFactory, Pipeline, Probe, signal
import sys, threading

class Recorder(BatchMetadataOperator):
    def __init__(self, pipeline, callback):
        super().__init__()
        self.pipeline, self.callback, self.frames = pipeline, callback, 0

    def handle_metadata(self, batch_meta):
        self.frames += batch_meta.n_frames
        if self.frames == 10:
            session = self.pipeline.start_recording("src_0", 0, 20, *self.callback)
            print(f"session {session > 0} {self.pipeline.start_recording('src_0', 0, 20)}")
            # The last of the listeners.
            self.pipeline["src_0"].element.connect("sr-done", lambda *arguments: finished.set())
        elif self.frames == 25:
            print(f"stopped {self.pipeline.stop_recording('src_0')} {self.pipeline.stop_recording('src_0')}")

def told(info):
    print(f"told {info.duration > 0} {info.container_type} {info.width} {info.height} {info.contains_video}")

pipeline = Pipeline("record")
properties = {"uri": sys.argv[1], "smart-record": 2, "smart-rec-cache": 20, "smart-rec-dir-path": "."}
pipeline.add("nvurisrcbin", "src_0", properties)
pipeline.add("nvstreammux", "mux", {"batch-size": 1}).add("fakesink", "sink", {"sync": False})
pipeline.link(("src_0", "mux"), ("", "sink_%u")).link("mux", "sink")
controller = CommonFactory.create("smart_recording_action", "controller")
assert isinstance(controller, signal.Emitter)
controller.attach("start-sr", pipeline["src_0"])
pipeline.attach("src_0", "smart_recording_signal", "sr", "sr-done")
pipeline.attach("mux", Probe("recorder", Recorder(pipeline, [told] if len(sys.argv) > 2 else [])))
finished = threading.Event()
pipeline.start().wait()
assert finished.wait(100)
"""


@pytest.mark.parametrize("arguments", [[], ["own"]])
def test_recording(app, tmp_path, arguments):
    lines = app(RECORDED, f"file://{STREAMS}/short.mp4", *arguments)
    out = " ".join(lines)  # several threads print: lines may run into each other
    assert "session True 0" in out
    assert re.search("stopped (True|False) False", out)  # the source may have been read to its end by then
    (file,) = tmp_path.glob("Smart_Record*.mp4")
    assert re.search(rf"Recording \d+ done: \S*{file.name}, MP4, 128x96, [\d.]+ s", out)
    default = re.findall(rf"Source recorded at \S*/{file.name}. Duration [\d.]+ sec", out)
    assert ("told True MP4 128 96 True" in out, len(default)) == ((True, 0) if arguments else (False, 1))


MISTAKES = """
from pyservicemaker import Pipeline, CommonFactory
pipeline = Pipeline("p").add("fakesrc", "a").add("fakesink", "b", {"no-such-thing": 1, "sync": "false"})
for mistake in (
    lambda: pipeline.add("no-such-element", "x"),
    lambda: pipeline["nobody"],
    lambda: pipeline.link("b", "a"),
    lambda: CommonFactory.create("no_such_plugin", "x"),
):
    try:
        mistake()
    except RuntimeError as error:
        print("caught", error)
try:
    pipeline.attach("a", 7)
except Exception as error:
    print("caught", error)
"""


def test_mistakes(app):
    lines = app(MISTAKES)
    assert "Property no-such-thing is not supported by object b" in lines
    caught = [line.removeprefix("caught ") for line in lines if line.startswith("caught")]
    starts = (
        "Element creation failed",
        "nobody Not found",
        "Elements linking  failed",
        "there is no",
        "Unsupported object type",
    )
    assert len(caught) == len(starts)
    for text, start in zip(caught, starts, strict=True):
        assert text.startswith(start)
