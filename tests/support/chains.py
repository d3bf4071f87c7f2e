"""Pipelines for tests: played with a time limit, so that a hang is a failure and not the end of the run."""

import subprocess
import textwrap
import threading
from dataclasses import dataclass, field

import cv2

from headrace.errors import PipelineError
from headrace.flow import BatchMetadataOperator, ErrorMessage, Pipeline, Probe, WarningMessage


@dataclass
class Seen:
    """One frame as a probe saw it."""

    number: int
    pts: int
    size: tuple
    found: object


class Collect(BatchMetadataOperator):
    """Frames by source, in the order in which they passed."""

    def __init__(self):
        self.frames = {}
        self.passed = threading.Event()

    def handle_metadata(self, batch_meta):
        for frame in batch_meta.frame_items:
            size = (frame.pipeline_width, frame.pipeline_height)
            seen = Seen(frame.frame_number, frame.buffer_pts, size, frame.detections)
            self.frames.setdefault(frame.source_id, []).append(seen)
        self.passed.set()


@dataclass
class Played:
    """What a pipeline told, and the error that ended it."""

    frames: dict
    messages: list = field(default_factory=list)
    error: PipelineError | None = None

    def warnings(self):
        return [m for m in self.messages if isinstance(m, WarningMessage)]

    def errors(self):
        return [m for m in self.messages if isinstance(m, ErrorMessage)]


class Chain:
    """Sources into a muxer, elements after it, and a sink; `collect` is on the last element before the sink.

    Args:
        sources: Addresses.
        elements: ``(factory, properties)`` in a row; named by their factories.
        sink: The same of the sink.
        mux: Properties of the muxer.
    """

    def __init__(self, sources, *elements, sink=("fakesink", {"sync": False}), mux=None):
        self.pipeline = pipeline = Pipeline("test")
        self.collect = Collect()
        pipeline.add("nvstreammux", "mux", {"batch-size": len(sources), **(mux or {})})
        names = ["mux"]
        for factory, properties in (*elements, sink):
            names.append(factory)
            pipeline.add(factory, factory, properties)
        for index, uri in enumerate(sources):
            pipeline.add("nvurisrcbin", f"source{index}", {"uri": str(uri)})
            pipeline.link((f"source{index}", "mux"), ("", f"sink_{index}"))
        pipeline.link(*names)
        pipeline.attach(names[len(elements)], Probe("collect", self.collect))
        self.messages = []
        self.error = None

    def start(self):
        self.pipeline.start(self.messages.append)
        return self

    def wait(self, limit=60.0):
        """Wait for the end; a pipeline that goes on for longer than the limit fails the test."""
        thread = threading.Thread(target=self._wait, daemon=True)
        thread.start()
        thread.join(limit)
        assert not thread.is_alive(), f"the pipeline hangs: {self.messages[-3:]}"
        return Played(self.collect.frames, self.messages, self.error)

    def _wait(self):
        try:
            self.pipeline.wait()
        except PipelineError as error:
            self.error = error

    def play(self, limit=60.0):
        return self.start().wait(limit)


def launch(line):
    """Run a gst-launch line that must succeed."""
    done = subprocess.run(
        ["gst-launch-1.0", "-q", *line.split()], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


def count_frames(path):
    """Number of pictures that OpenCV reads from a file."""
    capture, count = cv2.VideoCapture(str(path)), 0
    while capture.read()[0]:
        count += 1
    return count


def write_model(folder, body, name="model.py"):
    """A Python model file; the body is that of class ``Model``."""
    text = "from headrace import Detections, Detector\n\n\nclass Model(Detector):\n    labels = ('thing',)\n"
    path = folder / name
    path.write_text(text + textwrap.indent(textwrap.dedent(body), "    "))
    return f"{path}:Model"


def to_mp4(path):
    """Elements and sink that draw boxes and write an mp4."""
    return (
        ("nvdsosd", {}),
        ("nvvideoconvert", {}),
        ("x264enc", {"speed-preset": 1, "tune": 4, "threads": 1}),
        ("h264parse", {}),
        ("mp4mux", {}),
    ), ("filesink", {"location": str(path)})
