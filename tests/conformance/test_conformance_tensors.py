"""Frames leave one pipeline as tensors and enter another, as programs with receivers and feeders do it."""

from __future__ import annotations

from queue import Queue
from typing import Any

import numpy as np

from headrace import BatchMetadataOperator, Buffer, Pipeline, Probe, as_tensor, osd
from headrace.flow.objects.feeders import Feeder
from headrace.flow.objects.operators import BufferProvider, BufferRetriever
from headrace.flow.objects.receivers import Receiver
from headrace.frames import ColorFormat

SIZE = (64, 48)
RGB_CAPS = f"video/x-raw(memory:NVMM), format=RGB, width={SIZE[0]}, height={SIZE[1]}, framerate=30/1"


class Take(BufferRetriever):
    def __init__(self, queue: Queue[Any]) -> None:
        super().__init__()
        self.queue = queue

    def consume(self, buffer: Buffer) -> int:
        tensor = buffer.extract(0)
        assert tensor
        assert buffer.batch_size == 1
        self.queue.put(tensor.clone())
        return 1


class Give(BufferProvider):
    def __init__(self, queue: Queue[Any]) -> None:
        super().__init__()
        self.queue = queue

    def generate(self, size: int) -> Buffer:
        tensor = self.queue.get()
        if tensor is None:
            return Buffer()
        turned = np.from_dlpack(tensor)[::-1]
        return as_tensor(turned, "HWC").wrap(ColorFormat.RGB)


class Look(BatchMetadataOperator):
    """Counts frames, draws a text on each, and adds an object that it finds again."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[int, int, int]] = []

    def handle_metadata(self, batch_meta: Any) -> None:
        for frame_meta in batch_meta.frame_items:
            object_meta = batch_meta.acquire_object_meta()
            object_meta.class_id, object_meta.confidence = 2, 0.5
            object_meta.rect_params.left, object_meta.rect_params.width = 10.0, 20.0
            frame_meta.append(object_meta)
            text = osd.Text()
            text.display_text = f"Objects={len(list(frame_meta.object_items))}".encode("ascii")
            text.font.name, text.font.size = osd.FontFamily.Serif, 12
            text.font.color = osd.Color(1.0, 1.0, 1.0, 1.0)
            display_meta = batch_meta.acquire_display_meta()
            display_meta.add_text(text)
            frame_meta.append(display_meta)
            sizes = frame_meta.pipeline_width, frame_meta.pipeline_height
            self.seen.append((frame_meta.frame_number, *sizes))


def taken(queue: Queue[Any]) -> None:
    """A pipeline whose frames go to the queue."""
    source = Pipeline("source")
    source.add("videotestsrc", "src", {"num-buffers": 5, "pattern": 0})
    source.add("capsfilter", "plain", {"caps": "video/x-raw,format=I420,width=64,height=48,framerate=30/1"})
    source.add("nvstreammux", "mux", {"batch-size": 1, "width": SIZE[0], "height": SIZE[1]})
    source.add("nvvideoconvert", "convert")
    source.add("capsfilter", "rgb", {"caps": "video/x-raw(memory:NVMM), format=RGB"})
    source.add("appsink", "sink", {"emit-signals": True, "sync": False})
    source.link("src", "plain").link(("plain", "mux"), ("", "sink_%u")).link("mux", "convert", "rgb", "sink")
    source.attach("sink", Receiver("receiver", Take(queue)), tips="new-sample").start()
    source.wait()
    queue.put(None)


def test_frames_go_from_pipeline_to_pipeline() -> None:
    queue: Queue[Any] = Queue()
    taken(queue)
    pictures = [tensor.numpy() for tensor in list(queue.queue)[:-1]]
    assert [picture.shape for picture in pictures] == [(48, 64, 3)] * 5

    again: Queue[Any] = Queue()
    look = Look()
    second = Pipeline("second")
    second.add("appsrc", "src", {"caps": RGB_CAPS, "do-timestamp": True})
    second.add("nvstreammux", "mux", {"batch-size": 1, "width": SIZE[0], "height": SIZE[1]})
    second.add("appsink", "sink", {"emit-signals": True, "sync": False})
    second.link(("src", "mux"), ("", "sink_%u")).link("mux", "sink")
    second.attach("mux", Probe("look", look))
    second.attach("sink", Receiver("receiver", Take(again)), tips="new-sample")
    second.attach("src", Feeder("feeder", Give(queue)), tips="need-data/enough-data").start()
    second.wait()

    assert look.seen == [(number, *SIZE) for number in range(5)]
    back = [tensor.numpy() for tensor in list(again.queue)]
    assert len(back) == 5
    for before, after in zip(pictures, back, strict=True):
        assert np.array_equal(before[::-1], after)
