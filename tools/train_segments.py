"""Train the segmentation network on rendered scenes and write it as ONNX.

    python tools/train_segments.py --out headrace/models/segments.onnx --minutes 8

Each pixel gets one of: background, vehicle, two-wheeler, person. Needs torch, which the package itself does not. A CPU
is enough.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from training import convolved, options, rendered

from headrace.assets.onnxfile import Graph
from headrace.source.sim import SCENES, Scene, SceneOptions
from headrace.source.sim.paint import Canvas

#: Sides of the network's input, of what it works on, and of its answer before that is enlarged.
SIDE, SEEN, ANSWER = 512, 256, 128
CLASSES = 4
FIRST_SEED = 1000
_DOWN = (16, 24, 40, 48)
_UP = (40, 24, 16)


def class_map(scene: Scene, index: int, image: np.ndarray) -> np.ndarray:
    """Class of each pixel, ``(h, w)`` uint8, of the frame that was rendered last."""
    owner = scene._owner.copy()
    movers, _ = scene._movers(Canvas(image.copy(), np.empty_like(owner)), index / scene.options.fps)
    classes = np.zeros(int(np.iinfo(owner.dtype).max) + 1, np.uint8)
    for mover in movers:
        classes[mover.owner] = mover.actor.class_id + 1
    return classes[owner]


def example(scene: Scene, index: int) -> tuple[np.ndarray, np.ndarray]:
    """``(SEEN, SEEN, 3)`` RGB and shares of the classes ``(CLASSES, ANSWER, ANSWER)`` in 0–255."""
    image, _ = scene.render(index)
    kinds = class_map(scene, index, image)
    shares = [cv2.resize((kinds == k).astype(np.uint8) * 255, (ANSWER, ANSWER), interpolation=cv2.INTER_AREA)
              for k in range(CLASSES)]  # fmt: skip
    large = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    small = cv2.resize(large, (SEEN, SEEN), interpolation=cv2.INTER_AREA)
    return small[..., ::-1].copy(), np.stack(shares)


def render(job: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Examples of some random scenes; least seed, seed after the last, and how many scenes."""
    low, high, scenes = job
    cv2.setNumThreads(1)
    rng = np.random.default_rng(job)
    found = []
    for _ in range(scenes):
        scene = Scene(SceneOptions(
            SCENES[rng.integers(3)], seed=int(rng.integers(low, high)), objects=int(rng.integers(8, 32)),
            width=1280, height=720, frames=-1, noise=float(rng.uniform(0, 6)), light=float(rng.uniform(0, 1)),
        ))  # fmt: skip
        found += [example(scene, index) for index in rng.integers(0, 20_000, 10).tolist()]
    pictures, shares = zip(*found, strict=True)
    return np.stack(pictures), np.stack(shares)


class SegmentNet(nn.Module):
    """Four convolutions down, three up, each of these seeing the way down at its size too."""

    def __init__(self) -> None:
        super().__init__()
        down = (3, *_DOWN)
        joined = [(_DOWN[3] + _DOWN[2], _UP[0]), (_UP[0] + _DOWN[1], _UP[1]), (_UP[1] + _DOWN[0], _UP[2])]
        pairs = [*zip(down, _DOWN, strict=False), (_DOWN[3], _DOWN[3]), *joined]
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, 3, 2 if k < 4 else 1, 1, bias=False) for k, (a, b) in enumerate(pairs)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(b) for _, b in pairs)
        self.last = nn.Conv2d(_UP[2], CLASSES, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits ``(N, CLASSES, ANSWER, ANSWER)`` from ``(N, 3, SEEN, SEEN)`` RGB in 0–255."""
        x, levels = images / 255, []
        for k, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            if k > 4:
                x = torch.cat([F.interpolate(x, scale_factor=2.0), levels[7 - k]], 1)
            x = F.relu(norm(conv(x)))
            levels.append(x)
        return self.last(x)


def train(pictures: torch.Tensor, shares: torch.Tensor, minutes: float) -> SegmentNet:
    """Train for the given time."""
    torch.manual_seed(1)
    net = SegmentNet().train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=5e-3, weight_decay=0.01)
    weight = torch.tensor([1.0, 2.0, 4.0, 4.0]).reshape(1, -1, 1, 1)
    start, step = time.monotonic(), 0
    while (share := (time.monotonic() - start) / (60 * minutes)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = 5e-3 * min(1.0, (step + 1) / 50) * (1 - share) + 1e-5
        pick = torch.randint(len(pictures), (16,))
        images, wanted = pictures[pick].permute(0, 3, 1, 2).float(), shares[pick].float() / 255
        if step % 2:
            images, wanted = images.flip(3), wanted.flip(3)
        images = (images * (0.85 + 0.3 * torch.rand(len(pick), 1, 1, 1))).clamp(0, 255)
        loss = -(wanted * weight * F.log_softmax(net(images), 1)).sum(1).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        step += 1
        if step % 50 == 0:
            print(f"{100 * share:5.1f} %  step {step}  loss {loss.item():.4f}", flush=True)
    return net.eval()


@torch.no_grad()
def overlaps(net: SegmentNet, pictures: torch.Tensor, shares: torch.Tensor) -> list[float]:
    """Intersection over union of each class."""
    both, either = torch.zeros(CLASSES), torch.zeros(CLASSES)
    for part, wanted in zip(pictures.split(32), shares.split(32), strict=True):
        found, truth = net(part.permute(0, 3, 1, 2).float()).argmax(1), wanted.argmax(1)
        for k in range(CLASSES):
            both[k] += ((found == k) & (truth == k)).sum()
            either[k] += ((found == k) | (truth == k)).sum()
    return (both / either).tolist()


def export(net: SegmentNet, path: Path, output: str) -> None:
    """Write the network, batch norms folded into the convolutions."""
    graph, levels = Graph(), []
    pool = SIDE // SEEN
    x = graph.add("AveragePool", ["data"], "small", kernel_shape=[pool, pool], strides=[pool, pool])
    double = graph.constant("double", np.array([1, 1, 2, 2], np.float32))
    for k, (conv, norm) in enumerate(zip(net.convs, net.norms, strict=True)):
        if k > 4:
            x = graph.add("Resize", [x, "", double], f"large{k}", mode="nearest")
            x = graph.add("Concat", [x, levels[7 - k]], f"joined{k}", axis=1)
        x = convolved(graph, k, x, conv, norm)
        levels.append(x)
    last = [graph.constant(name, value.detach().numpy()) for name, value in net.last.named_parameters()]
    x = graph.add("Conv", [x, *last], "logits", kernel_shape=[1, 1])
    x = graph.add("Softmax", [x], "shares", axis=1)
    factor = SIDE // ANSWER
    full = graph.constant("full", np.array([1, 1, factor, factor], np.float32))
    graph.add("Resize", [x, "", full], output, mode="linear")
    about = "Classes of pixels in rendered scenes"
    model = graph.model(
        {"data": ("batch", 3, SIDE, SIDE)}, {output: ("batch", CLASSES, SIDE, SIDE)}, 17, about
    )
    path.write_bytes(model)
    print(f"wrote {path}, {path.stat().st_size / 1e3:.0f} kB")


def main() -> int:
    """Render, train, measure, write."""
    chosen = options(__doc__, "file to write", 8.0, 480)
    pictures, shares = rendered(render, FIRST_SEED, 2**31 - 1, chosen.scenes, chosen.threads)
    seen, seen_shares = rendered(render, 1, 100, 24, chosen.threads)
    print(f"{len(pictures)} frames to learn from, {len(seen)} to measure with", flush=True)
    net = train(pictures, shares, chosen.minutes)
    print("IoU on seeds 1 to 99:", " ".join(f"{value:.3f}" for value in overlaps(net, seen, seen_shares)))
    export(net, chosen.out, "final_conv/BiasAdd")
    return 0


if __name__ == "__main__":
    sys.exit(main())
