"""What pipelines leave behind in a process: threads and memory after each run, as JSON.

python leftovers.py runs|errors CLIP FOLDER
"""

import ctypes
import gc
import json
import sys
import threading
import time
from pathlib import Path

from chains import Chain, write_model

FINDS = "def infer(self, frames):\n    return [Detections([[10, 10, 50, 50]], [0.9], [0]) for _ in frames]\n"
FAILS = "def infer(self, frames):\n    raise ValueError('no')\n"
OURS = ("hr-infer", "headrace-")


def resident_kb():
    # What was freed is given back first: arenas of the allocator grow with the number of threads that ran at once.
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    return int(next(x for x in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in x).split()[1])


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
        end = time.monotonic() + 20
        while not chain.collect.frames:
            assert time.monotonic() < end, "no frame comes"
            time.sleep(0.01)
        (chain.pipeline.quit if index % 3 == 1 else chain.pipeline.stop)()
    assert chain.wait().error is None


def one_error(_index, clip, folder):
    """The model fails at the first frame."""
    model = write_model(folder, FAILS)
    assert Chain([clip, clip], ("hrinfer", {"model": model}), ("nvdsosd", {})).play().error is not None


def main(what, clip, folder):
    threads, memory = [], []
    act, times = (one_run, 30) if what == "runs" else (one_error, 20)
    for index in range(times):
        act(index, Path(clip), Path(folder))
        gc.collect()
        threads.append(len(list(Path("/proc/self/task").iterdir())))
        memory.append(resident_kb())
    names = [thread.name for thread in threading.enumerate() if thread.name.startswith(OURS)]
    print(json.dumps({"threads": threads, "memory": memory, "names": names}))


if __name__ == "__main__":
    main(*sys.argv[1:])
