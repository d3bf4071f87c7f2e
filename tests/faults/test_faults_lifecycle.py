"""Starting, stopping and ending at awkward moments: nothing is left behind, files are whole."""

import json
import subprocess
import sys
import time

import leftovers
import pytest
from chains import Chain, count_frames, to_mp4, write_model
from waiting import wait_until

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


@pytest.mark.parametrize("what", ["runs", "errors", "swaps"])
def test_nothing_is_left_behind(what, clip, tmp_path):
    """In a process of its own: what other tests left in the allocator would be counted here."""
    command = [sys.executable, leftovers.__file__, what, str(clip), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    left = json.loads(done.stdout)
    threads, memory = left["threads"], left["memory"]
    assert max(threads[10:]) <= max(threads[:10]) + 2
    assert memory[-1] - max(memory[:10]) < 8 * 1024
    assert left["names"] == []
