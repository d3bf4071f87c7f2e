"""Starting, stopping and ending at awkward moments: nothing is left behind, files are whole."""

import json
import os
import subprocess
import sys
import time

import leftovers
import pytest
from chains import Chain, count_frames, launch, to_mp4, write_model
from waiting import wait_until

from headrace.flow import BatchMetadataOperator, Probe

FINDS = "def infer(self, frames):\n    return [Detections([[10, 10, 50, 50]], [0.9], [0]) for _ in frames]\n"


LONG = 1500


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory):
    """Frames for half a minute at the pace of `Slow`: it is not over before a test has done something to it."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    size = "video/x-raw,width=64,height=48,framerate=10/1"
    launch(
        f"videotestsrc num-buffers={LONG} ! {size} ! x264enc key-int-max=15 ! mp4mux ! filesink location={path}"
    )
    return path


class Slow(BatchMetadataOperator):
    """Counts batches, each of which takes a while."""

    count = 0

    def handle_metadata(self, batch_meta):
        self.count += 1
        time.sleep(0.02)


def slowed(chain):
    slow = Slow()
    chain.pipeline.attach("mux", Probe("slow", slow))
    return slow


def test_stop_in_the_middle_finishes_the_file(long_clip, tmp_path):
    elements, sink = to_mp4(tmp_path / "out.mp4")
    chain = Chain([long_clip], *elements, sink=sink)
    slow = slowed(chain)
    chain.start()
    wait_until(lambda: slow.count >= 15)
    chain.pipeline.stop()
    played = chain.wait()
    assert played.error is None
    assert not played.warnings()  # what was stopped was not cut short
    assert 15 <= slow.count < LONG
    assert count_frames(tmp_path / "out.mp4") == slow.count


def test_stop_before_the_first_frame_is_no_error(long_clip):
    chain = Chain([long_clip])
    slowed(chain)
    chain.start()
    chain.pipeline.stop()
    played = chain.wait()
    assert played.error is None
    assert len(played.frames.get(0, [])) < LONG


def test_quit_in_the_middle_does_not_wait_for_the_end(long_clip, tmp_path):
    chain = Chain([long_clip] * 2, ("hrinfer", {"model": write_model(tmp_path, FINDS)}), ("nvdsosd", {}))
    slow = slowed(chain)
    chain.start()
    wait_until(lambda: slow.count >= 5)
    chain.pipeline.quit()
    played = chain.wait()
    assert played.error is None
    assert slow.count < LONG


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
    """In a process of its own: what other tests left in the allocator would be counted here.

    Nor are glibc's heaps for new threads: GStreamer's threads end after seconds without work, and new ones get others.
    """
    command = [sys.executable, leftovers.__file__, what, str(clip), str(tmp_path)]
    few_heaps = {**os.environ, "MALLOC_ARENA_MAX": "2"}
    done = subprocess.run(command, env=few_heaps, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stderr
    left = json.loads(done.stdout)
    threads, memory = left["threads"], left["memory"]
    assert max(threads[10:]) <= max(threads[:10]) + 2
    assert memory[-1] - max(memory[:10]) < 8 * 1024
    assert left["names"] == []
