"""By how many bytes a process grows while the same is done again and again, printed.

python memory_growth.py payloads|batches|pipelines
"""

import gc
import subprocess
import sys

from gi.repository import Gst

import headrace  # noqa: F401 - it chooses the version of Gst
from headrace.bench import memory
from headrace.gst import payload
from headrace.gst.buffer import BufferRef
from headrace.infer.engines.unused_memory import return_unused_memory
from headrace.meta.batch import Batch, BatchMetadata
from headrace.meta.detections import Detections

FOUND = Detections([[0, 0, 9, 9]] * 20, [0.5] * 20, [1] * 20)
RUN = (
    "videotestsrc num-buffers=1 ! video/x-raw,format=NV12,width=16,height=16 ! m.sink_0"
    " nvstreammux name=m ! nvtracker ! fakesink sync=false"
)


class Rider:
    """A payload."""

    def fork(self):
        return Rider()


def payloads(n):
    buffer = BufferRef.allocate(16)
    for _ in range(n):
        buffer.address = payload.attach(buffer.address, Rider())
        assert payload.find(buffer.address) is not None
        payload.detach(buffer.address)


def batches(n):
    for _ in range(n):
        meta = BatchMetadata.new(2)
        meta.frames[1].add_detections(FOUND)
        buffer = BufferRef(payload.attach(BufferRef.allocate(4).steal(), Batch(meta)))
        buffer.share()


def pipelines(n):
    for _ in range(n):
        pipeline = Gst.parse_launch(RUN)
        pipeline.set_state(Gst.State.PLAYING)
        kinds = Gst.MessageType.EOS | Gst.MessageType.ERROR
        message = pipeline.get_bus().timed_pop_filtered(60 * Gst.SECOND, kinds)
        assert message is not None
        assert message.type == Gst.MessageType.EOS, message.parse_error()
        pipeline.set_state(Gst.State.NULL)


ACTS = {
    "payloads": (payloads, 20_000, 180_000),
    "batches": (batches, 500, 5_000),
    "pipelines": (pipelines, 100, 1000),
}


def resident():
    """Bytes."""
    gc.collect()
    return_unused_memory()  # arenas of the allocator grow with the number of threads that ran at once
    return int(memory.resident() * 2**20)


def growth(what):
    """In a process of its own: what other tests left in the allocator would be counted here."""
    done = subprocess.run(
        [sys.executable, __file__, what], capture_output=True, text=True, timeout=170, check=False
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def main(what):
    act, first, then = ACTS[what]
    act(first)
    before = resident()
    act(then)
    print(resident() - before)


if __name__ == "__main__":
    Gst.init(None)
    main(sys.argv[1])
