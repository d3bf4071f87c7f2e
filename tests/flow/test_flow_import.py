"""Importing starts nothing: programs fork afterwards, and run their pipelines in the child."""

import json
import subprocess
import sys

from apps import environment

PROGRAM = """
import json, multiprocessing, os, sys, threading

def native():
    return len(os.listdir("/proc/self/task"))

import numpy, cv2, onnxruntime
libraries = native()  # numpy's and OpenCV's linear algebra starts threads when it is loaded
sys.path.insert(0, os.path.join(os.path.dirname(__import__("headrace").__file__), "compat", "path"))
import pyservicemaker, headrace
from pyservicemaker import Flow, Pipeline, Probe, utils, osd, signal, postprocessing
for name in headrace.__all__:
    getattr(headrace, name)
from headrace.flow import BatchMetadataOperator

class Count(BatchMetadataOperator):
    def __init__(self, told):
        self.frames, self.told = 0, told
    def handle_metadata(self, batch_meta):
        self.told.value += batch_meta.n_frames

def child(told):
    pipeline = Pipeline("child")
    pipeline.add("hrsimsrc", "source", {"scene": "sim://plaza?frames=5&width=64&height=48"})
    pipeline.add("nvstreammux", "mux", {"batch-size": 1}).add("fakesink", "sink", {"sync": False})
    pipeline.link(("source", "mux"), ("", "sink_%u")).link("mux", "sink")
    pipeline.attach("mux", Probe("count", Count(told))).start().wait()

if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    threads, own = [thread.name for thread in threading.enumerate()], native() - libraries
    counts, codes = [context.Value("i", 0) for _ in range(2)], []
    processes = [context.Process(target=child, args=(count,)) for count in counts]
    for process in processes:
        process.start()
    for process in processes:
        process.join(100)
        codes.append(process.exitcode)
    print(json.dumps([threads, own, [count.value for count in counts], codes]))
"""


def test_nothing_runs_after_import_and_forked_pipelines_play():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    threads, own, counts, codes = json.loads(done.stdout.splitlines()[-1])
    assert threads == ["MainThread"]
    assert own == 0
    assert counts == [5, 5]
    assert codes == [0, 0]
    assert done.stdout.count("End of stream") == 2
