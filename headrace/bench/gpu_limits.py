"""What preprocessing and network reach alone, on frames that lie in the GPU's memory."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import Any

from headrace.bench.gpu_play import WARM
from headrace.errors import HeadraceError

#: The network, as ``hrinfer`` takes it.
NETWORK = "headrace.bench.gpu_network:Yolo"
#: Width and height of its input.
SIZE = (640, 640)


def network_alone(batch: int, seconds: float) -> float:
    """Frames a second of preprocessing and network, on frames in the GPU's memory, two batches at a time."""
    from headrace.bench.gpu_network import Yolo
    from headrace.infer.engines import EngineOptions
    from headrace.infer.engines.slots import slot_engine
    from headrace.infer.engines.torch_engine import open_module
    from headrace.infer.preprocess import PreprocessOptions
    from headrace.infer.preprocess.cuda import preprocess_cuda

    engine = open_module(Yolo(), NETWORK, EngineOptions(device="cuda", input_size=SIZE))
    slots = slot_engine(engine)
    if slots is None:
        raise HeadraceError("the network does not run on a GPU here; see headrace doctor")
    frames = _resident_frames(batch)
    done: Counter[int] = Counter()
    end = threading.Event()

    def work(number: int) -> None:
        while not end.is_set():
            with slots.slot(batch, SIZE) as slot:
                preprocess_cuda(frames, slot.input, PreprocessOptions())
                slot.run()
            done[number] += batch

    threads = [threading.Thread(target=work, args=(number,)) for number in range(engine.concurrency)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(2 * WARM)
        before, began = done.total(), time.perf_counter()
        time.sleep(seconds)
        return (done.total() - before) / (time.perf_counter() - began)
    finally:
        end.set()
        for thread in threads:
            thread.join()
        engine.close()


def _resident_frames(count: int) -> list[Any]:
    """Frames of 1920x1080 with noise, in the GPU's memory."""
    import torch

    from headrace.frames import Frame
    from headrace.frames.cuda import CudaPlane

    frames = []
    for _ in range(count):
        planes = []
        for shape in ((1080, 1920), (540, 960, 2)):
            tensor = torch.randint(0, 255, shape, dtype=torch.uint8, device="cuda")
            planes.append(CudaPlane(tensor.data_ptr(), shape, tensor.stride(), 0, tensor, tensor.cpu().numpy))
        frames.append(Frame("NV12", 1920, 1080, tuple(planes)))  # type: ignore[arg-type]
    return frames
