"""What a very good engineer writes by hand for one job: decode, detect, suppress. The measure of Headrace's speed.

A thread for each stream pulls decoded planes from GStreamer and prepares them straight into a request's input; the
requests run side by side. There are no batches, no metadata, no order of results, no errors to tell. It is a program
that imports nothing of Headrace: ``python expert.py JSON COUNTER`` with the fields of `Job`.
"""

from __future__ import annotations

import ctypes
import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

# GStreamer brings libunwind, which the C++ of the engines must not be bound to: who throws is settled before.
ctypes.CDLL("libgcc_s.so.1", ctypes.RTLD_GLOBAL)

import cv2  # noqa: E402
import gi  # noqa: E402
import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

gi.require_version("Gst", "1.0")
gi.require_version("GstApp", "1.0")
gi.require_version("GstVideo", "1.0")
from gi.repository import Gst, GstApp, GstVideo  # noqa: E402, F401 - GstApp brings the sink's methods

Planes: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]
Tensor: TypeAlias = NDArray[np.float32]

_CONFIDENCE, _OVERLAP = 0.25, 0.45
_PAD = 114 / 255
#: Frames that are taken in turn where nothing is decoded.
_KEPT = 16


@dataclass(frozen=True)
class Job:
    """What is to be done.

    Attributes:
        clip: The file; every stream plays it.
        streams: Number of streams.
        model: A detector with YOLOv8's outputs and open sides.
        size: Width and height of its input.
        precision: ``f32``, or ``bf16`` with OpenVINO.
        engine: ``openvino`` or ``onnxruntime``.
        work: ``all``, ``model`` (nothing is decoded, but 16 frames taken in turn) or ``prepare`` (nor is there a
            model).
    """

    clip: str
    streams: int
    model: str
    size: tuple[int, int]
    precision: str = "f32"
    engine: str = "openvino"
    work: str = "all"


def decoding(clip: str, threads: int, sink: str) -> Gst.Pipeline:
    """A pipeline that decodes a file with so many threads into a sink named ``sink``."""
    Gst.init(None)
    pipeline = Gst.parse_launch(f"filesrc location={clip} ! decodebin name=decoder ! {sink}")

    def added(_bin: Gst.Bin, _sub: Gst.Bin, element: Gst.Element) -> None:
        if element.find_property("max-threads") is not None:
            element.set_property("max-threads", threads)

    pipeline.connect("deep-element-added", added)
    return pipeline


def frames_of(clip: str, threads: int) -> Iterator[Planes]:
    """Planes of the frames of a file, I420; each is valid until the next."""
    pipeline = decoding(
        clip,
        threads,
        "capsfilter caps=video/x-raw,format=I420 ! appsink name=sink max-buffers=4 sync=false",
    )
    sink = pipeline.get_by_name("sink")
    pipeline.set_state(Gst.State.PLAYING)
    try:
        while (sample := sink.pull_sample()) is not None:
            buffer = sample.get_buffer()
            info = GstVideo.VideoInfo.new_from_caps(sample.get_caps())
            good, mapped = buffer.map(Gst.MapFlags.READ)
            if not good:
                raise RuntimeError("a frame cannot be mapped")
            try:
                yield _planes(
                    np.frombuffer(mapped.data, np.uint8), info, GstVideo.buffer_get_video_meta(buffer)
                )
            finally:
                buffer.unmap(mapped)
    finally:
        pipeline.set_state(Gst.State.NULL)


def _planes(data: NDArray[np.uint8], info: Any, meta: Any) -> Planes:
    layout = info if meta is None else meta
    planes = []
    for index in range(3):
        rows = info.height if index == 0 else (info.height + 1) // 2
        columns = info.width if index == 0 else (info.width + 1) // 2
        start, stride = layout.offset[index], layout.stride[index]
        # The last row may end before its stride does.
        whole = np.lib.stride_tricks.as_strided(data[start:], (rows, columns), (stride, 1))
        planes.append(whole)
    return planes[0], planes[1], planes[2]


class Preparer:
    """From planes to a letterboxed RGB tensor: planes are resized, colour is converted at the network's size.

    Args:
        size: Width and height of the network's input.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._yuv: NDArray[np.uint8] | None = None

    def prepare(self, planes: Planes, tensor: Tensor) -> None:
        """Fill a tensor ``(3, H, W)``; only the first frame writes its border."""
        rows, columns = planes[0].shape
        factor = min(self._size[0] / columns, self._size[1] / rows)
        width, height = (round(side * factor / 2) * 2 for side in (columns, rows))
        left, top = (self._size[0] - width) // 2, (self._size[1] - height) // 2
        if self._yuv is None:
            self._yuv = np.empty((height * 3 // 2, width), np.uint8)
        cv2.resize(planes[0], (width, height), self._yuv[:height])
        chroma = self._yuv[height:].reshape(2, height // 2, width // 2)
        for plane, small in zip(planes[1:], chroma, strict=True):
            cv2.resize(plane, (width // 2, height // 2), small)
        picture = cv2.split(cv2.cvtColor(self._yuv, cv2.COLOR_YUV2RGB_I420))
        for channel, values in zip(tensor, picture, strict=True):
            np.multiply(values, np.float32(1 / 255), out=channel[top : top + height, left : left + width])


def detections(output: NDArray[np.float32]) -> int:
    """Number of boxes after suppression of an output ``(84, cells)``."""
    scores = output[4:]
    best = scores.max(0)
    sure = np.flatnonzero(best > _CONFIDENCE)
    if not sure.size:
        return 0
    boxes = output[:4, sure].T.copy()
    boxes[:, :2] -= boxes[:, 2:] / 2
    classes = scores[:, sure].argmax(0)
    kept = cv2.dnn.NMSBoxesBatched(
        boxes.tolist(), best[sure].tolist(), classes.tolist(), _CONFIDENCE, _OVERLAP
    )
    return len(kept)


def _sources(job: Job) -> list[Iterator[Planes]]:
    cores = len(os.sched_getaffinity(0))
    if job.work == "all":
        return [frames_of(job.clip, max(cores // job.streams, 1)) for _ in range(job.streams)]
    kept = []
    for planes in frames_of(job.clip, cores):
        kept.append((planes[0].copy(), planes[1].copy(), planes[2].copy()))
        if len(kept) == _KEPT:
            break

    def forever(start: int) -> Iterator[Planes]:
        while True:
            yield from kept[start:] + kept[:start]

    return [forever(number % _KEPT) for number in range(job.streams)]


def with_openvino(job: Job, done: Callable[[], None]) -> None:
    """Requests of the throughput mode, filled by the streams' threads."""
    import openvino

    core = openvino.Core()
    network = core.read_model(job.model)
    network.reshape([1, 3, job.size[1], job.size[0]])
    hints = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": job.precision}
    compiled = core.compile_model(network, "CPU", hints)
    idle: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def finished(request: Any) -> None:
        detections(request.get_output_tensor().data[0])
        done()
        idle.put(request)

    for _ in range(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS") + job.streams):
        request = compiled.create_infer_request()
        request.get_input_tensor().data[:] = _PAD
        request.set_callback(finished, request)
        idle.put(request)

    def play(frames: Iterator[Planes]) -> None:
        preparer = Preparer(job.size)
        for planes in frames:
            request = idle.get()
            preparer.prepare(planes, request.get_input_tensor().data[0])
            request.start_async()

    _in_threads(play, _sources(job))


def with_onnxruntime(job: Job, done: Callable[[], None]) -> None:
    """As many runs of one thread as there are cores."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(job.model, options, providers=["CPUExecutionProvider"])
    name, shape = session.get_inputs()[0].name, (1, 3, job.size[1], job.size[0])
    cores = len(os.sched_getaffinity(0))
    ready: queue.SimpleQueue[Tensor] = queue.SimpleQueue()
    idle: queue.SimpleQueue[Tensor] = queue.SimpleQueue()
    for _ in range(cores + job.streams):
        idle.put(np.full(shape, _PAD, np.float32))

    def work() -> None:
        while True:
            tensor = ready.get()
            detections(session.run(None, {name: tensor})[0][0])
            done()
            idle.put(tensor)

    for _ in range(cores):
        threading.Thread(target=work, daemon=True).start()

    def play(frames: Iterator[Planes]) -> None:
        preparer = Preparer(job.size)
        for planes in frames:
            tensor = idle.get()
            preparer.prepare(planes, tensor[0])
            ready.put(tensor)

    _in_threads(play, _sources(job))


def without_model(job: Job, done: Callable[[], None]) -> None:
    """Preparation alone."""
    tensor = np.full((3, job.size[1], job.size[0]), _PAD, np.float32)

    def play(frames: Iterator[Planes]) -> None:
        preparer = Preparer(job.size)
        for planes in frames:
            preparer.prepare(planes, tensor)
            done()

    _in_threads(play, _sources(job))


def _in_threads(play: Callable[[Iterator[Planes]], None], sources: list[Iterator[Planes]]) -> None:
    with ThreadPoolExecutor(len(sources)) as pool:
        for future in [pool.submit(play, frames) for frames in sources]:
            future.result()


def main() -> None:
    """Do the job of the command line."""
    values = json.loads(sys.argv[1])
    Gst.init(None)  # once: threads that do so at the same time find no plugins, and their streams never begin
    job = Job(**{**values, "size": tuple(values["size"])})
    cv2.setNumThreads(1)
    counter, lock = np.memmap(sys.argv[2], "u8", "r+"), threading.Lock()

    def done() -> None:
        with lock:
            counter[0] += 1

    ways = {"openvino": with_openvino, "onnxruntime": with_onnxruntime}
    (without_model if job.work == "prepare" else ways[job.engine])(job, done)


if __name__ == "__main__":
    main()
