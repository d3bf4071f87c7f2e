"""Starting, stopping and ending at awkward moments: nothing is left behind, files are whole."""

import ctypes
import gc
import threading
import time
from pathlib import Path

import pytest
from chains import Chain, count_frames, to_mp4, write_model

from headrace.flow import BatchMetadataOperator, Probe

pytestmark = pytest.mark.timeout(120)
FINDS = "def infer(self, frames):\n    return [Detections([[10, 10, 50, 50]], [0.9], [0]) for _ in frames]\n"


class Slow(BatchMetadataOperator):
    """Keeps the pipeline from being done before the test has done something to it."""

    def __init__(self, seconds=0.02):
        self.seconds = seconds
        self.count = 0

    def handle_metadata(self, batch_meta):
        self.count += 1
        time.sleep(self.seconds)


def slowed(chain):
    slow = Slow()
    chain.pipeline.attach("mux", Probe("slow", slow))
    return slow


def wait_until(condition, limit=20.0):
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.01)


def native_threads():
    return len(list(Path("/proc/self/task").iterdir()))


def resident_kb():
    # What was freed is given back first: arenas of the allocator grow with the number of threads that ran at once.
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    return int(next(x for x in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in x).split()[1])


def test_stop_in_the_middle_finishes_the_file(clip, tmp_path):
    elements, sink = to_mp4(tmp_path / "out.mp4")
    chain = Chain([clip], *elements, sink=sink)
    slow = slowed(chain)
    chain.start()
    wait_until(lambda: slow.count >= 15)
    chain.pipeline.stop()
    played = chain.wait(20)
    assert played.error is None
    assert not played.warnings()  # what was stopped was not cut short
    assert 15 <= slow.count < 60
    assert count_frames(tmp_path / "out.mp4") == slow.count


def test_stop_before_the_first_frame_is_no_error(clip):
    chain = Chain([clip])
    slowed(chain)
    chain.start()
    chain.pipeline.stop()
    played = chain.wait(20)
    assert played.error is None
    assert len(played.frames.get(0, [])) < 60


def test_quit_in_the_middle_ends_soon(clip, tmp_path):
    chain = Chain([clip, clip], ("hrinfer", {"model": write_model(tmp_path, FINDS)}), ("nvdsosd", {}))
    slow = slowed(chain)
    chain.start()
    wait_until(lambda: slow.count >= 5)
    began = time.monotonic()
    chain.pipeline.quit()
    played = chain.wait(20)
    assert time.monotonic() - began < 5
    assert played.error is None
    assert slow.count < 60


def test_a_pipeline_can_be_started_again(clip, tmp_path):
    chain = Chain([clip], ("hrinfer", {"model": write_model(tmp_path, FINDS)}))
    for run in range(1, 4):
        played = chain.play()
        assert played.error is None
        assert [seen.number for seen in played.frames[0]] == list(range(60)) * run


def test_a_pipeline_that_failed_can_be_started_again(clip, tmp_path):
    moved = tmp_path / "clip.mp4"
    chain = Chain([moved])
    assert chain.play().error is not None
    moved.write_bytes(clip.read_bytes())
    chain.error = None
    played = chain.play()
    assert played.error is None
    assert len(played.frames[0]) == 60


def full_chain(clip, tmp_path):
    return Chain(
        [clip, clip],
        ("hrinfer", {"model": write_model(tmp_path, FINDS)}),
        ("nvtracker", {}),
        ("nvdsosd", {}),
        ("nvmsgconv", {"payload-type": 1, "msg2p-newapi": True}),
        sink=("nvmsgbroker", {"proto-lib": "file", "conn-str": "/dev/null", "sync": False}),
    )


def test_thirty_runs_leave_nothing_behind(clip, tmp_path):
    threads, memory = [], []
    for run in range(30):
        chain = full_chain(clip, tmp_path).start()
        if run % 3 == 1:
            wait_until(lambda chain=chain: chain.collect.frames)
            chain.pipeline.quit()
        if run % 3 == 2:
            wait_until(lambda chain=chain: chain.collect.frames)
            chain.pipeline.stop()
        assert chain.wait().error is None
        del chain
        gc.collect()
        threads.append(native_threads())
        memory.append(resident_kb())
    assert max(threads[10:]) <= max(threads[:10]) + 2
    assert memory[-1] - max(memory[:10]) < 8 * 1024


def test_errors_leave_nothing_behind(clip, tmp_path):
    model = write_model(tmp_path, "def infer(self, frames):\n    raise ValueError('no')\n")
    threads, memory = [], []
    for _ in range(20):
        assert Chain([clip, clip], ("hrinfer", {"model": model}), ("nvdsosd", {})).play().error is not None
        gc.collect()
        threads.append(native_threads())
        memory.append(resident_kb())
    assert max(threads[10:]) <= max(threads[:10]) + 2
    assert memory[-1] - max(memory[:10]) < 8 * 1024
    assert not [t for t in threading.enumerate() if t.name.startswith(("hr-infer", "headrace-"))]
