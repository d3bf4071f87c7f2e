"""Random weights that keep a deep network's values sane and let it find a handful of boxes in a picture."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from headrace.bench.yolo.architecture import BINS, Conv

Floats = NDArray[np.float32]

SEED = 11
#: SiLU around 1 passes small deviations on nearly whole and halves great ones. With this gain they settle, layer after
#: layer, at about 1, where around 0 they would vanish or grow.
_GAIN, _BIAS = 1.2, 1.0
#: Logit of a score that nothing speaks for. It leaves 5 to 30 boxes above 0.25 of a rendered scene at 640x640.
_SCORE_BIAS = -11.6


@dataclass
class Weights:
    """Weights in the order in which a description asks for them, the same for every back end.

    Attributes:
        count: Parameters made so far, those that a training could change.

    Example:
        >>> weights = Weights()
        >>> kernel, bias = weights.next(Conv(3, 16, 3))
        >>> kernel.shape, bias.shape, weights.count
        ((16, 3, 3, 3), (16,), 448)
    """

    count: int = 0
    _rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(SEED))

    def next(self, conv: Conv) -> tuple[Floats, Floats]:
        """Kernel ``(outputs, inputs / groups, kernel, kernel)`` and bias of the next convolution."""
        if conv.role == "bins":
            self.count += BINS
            return np.arange(BINS, dtype=np.float32).reshape(1, BINS, 1, 1), np.zeros(1, np.float32)
        shape = conv.outputs, conv.inputs // conv.groups, conv.kernel, conv.kernel
        kernel: NDArray[np.float64] = self._rng.standard_normal(shape)
        if conv.groups == 1:
            # SiLU gives every channel the same positive mean, which would drown what differs: kernels of mean 0.
            kernel -= kernel.mean((1, 2, 3), keepdims=True)
        kernel *= conv.gain * _GAIN / np.sqrt(kernel[0].size)
        bias = self._bias(conv)
        self.count += kernel.size + bias.size
        return kernel.astype(np.float32), bias

    def _bias(self, conv: Conv) -> Floats:
        value = _SCORE_BIAS if conv.role == "score" else _BIAS if conv.silu else 0.0
        return np.full(conv.outputs, value, np.float32)
