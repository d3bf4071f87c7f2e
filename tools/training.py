"""What the trainings of small networks on rendered scenes share."""

from __future__ import annotations

import argparse
import multiprocessing as mp
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from headrace.assets.onnxfile import Graph

#: Least seed, seed after the last, and how many scenes.
Job = tuple[int, int, int]


def options(about: str | None, out: str, minutes: float, scenes: int) -> argparse.Namespace:
    """The options of the command line, and torch kept to the threads that were asked for."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help=out)
    parser.add_argument("--minutes", type=float, default=minutes, help="training time of each network")
    parser.add_argument("--scenes", type=int, default=scenes)
    parser.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    return chosen


def rendered(
    render: Callable[[Job], tuple[np.ndarray, ...]], low: int, high: int, scenes: int, processes: int
) -> tuple[torch.Tensor, ...]:
    """What ``render`` makes of scenes with seeds from ``low`` to below ``high``, in several processes."""
    jobs = [(low + k, high, scenes // (4 * processes)) for k in range(4 * processes)]
    with mp.get_context("spawn").Pool(processes) as pool:
        parts = pool.map(render, jobs, chunksize=1)
    return tuple(torch.from_numpy(np.concatenate(column)) for column in zip(*parts, strict=True))


def convolved(graph: Graph, k: int, x: str, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> str:
    """Add convolution ``k`` of 3x3 to a graph, its batch norm folded in, and ReLU; the first takes 0 to 255."""
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weight = conv.weight * scale[:, None, None, None] / (255 if k == 0 else 1)
    bias = norm.bias - norm.running_mean * scale
    names = [graph.constant(f"{part}{k}", value.detach().numpy()) for part, value in
             (("weight", weight), ("bias", bias))]  # fmt: skip
    sides = {"kernel_shape": [3, 3], "strides": list(conv.stride), "pads": [1, 1, 1, 1]}
    return graph.add("Relu", [graph.add("Conv", [x, *names], f"conv{k}", **sides)], f"relu{k}")
