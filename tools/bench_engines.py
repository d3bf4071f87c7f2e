"""Milliseconds for each picture, engine by engine: ``python tools/bench_engines.py yolox_nano.onnx --threads 2``.

Random pictures of the model's own size go in as NumPy arrays, and on a GPU as tensors that are there already. The best
of many turns is shown, because everything else on the machine only makes turns longer.
"""

import argparse
import importlib.util
import sys
import time
import types
from pathlib import Path

import numpy as np

if importlib.util.find_spec("gi") is None:  # no GStreamer: the engines need nothing else of the package
    root = Path(__file__).resolve().parents[1]
    sys.path.insert(0, str(root))
    infer = types.ModuleType("headrace.infer")
    infer.__path__ = [str(root / "headrace" / "infer")]
    sys.modules["headrace.infer"] = infer

from headrace.errors import HeadraceError
from headrace.infer.engines import EngineOptions, available_engines, open_engine, run_batch
from headrace.infer.engines.base import numpy_dtype


def best(call, seconds):
    """Shortest turn, and mean processor time of a turn over all cores, in seconds; three turns before do not count."""
    for _ in range(3):
        call()
    turns, end, busy = [], time.perf_counter() + seconds, time.process_time()
    while time.perf_counter() < end or len(turns) < 3:
        start = time.perf_counter()
        call()
        turns.append(time.perf_counter() - start)
    return min(turns), (time.process_time() - busy) / len(turns)


def on_device(engine, tensor):
    """The tensor on the engine's GPU, and a call that waits for what runs there; `None` on CPUs."""
    if "cuda" not in engine.description:
        return None
    import torch

    return torch.from_numpy(tensor).cuda(), torch.cuda.synchronize


def measure(path, name, precision, arguments):
    """Print a line for each size of batch."""
    size = tuple(map(int, arguments.size.split("x"))) if arguments.size else None
    options = EngineOptions(arguments.threads, arguments.device, precision, size)
    start = time.perf_counter()
    engine = open_engine(path, name, options)
    print(f"{engine.name}: opened in {time.perf_counter() - start:.2f} s", flush=True)
    (spec,) = engine.graph.inputs
    width, height = size or engine.graph.input_size()
    shape = [height, width, 3] if engine.graph.channels_last() else [spec.shape[1], height, width]
    for rows in map(int, arguments.batch.split(",")):
        tensor = np.random.default_rng(0).random((rows, *shape)).astype(numpy_dtype(spec.dtype))
        turn, busy = best(lambda t=tensor: run_batch(engine, t), arguments.seconds)
        line = f"  {rows:3} rows: {turn / rows * 1e3:8.3f} ms ({busy / rows * 1e3:.3f} of processor time)"
        placed = on_device(engine, tensor)
        if placed is not None:
            there, wait = placed
            turn, _ = best(lambda t=there, w=wait: (run_batch(engine, t), w()), arguments.seconds)
            line += f", {turn / rows * 1e3:8.3f} ms from and to the device"
        print(line, flush=True)
    print(f"  {engine.description}", flush=True)
    engine.close()


def main():
    """Every engine in every precision."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--engines", default="", help="names, separated by commas; all that read the file")
    parser.add_argument("--precisions", default="f32,bf16,f16")
    parser.add_argument("--batch", default="1,4,16")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--size", default="", help="WIDTHxHEIGHT for graphs that leave it open")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each figure")
    arguments = parser.parse_args()
    for name in arguments.engines.split(",") if arguments.engines else available_engines():
        for precision in arguments.precisions.split(","):
            try:
                measure(arguments.model, name, precision, arguments)
            except HeadraceError as error:
                print(f"{name}, {precision}: {str(error)[:150]}", flush=True)


if __name__ == "__main__":
    main()
