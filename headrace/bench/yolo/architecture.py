"""The one description of the detector, for whatever can carry out its steps.

Blocks, channels, depth and head are those of YOLO11n (Jocher and Qiu, Ultralytics YOLO11, 2024; the facts of its
public ``yolo11.yaml``): convolutions with folded batch normalisation and SiLU, C3k2, SPPF, C2PSA, and an anchor-free
head with a distribution for each side of a box (DFL, Li et al., 2020). Here are 2.6 million parameters and 6.5
thousand million operations at 640x640, as there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

T = TypeVar("T")

CLASSES = 80
#: Values that a distance can have, in cells.
BINS = 16
STRIDES = (8, 16, 32)


@dataclass(frozen=True, slots=True)
class Conv:
    """A convolution with padding that keeps the size (before the stride).

    Attributes:
        inputs: Channels that come in.
        outputs: Channels that go out.
        kernel: Side of the kernel.
        stride: Step in pixels.
        groups: 1, or ``inputs`` for one kernel a channel.
        silu: Whether SiLU follows.
        role: ``score`` or ``box`` for the last ones of the head, ``bins`` for the mean of a distribution.
        gain: How much larger than usual random weights are, where what comes in varies more or less than usual.
    """

    inputs: int
    outputs: int
    kernel: int = 1
    stride: int = 1
    groups: int = 1
    silu: bool = True
    role: str = ""
    gain: float = 1.0


class Steps(Protocol[T]):
    """What the description asks of a back end; ``T`` is its tensor, ``(N, C, H, W)`` or ``(N, C, cells)``."""

    def conv(self, x: T, conv: Conv) -> T:
        """Convolve with the next weights."""

    def add(self, a: T, b: T) -> T:
        """Sum."""

    def subtract(self, a: T, b: T) -> T:
        """Difference."""

    def multiply(self, a: T, b: T | float) -> T:
        """Product."""

    def join(self, parts: Sequence[T], axis: int = 1) -> T:
        """One after the other along an axis."""

    def split(self, x: T, sizes: Sequence[int], axis: int = 1) -> Sequence[T]:
        """Parts of these sizes along an axis."""

    def pool(self, x: T) -> T:
        """Greatest of 5x5 pixels around each."""

    def double(self, x: T) -> T:
        """Each pixel four times."""

    def reshape(self, x: T, *sizes: int) -> T:
        """Same values; 0 keeps an axis, -1 takes what is left."""

    def like(self, x: T, model: T) -> T:
        """Same values in the shape of another."""

    def transpose(self, x: T, *axes: int) -> T:
        """Axes in another order."""

    def matmul(self, a: T, b: T) -> T:
        """Product of matrices on the last two axes."""

    def softmax(self, x: T, axis: int) -> T:
        """Softmax along an axis."""

    def sigmoid(self, x: T) -> T:
        """Sigmoid."""

    def cells(self, maps: Sequence[T]) -> tuple[T, T]:
        """Middles ``(2, cells)`` of all cells of the maps, x and y in cells, and their strides ``(1, cells)``."""


def detector(steps: Steps[T], picture: T) -> T:
    """From pictures ``(N, 3, H, W)``, RGB in 0–1, to ``(N, 84, cells)``: centre, size, and 80 scores in 0–1."""
    x = steps.conv(picture, Conv(3, 16, 3, 2, gain=12.0))
    x = _c3k2(steps, steps.conv(x, Conv(16, 32, 3, 2)), 32, 64, 16)
    fine = _c3k2(steps, steps.conv(x, Conv(64, 64, 3, 2)), 64, 128, 32)
    middle = _c3k2(steps, steps.conv(fine, Conv(128, 128, 3, 2)), 128, 128, 64, deep=True)
    coarse = _c3k2(steps, steps.conv(middle, Conv(128, 256, 3, 2)), 256, 256, 128, deep=True)
    coarse = _c2psa(steps, _sppf(steps, coarse, 256), 256)
    # The neck: down to fine cells with what the coarse ones know, and up again.
    middle = _c3k2(steps, steps.join([steps.double(coarse), middle]), 384, 128, 64)
    fine = _c3k2(steps, steps.join([steps.double(middle), fine]), 256, 64, 32)
    middle = _c3k2(steps, steps.join([steps.conv(fine, Conv(64, 64, 3, 2)), middle]), 192, 128, 64)
    down = steps.conv(middle, Conv(128, 128, 3, 2))
    coarse = _c3k2(steps, steps.join([down, coarse]), 384, 256, 128, deep=True)
    return _detect(steps, [(fine, 64), (middle, 128), (coarse, 256)])


def _bottleneck(steps: Steps[T], x: T, channels: int, inner: int) -> T:
    y = steps.conv(x, Conv(channels, inner, 3))
    return steps.add(x, steps.conv(y, Conv(inner, channels, 3, gain=0.5)))


def _c3k(steps: Steps[T], x: T, channels: int) -> T:
    half = channels // 2
    y = steps.conv(x, Conv(channels, half))
    for _ in range(2):
        y = _bottleneck(steps, y, half, half)
    beside = steps.conv(x, Conv(channels, half))
    return steps.conv(steps.join([y, beside]), Conv(2 * half, channels))


def _c3k2(steps: Steps[T], x: T, inputs: int, outputs: int, inner: int, deep: bool = False) -> T:
    parts = [*steps.split(steps.conv(x, Conv(inputs, 2 * inner)), (inner, inner))]
    parts.append(_c3k(steps, parts[1], inner) if deep else _bottleneck(steps, parts[1], inner, inner // 2))
    return steps.conv(steps.join(parts), Conv(3 * inner, outputs))


def _sppf(steps: Steps[T], x: T, channels: int) -> T:
    parts = [steps.conv(x, Conv(channels, channels // 2))]
    for _ in range(3):
        parts.append(steps.pool(parts[-1]))
    return steps.conv(steps.join(parts), Conv(2 * channels, channels, gain=0.4))


def _c2psa(steps: Steps[T], x: T, channels: int) -> T:
    half = channels // 2
    kept, y = steps.split(steps.conv(x, Conv(channels, channels)), (half, half))
    y = steps.add(y, _attention(steps, y, half))
    ahead = steps.conv(steps.conv(y, Conv(half, channels)), Conv(channels, half, silu=False, gain=0.5))
    return steps.conv(steps.join([kept, steps.add(y, ahead)]), Conv(channels, channels))


def _attention(steps: Steps[T], x: T, channels: int, heads: int = 2) -> T:
    """Every cell looks at every other; keys are half as long as values."""
    value = channels // heads
    key = value // 2
    mixed = steps.conv(x, Conv(channels, heads * (2 * key + value), silu=False, gain=0.5))
    mixed = steps.reshape(mixed, 0, heads, 2 * key + value, -1)
    queries, keys, values = steps.split(mixed, (key, key, value), 2)
    likeness = steps.multiply(steps.matmul(steps.transpose(queries, 0, 1, 3, 2), keys), key**-0.5)
    weights = steps.transpose(steps.softmax(likeness, 3), 0, 1, 3, 2)
    seen = steps.like(steps.matmul(values, weights), x)
    place = steps.conv(
        steps.like(values, x), Conv(channels, channels, 3, groups=channels, silu=False, gain=0.5)
    )
    return steps.conv(steps.add(seen, place), Conv(channels, channels, silu=False, gain=0.5))


def _detect(steps: Steps[T], levels: Sequence[tuple[T, int]]) -> T:
    inner = max(64, levels[0][1] // 4, 4 * BINS)
    scored = max(levels[0][1], min(CLASSES, 100))
    maps = []
    for x, channels in levels:
        box = steps.conv(steps.conv(x, Conv(channels, inner, 3)), Conv(inner, inner, 3))
        box = steps.conv(box, Conv(inner, 4 * BINS, silu=False, role="box"))
        score = steps.conv(
            steps.conv(x, Conv(channels, channels, 3, groups=channels, gain=0.7)), Conv(channels, scored)
        )
        score = steps.conv(
            steps.conv(score, Conv(scored, scored, 3, groups=scored, gain=0.7)), Conv(scored, scored)
        )
        score = steps.conv(score, Conv(scored, CLASSES, silu=False, role="score", gain=3.0))
        maps.append(steps.join([box, score]))
    flat = steps.join([steps.reshape(one, 0, 4 * BINS + CLASSES, -1) for one in maps], 2)
    box, score = steps.split(flat, (4 * BINS, CLASSES))
    middles, strides = steps.cells(maps)
    return steps.join([_boxes(steps, box, middles, strides), steps.sigmoid(score)])


def _boxes(steps: Steps[T], logits: T, middles: T, strides: T) -> T:
    """Centre and size in pixels; a distance is the mean of its distribution, in cells."""
    likely = steps.softmax(steps.transpose(steps.reshape(logits, 0, 4, BINS, -1), 0, 2, 1, 3), 1)
    far = steps.reshape(steps.conv(likely, Conv(BINS, 1, silu=False, role="bins")), 0, 4, -1)
    before, behind = steps.split(far, (2, 2))
    first, last = steps.subtract(middles, before), steps.add(middles, behind)
    centre = steps.multiply(steps.add(first, last), 0.5)
    return steps.multiply(steps.join([centre, steps.subtract(last, first)]), strides)
