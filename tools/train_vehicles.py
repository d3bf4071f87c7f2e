"""Train the two vehicle classifiers (type and paint) on rendered scenes and write them as ONNX.

    python tools/train_vehicles.py --out headrace/models --minutes 4

Needs torch, which the package itself does not. A CPU is enough.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from training import convolved, options, rendered
from vehicle_data import FIRST_SEED, SIDE, SMALL, render

from headrace.assets.onnxfile import Graph
from headrace.source.sim.vehicles import PAINTS

#: Class of each build (car, estate, van, lorry, bus) among coupe, largevehicle, sedan, suv, truck, van.
TYPE_OF_BUILD = np.array([2, 3, 5, 4, 1])
TYPES = 6
_WIDTHS = (16, 24, 40, 64)


class VehicleNet(nn.Module):
    """Four convolutions with stride 2 on the input made four times smaller, then the mean over all places."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        widths = (3, *_WIDTHS)
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, 3, 2, 1, bias=False) for a, b in zip(widths, _WIDTHS, strict=False)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in _WIDTHS)
        self.last = nn.Linear(_WIDTHS[-1], classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits from ``(N, 3, SMALL, SMALL)`` BGR in 0–255."""
        x = images / 255
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.relu(norm(conv(x)))
        return self.last(x.mean((2, 3)))


def train(pictures: torch.Tensor, wanted: torch.Tensor, classes: int, minutes: float) -> VehicleNet:
    """Train for the given time; mirrored and in other light by chance."""
    torch.manual_seed(1)
    net = VehicleNet(classes).train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=0.01)
    start, step = time.monotonic(), 0
    while (share := (time.monotonic() - start) / (60 * minutes)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = 4e-3 * min(1.0, (step + 1) / 100) * (1 - share) + 1e-5
        pick = torch.randint(len(pictures), (256,))
        images = pictures[pick].permute(0, 3, 1, 2).float()
        if step % 2:
            images = images.flip(3)
        images = (images * (0.9 + 0.2 * torch.rand(len(pick), 1, 1, 1))).clamp(0, 255)
        loss = F.cross_entropy(net(images), wanted[pick], label_smoothing=0.02)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        step += 1
        if step % 200 == 0:
            print(f"{100 * share:5.1f} %  step {step}  loss {loss.item():.3f}", flush=True)
    return net.eval()


@torch.no_grad()
def accuracy(net: VehicleNet, pictures: torch.Tensor, wanted: torch.Tensor) -> float:
    """Share of pictures of which the likeliest class is right."""
    hits = [
        (net(part.permute(0, 3, 1, 2).float()).argmax(1) == truth).float()
        for part, truth in zip(pictures.split(512), wanted.split(512), strict=True)
    ]
    return float(torch.cat(hits).mean())


def export(net: VehicleNet, classes: int, path: Path, description: str) -> None:
    """Write the network, batch norms folded into the convolutions."""
    graph, x = Graph(), "input_1:0"
    pool = SIDE // SMALL
    x = graph.add("AveragePool", [x], "small", kernel_shape=[pool, pool], strides=[pool, pool])
    for k, (conv, norm) in enumerate(zip(net.convs, net.norms, strict=True)):
        x = convolved(graph, k, x, conv, norm)
    x = graph.add("GlobalAveragePool", [x], "mean")
    x = graph.add("Flatten", [x], "flat")
    last = [graph.constant(name, value.detach().numpy()) for name, value in net.last.named_parameters()]
    x = graph.add("Gemm", [x, *last], "logits", transB=1)
    graph.add("Softmax", [x], "predictions/Softmax:0", axis=1)
    path.write_bytes(
        graph.model(
            {"input_1:0": ("batch", 3, SIDE, SIDE)},
            {"predictions/Softmax:0": ("batch", classes)},
            17,
            description,
        )
    )
    print(f"wrote {path}, {path.stat().st_size / 1e3:.0f} kB")


def main() -> int:
    """Render, train, measure, write."""
    chosen = options(__doc__, "folder for the two files", 4.0, 800)
    pictures, builds, paints = rendered(render, FIRST_SEED, 2**31 - 1, chosen.scenes, chosen.threads)
    seen, seen_builds, seen_paints = rendered(render, 1, 100, 40, chosen.threads)
    print(f"{len(pictures)} pictures to learn from, {len(seen)} to measure with", flush=True)
    kinds = torch.from_numpy(TYPE_OF_BUILD)
    for name, classes, wanted, truth in (
        ("vehicle_type", TYPES, kinds[builds], kinds[seen_builds]),
        ("vehicle_paint", len(PAINTS), paints, seen_paints),
    ):
        net = train(pictures, wanted, classes, chosen.minutes)
        print(f"{name}: {accuracy(net, seen, truth):.3f} right on seeds 1 to 99", flush=True)
        export(
            net,
            classes,
            chosen.out / f"{name}.onnx",
            f"{name.replace('_', ' ')} in Headrace's rendered scenes",
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
