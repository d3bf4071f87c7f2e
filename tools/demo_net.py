"""The demo detector's network: a small anchor-free detector on strides 8, 16 and 32, in plain PyTorch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STRIDES = (8, 16, 32)


class ConvNorm(nn.Sequential):
    """Convolution, batch norm, ReLU: runtimes fuse the three into one step."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.03),
            nn.ReLU(inplace=True),
        )


class Split(nn.Module):
    """A cross-stage partial block: half of the channels pass residual 3x3 pairs, the rest goes around."""

    def __init__(self, inputs: int, outputs: int, repeats: int = 1, residual: bool = True) -> None:
        super().__init__()
        half = outputs // 2
        self.enter = ConvNorm(inputs, 2 * half, 1)
        self.steps = nn.ModuleList(
            nn.Sequential(ConvNorm(half, half), ConvNorm(half, half)) for _ in range(repeats)
        )
        self.leave = ConvNorm((2 + repeats) * half, outputs, 1)
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        """Features of the same size, ``outputs`` channels."""
        parts = list(self.enter(x).chunk(2, 1))
        for step in self.steps:
            parts.append(parts[-1] + step(parts[-1]) if self.residual else step(parts[-1]))
        return self.leave(torch.cat(parts, 1))


class Pool(nn.Module):
    """Sees wide surroundings: maxima over 5, 9 and 13 cells beside the features themselves."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.enter = ConvNorm(channels, half, 1)
        self.leave = ConvNorm(4 * half, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Features of the same size and depth."""
        parts = [self.enter(x)]
        for _ in range(3):
            parts.append(F.max_pool2d(parts[-1], 5, 1, 2))
        return self.leave(torch.cat(parts, 1))


class Head(nn.Module):
    """Distances to the four sides and class scores for each cell of one level."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.box = nn.Sequential(
            ConvNorm(channels, channels, 3, groups=channels), ConvNorm(channels, channels, 1),
            nn.Conv2d(channels, 4, 1),
        )  # fmt: skip
        self.score = nn.Sequential(
            ConvNorm(channels, channels, 3, groups=channels), ConvNorm(channels, channels, 1),
            nn.Conv2d(channels, classes, 1),
        )  # fmt: skip
        nn.init.constant_(self.box[-1].bias, 1.0)
        # Few cells hold an object: start with scores near 1 %, so that the first steps are calm.
        nn.init.constant_(self.score[-1].bias, -4.6)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Raw side distances ``(N, 4, h, w)`` and class logits ``(N, classes, h, w)``."""
        return self.box(x), self.score(x)


class DemoNet(nn.Module):
    """Backbone, top-down neck and three heads.

    In training it returns raw ``(sides, logits, points, strides)``; after `eval` it returns
    ``(N, 4 + classes, anchors)``: cx, cy, w, h in input pixels, then scores in 0–1.
    """

    def __init__(self, classes: int = 4, width: tuple[int, ...] = (16, 24, 48, 96, 128)) -> None:
        super().__init__()
        a, b, c, d, e = width
        self.stem = ConvNorm(3, a, 3, 2)
        self.at4 = nn.Sequential(ConvNorm(a, b, 3, 2), Split(b, b))
        self.at8 = nn.Sequential(ConvNorm(b, c, 3, 2), Split(c, c))
        self.at16 = nn.Sequential(ConvNorm(c, d, 3, 2), Split(d, d))
        self.at32 = nn.Sequential(ConvNorm(d, e, 3, 2), Split(e, e), Pool(e))
        self.up16 = Split(e + d, d, residual=False)
        self.up8 = Split(d + c, c, residual=False)
        self.heads = nn.ModuleList(Head(channels, classes) for channels in (c, d, e))
        self.classes = classes

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor] | Tensor:
        """Run on ``(N, 3, H, W)`` RGB in 0–1; H and W are multiples of 32."""
        p8 = self.at8(self.at4(self.stem(images)))
        p16 = self.at16(p8)
        p32 = self.at32(p16)
        p16 = self.up16(torch.cat([F.interpolate(p32, scale_factor=2.0), p16], 1))
        p8 = self.up8(torch.cat([F.interpolate(p16, scale_factor=2.0), p8], 1))
        sides, logits, points, strides = [], [], [], []
        for level, head, stride in zip((p8, p16, p32), self.heads, STRIDES, strict=True):
            box, score = head(level)
            rows = torch.arange(level.shape[2], device=level.device, dtype=torch.float32) + 0.5
            columns = torch.arange(level.shape[3], device=level.device, dtype=torch.float32) + 0.5
            y = rows[:, None] + 0 * columns[None]
            x = columns[None] + 0 * rows[:, None]
            grid = torch.stack([x.reshape(-1), y.reshape(-1)]) * stride
            points.append(grid)
            strides.append(0 * grid[:1] + stride)
            sides.append(box.flatten(2))
            logits.append(score.flatten(2))
        raw = torch.cat(sides, 2), torch.cat(logits, 2), torch.cat(points, 1), torch.cat(strides, 1)
        return raw if self.training else decode(*raw)


def corners(sides: Tensor, points: Tensor, strides: Tensor) -> Tensor:
    """Boxes ``(N, 4, anchors)`` xyxy in pixels from raw distances to left, top, right, bottom."""
    reach = F.softplus(sides) * strides
    return torch.cat([points - reach[:, :2], points + reach[:, 2:]], 1)


def decode(sides: Tensor, logits: Tensor, points: Tensor, strides: Tensor) -> Tensor:
    """The exported form: cx, cy, w, h in pixels, then class scores."""
    reach = F.softplus(sides) * strides
    middle = points + (reach[:, 2:] - reach[:, :2]) / 2
    return torch.cat([middle, reach[:, :2] + reach[:, 2:], logits.sigmoid()], 1)
