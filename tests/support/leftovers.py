"""What pipelines leave behind in a process: threads and memory after each run or model, as JSON.

python leftovers.py runs|errors|swaps CLIP FOLDER
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

from chains import Chain, write_model
from gi.repository import Gst
from memory_growth import resident
from tiny_onnx import detector
from waiting import wait_until

from headrace.flow import Pipeline

FINDS = "def infer(self, frames):\n    return [Detections([[10, 10, 50, 50]], [0.9], [0]) for _ in frames]\n"
FAILS = "def infer(self, frames):\n    raise ValueError('no')\n"
OURS = ("hr-infer", "headrace-")


def one_run(index, clip, folder):
    """Played to its end, quit, or stopped in turn."""
    chain = Chain(
        [clip, clip],
        ("hrinfer", {"model": write_model(folder, FINDS)}),
        ("nvtracker", {}),
        ("nvdsosd", {}),
        ("nvmsgconv", {"payload-type": 1, "msg2p-newapi": True}),
        sink=("nvmsgbroker", {"proto-lib": "file", "conn-str": "/dev/null", "sync": False}),
    ).start()
    if index % 3:
        wait_until(lambda: chain.collect.frames)
        (chain.pipeline.quit if index % 3 == 1 else chain.pipeline.stop)()
    assert chain.wait().error is None


def one_error(_index, clip, folder):
    """The model fails at the first frame."""
    model = write_model(folder, FAILS)
    assert Chain([clip, clip], ("hrinfer", {"model": model}), ("nvdsosd", {})).play().error is not None


class Swaps:
    """A pipeline whose model is replaced again and again, now and then by one that cannot be used."""

    def __init__(self, folder):
        self.pipeline = pipeline = Pipeline("swaps")
        pipeline.add("videotestsrc", "source", {"is-live": True}).add("nvstreammux", "mux", {"batch-size": 1})
        small, large = (
            detector(folder / "small.onnx", ("a",)),
            detector(folder / "large.onnx", ("b",) * 200, 640),
        )
        files = [write_model(folder, FINDS), small, large, write_model(folder, FAILS, "fails.py")]
        for file in files:
            os.utime(file.removesuffix(":Model"), (1e9, 1e9))  # as if they had been there for long
        self.models = files
        pipeline.add("hrinfer", "model", {"model": self.models[0]}).add("fakesink", "sink")
        pipeline.link(("source", "mux"), ("", "sink_0")).link("mux", "model", "sink")
        pipeline.start()
        wait_until(lambda: pipeline.gst.get_state(0).state == Gst.State.PLAYING)

    def __call__(self, _index, _clip, _folder):
        for turn in range(4):
            error = self.pipeline["model"].swap(self.models[turn]).exception(60)
            assert (error is None) == (turn != 3), error

    def end(self):
        self.pipeline.quit()
        self.pipeline.wait()


def left():
    """Names of threads that pipelines have left and that do not end by themselves."""
    end = time.monotonic() + 60
    while names := [thread.name for thread in threading.enumerate() if thread.name.startswith(OURS)]:
        if time.monotonic() > end:
            break
        time.sleep(0.01)
    return names


def main(what, clip, folder):
    threads, memory = [], []
    acts = {"runs": (one_run, 30), "errors": (one_error, 20), "swaps": (None, 25)}
    act, times = acts[what]
    act = act or Swaps(Path(folder))
    for index in range(times):
        act(index, Path(clip), Path(folder))
        if not isinstance(act, Swaps):
            left()
        memory.append(resident() // 1024)
        threads.append(len(list(Path("/proc/self/task").iterdir())))
    if isinstance(act, Swaps):
        act.end()
    print(json.dumps({"threads": threads, "memory": memory, "names": left()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
