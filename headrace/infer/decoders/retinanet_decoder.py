"""RetinaNet without post-processing: scores and deltas of anchors, map by map (arXiv:1708.02002)."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from headrace.infer.candidates import Array, Candidates
from headrace.infer.decoders.base import BoxDecoder, DecodeOptions, Match, Outputs
from headrace.infer.decoders.layouts import fit, joined
from headrace.infer.decoders.priors import moved, pairs
from headrace.infer.decoders.scores import logit, numbers, sigmoid, single
from headrace.infer.engines.base import ModelGraph
from headrace.infer.preprocess import IMAGENET_RGB, PreprocessOptions

_BOX = 4
_STRIDES = (8, 16, 32, 64, 128)
#: Width and height of the anchors of a cell in strides: three sizes, each as square, tall and wide.
_ANCHORS = tuple(
    (4 * 2 ** (step / 3) / ratio**0.5, 4 * 2 ** (step / 3) * ratio**0.5)
    for step in range(3)
    for ratio in (1.0, 2.0, 0.5)
)


class RetinaNetDecoder(BoxDecoder):
    """For each stride 8 to 128 two outputs ``(N, 9 * classes, h, w)`` and ``(N, 9 * 4, h, w)``.

    The order of anchors is that of NVIDIA's and ONNX's model zoo; the option ``anchors`` gives another one. Scores may
    be logits, which shows in negative ones. torchvision's exports are read by `torchvision`.

    Example:
        >>> import numpy as np
        >>> outputs = {}
        >>> for stride in (8, 16, 32, 64, 128):
        ...     side = 128 // stride
        ...     outputs[f"scores{stride}"] = np.zeros((1, 18, side, side), np.float32)
        ...     outputs[f"boxes{stride}"] = np.zeros((1, 36, side, side), np.float32)
        >>> outputs["scores8"][0, 1, 5, 6] = 0.9
        >>> found = RetinaNetDecoder().decode(outputs, DecodeOptions(0.5, 128, 128))
        >>> found.xyxy.tolist(), found.class_id.tolist()
        ([[36.0, 28.0, 68.0, 60.0]], [1])
    """

    name = "retinanet"
    task = "detect"
    settings = MappingProxyType({"anchors": "[width, height] in strides of each anchor of a cell"})

    def matches(self, graph: ModelGraph) -> Match | None:
        """By pairs of maps of five strides."""
        classes = self.class_count(graph)
        if classes is None:
            return None
        score = fit(
            graph, classes, 0.97, 0.96, 0.5
        )  # more than `gfl`, to which 36 channels might be nine bins
        return Match(
            score, f"pairs of maps of strides 8 to 128: {len(_ANCHORS)} anchors, {classes} classes and a box"
        )

    def class_count(self, graph: ModelGraph) -> int | None:
        """Channels of the scores by channels of the boxes."""
        size, shapes = graph.input_size(), [output.shape for output in graph.outputs]
        if (
            size is None
            or len(shapes) != 2 * len(_STRIDES)
            or any(len(s) != 4 or None in s[1:] for s in shapes)
        ):
            return None
        sides = sorted((-(-size[1] // stride), -(-size[0] // stride)) for stride in _STRIDES)
        if sorted((shape[2] or 0, shape[3] or 0) for shape in shapes) != sorted(sides * 2):
            return None
        channels = sorted({shape[1] or 0 for shape in shapes})
        boxes = len(_ANCHORS) * _BOX
        if boxes not in channels or len(channels) != 2:
            return None
        return (sum(channels) - boxes) // len(_ANCHORS)

    def preprocess(self, graph: ModelGraph) -> PreprocessOptions:
        """RGB normalised by ImageNet's means and deviations, letterboxed to the top left on grey."""
        mean, std = IMAGENET_RGB.mean, IMAGENET_RGB.std
        return PreprocessOptions(padding="topleft", scale=1.0, mean=mean, std=std)

    def size_step(self, graph: ModelGraph) -> int | None:
        """See `BoxDecoder.size_step`."""
        return _STRIDES[-1]

    def check(self, options: DecodeOptions) -> None:
        """See `Decoder.check`."""
        super().check(options)
        pairs(options.settings.get("anchors", _ANCHORS), "anchors")

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`."""
        anchors = np.array(pairs(options.settings.get("anchors", _ANCHORS), "anchors"), np.float32)
        boxes = [array for array in outputs.values() if array.shape[1] == _BOX * len(anchors)]
        scores = [array for array in outputs.values() if array.shape[1] != _BOX * len(anchors)]
        if not boxes or len(boxes) != len(scores):
            raise ValueError(
                f"they are not pairs of scores and boxes of {len(anchors)} anchors; set option anchors"
            )
        xp = array_namespace(*boxes)
        order = sorted(zip(scores, boxes, strict=False), key=lambda pair: -int(pair[0].shape[2]))
        raw = bool(xp.any(order[-1][0] < 0))  # the coarsest map tells, and is small
        return joined([_level(one, deltas, anchors, raw, options) for one, deltas in order])


def _level(
    scores: Array, deltas: Array, anchors: NDArray[np.float32], raw: bool, options: DecodeOptions
) -> Candidates:
    """The boxes of one map."""
    xp, (frames, channels, rows, columns) = array_namespace(scores), scores.shape
    least, classes = logit(options.confidence) if raw else options.confidence, channels // len(anchors)
    (hits,) = xp.nonzero(xp.reshape(~(scores < least), (-1,)))  # NaN comes along, and is found below
    x, y, channel = hits % columns, hits // columns % rows, hits // (columns * rows) % channels
    frame, anchor = hits // (columns * rows * channels), channel // classes
    values = numbers(scores[frame, channel, y, x])
    by_anchor = xp.reshape(deltas, (frames, len(anchors), _BOX, rows, columns))
    stride = options.width / columns
    centres = (xp.astype(xp.stack([x, y], axis=1), xp.float32) + 0.5) * stride
    sizes = xp.asarray(anchors, device=scores.device)[anchor] * stride
    boxes = moved(xp.concat([centres, sizes], axis=1), single(by_anchor[frame, anchor, :, y, x]))
    return Candidates(frame, boxes, sigmoid(values) if raw else values, channel % classes)


DECODER = RetinaNetDecoder()
