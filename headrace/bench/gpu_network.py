"""The network of ``headrace bench gpu``: YOLO11n's shape as a torch module, named by ``hrinfer model=…:Yolo``."""

from __future__ import annotations

from typing import Any

import torch

from headrace.bench.yolo import yolo_module


class Yolo(torch.nn.Module):
    """`yolo_module` with what a file would tell: 80 classes, 640x640."""

    metadata = {"imgsz": [640, 640], "names": {number: f"class {number}" for number in range(80)}}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.net = yolo_module()

    def forward(self, pictures: Any) -> Any:
        """``(N, 3, H, W)`` to ``(N, 84, cells)``."""
        return self.net(pictures)
