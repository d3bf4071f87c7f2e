"""Train the demo detector on rendered scenes and export it to ONNX.

    python tools/train_demo.py --minutes 8 --out build/demo         # on a GPU, 16 cores
    python tools/train_demo.py --export build/demo/demo.pt --out build/demo

Frames are rendered while training goes on, so no data set is read or written. Needs torch and onnx, which the
package itself does not. The learning rate follows the clock: training ends after ``--minutes``.
"""

from __future__ import annotations

import argparse
import copy
import math
import sys
import threading
import time
from pathlib import Path

import numpy as np
import torch
from demo_data import HEIGHT, ROWS, WIDTH, Pool
from demo_loss import loss
from demo_net import STRIDES, DemoNet

from headrace.source.sim import SIM_LABELS


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for demo.pt and demo.onnx")
    parser.add_argument("--minutes", type=float, default=8.0, help="training time")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=3e-3, help="peak learning rate")
    parser.add_argument("--pool", type=int, default=24_000, help="rendered frames held in memory")
    parser.add_argument("--workers", type=int, default=14, help="processes that render")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=Path, help="checkpoint to go on from")
    parser.add_argument("--export", type=Path, help="only export this checkpoint")
    return parser.parse_args()


def train(options: argparse.Namespace) -> DemoNet:
    """Train for the given time; the averaged weights are saved every minute."""
    torch.manual_seed(options.seed)
    torch.set_num_threads(2)  # the rendering processes need the rest
    torch.set_float32_matmul_precision("high")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    pool = Pool.start(options.pool, options.workers, options.seed)
    net = DemoNet(len(SIM_LABELS))
    if options.start is not None:
        net.load_state_dict(torch.load(options.start, map_location="cpu", weights_only=True))
    net = net.to(device, memory_format=torch.channels_last).train()
    mean = copy.deepcopy(net).eval()
    decayed = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=options.rate)
    store = Store(options, device, pool)
    start = saved = time.monotonic()
    step, told = 0, start
    while (share := (time.monotonic() - start) / (60 * options.minutes)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = (
                options.rate
                * min(1.0, (step + 1) / 300)
                * (0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2)
            )
        images, wanted = augment(*store.batch(options.batch))
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            raw = net(images)
        score, box = loss(raw, wanted)
        optimizer.zero_grad(set_to_none=True)
        (score + 8.0 * box).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0)
        optimizer.step()
        step += 1
        _average(mean, net, 0.9995 * (1 - math.exp(-step / 300)))
        if time.monotonic() - told > 10:
            told = time.monotonic()
            print(
                f"{100 * share:5.1f} %  step {step}  rendered {store.seen}  score {score:.3f}  box {box:.3f}",
                flush=True,
            )
        if time.monotonic() - saved > 60:
            saved = time.monotonic()
            save(mean, options.out)
    pool.stop()
    save(mean, options.out)
    return mean


class Store:
    """Rendered frames on the training device, renewed by a thread while training goes on."""

    def __init__(self, options: argparse.Namespace, device: torch.device, pool: Pool) -> None:
        self._pool = pool
        self.frames = torch.empty((options.pool, HEIGHT, WIDTH, 3), dtype=torch.uint8, device=device)
        self.rows = torch.empty((options.pool, ROWS, 6), device=device)
        self.filled = np.zeros(options.pool, bool)
        self.seen = 0
        self._thread = threading.Thread(target=self._renew, daemon=True)
        self._thread.start()
        while self.seen < min(options.pool, 16 * options.batch):
            self._check()
            time.sleep(0.1)

    def _check(self) -> None:
        if not self._thread.is_alive():
            raise RuntimeError("the thread that fetches rendered frames has ended; see its error above")

    def _renew(self) -> None:
        cuda = self.frames.is_cuda
        # A stream of its own, so that copying does not wait for training steps.
        with torch.cuda.stream(torch.cuda.Stream() if cuda else None):
            while True:
                slots = self._pool.ready()
                if not len(slots):
                    time.sleep(0.05)
                    continue
                at = torch.from_numpy(slots).to(self.frames.device)
                self.frames[at] = torch.from_numpy(self._pool.frames[slots]).to(self.frames.device)
                self.rows[at] = torch.from_numpy(self._pool.rows[slots]).to(self.rows.device)
                if cuda:
                    torch.cuda.current_stream().synchronize()
                self.filled[slots] = True
                self._pool.state[slots] = 0
                self.seen += len(slots)

    def batch(self, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Frames and labels at random."""
        self._check()
        known = torch.from_numpy(np.flatnonzero(self.filled.copy()))
        pick = known[torch.randint(len(known), (count,))].to(self.frames.device)
        return self.frames[pick], self.rows[pick]


def augment(frames: torch.Tensor, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """RGB input in 0–1 from BGR frames: mirrored by chance, other contrast, brightness and colour."""
    images = frames.permute(0, 3, 1, 2).flip(1).float() / 255
    rows = rows.clone()
    n = len(images)
    flip = torch.rand(n, device=images.device) < 0.5
    images = torch.where(flip[:, None, None, None], images.flip(3), images)
    mirrored = rows.clone()
    mirrored[..., 1], mirrored[..., 3] = WIDTH - rows[..., 3], WIDTH - rows[..., 1]
    rows = torch.where(flip[:, None, None], mirrored, rows)
    gain = 2 ** (torch.rand(n, 1, 1, 1, device=images.device) - 0.5)
    tint = 1 + 0.16 * (torch.rand(n, 3, 1, 1, device=images.device) - 0.5)
    grey = images.mean(1, keepdim=True)
    color = 0.5 + torch.rand(n, 1, 1, 1, device=images.device)
    images = ((grey + (images - grey) * color) * gain * tint).clamp(0, 1)
    return images.contiguous(memory_format=torch.channels_last), rows


@torch.no_grad()
def _average(mean: DemoNet, net: DemoNet, keep: float) -> None:
    kept = [v for v in mean.state_dict().values() if v.dtype.is_floating_point]
    new = [v for v in net.state_dict().values() if v.dtype.is_floating_point]
    torch._foreach_lerp_(kept, new, 1 - keep)


def save(net: DemoNet, folder: Path) -> None:
    """Write the weights."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(net.state_dict(), folder / "demo.pt")


def export(net: DemoNet, folder: Path) -> None:
    """Write ``demo.onnx``: any batch, any height and width that are multiples of 32."""
    import onnx

    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "demo.onnx"
    net = net.float().cpu().to(memory_format=torch.contiguous_format).eval()
    torch.onnx.export(
        net,
        (torch.zeros(1, 3, HEIGHT, WIDTH),),
        str(target),
        opset_version=17,
        input_names=["images"],
        output_names=["output0"],
        dynamic_axes={"images": {0: "batch", 2: "height", 3: "width"}, "output0": {0: "batch", 2: "anchors"}},
        dynamo=False,
    )
    model = onnx.load(str(target))
    # The exporter leaves the number of rows open, by which decoders know a YOLO head.
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 4 + len(SIM_LABELS)
    facts = {
        "names": str(dict(enumerate(SIM_LABELS))),
        "task": "detect",
        "headrace.decoder": "yolov8",
        "stride": str(max(STRIDES)),
        "imgsz": str([HEIGHT, WIDTH]),
        "license": "Apache-2.0",
        "author": "Headrace",
        "description": "Finds vehicles, two-wheelers, people and road signs in Headrace's rendered scenes",
    }
    onnx.helper.set_model_props(model, facts)
    model.producer_name = "Headrace"
    onnx.checker.check_model(model)
    onnx.save(model, str(target))
    print(f"wrote {target}, {target.stat().st_size / 1e6:.2f} MB")


def main() -> int:
    """Train, or only export."""
    options = arguments()
    if options.export is None:
        net = train(options)
    else:
        net = DemoNet(len(SIM_LABELS))
        net.load_state_dict(torch.load(options.export, map_location="cpu", weights_only=True))
    export(net, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
