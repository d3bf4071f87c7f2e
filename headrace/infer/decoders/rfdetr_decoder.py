"""RF-DETR, with and without instance masks (arXiv:2511.09554)."""

from __future__ import annotations

import numpy as np

from headrace.infer.candidates import Candidates, to_numpy
from headrace.infer.decoders.base import DecodeOptions, Match, Outputs
from headrace.infer.decoders.queries import QueryDecoder, from_logits
from headrace.infer.decoders.scores import sigmoid
from headrace.infer.engines.base import ModelGraph
from headrace.infer.masks import crop_masks

_BOXES, _LOGITS, _MASKS = "dets", "labels", "masks"
#: Height and width of a mask, which covers its object's box.
_SIDE = 64


class RfDetrDecoder(QueryDecoder):
    """Outputs ``dets`` ``(N, queries, 4)`` and ``labels`` ``(N, queries, classes)``.

    Models of masks give ``masks`` ``(N, queries, h, w)`` besides. ``labels`` are logits; weights trained on COCO
    number its 91 categories, others have a class more than labels.

    Example:
        >>> import numpy as np
        >>> outputs = {"dets": np.array([[[0.5, 0.5, 0.25, 0.5]]]), "labels": np.array([[[-9, 2.0]]])}
        >>> found = RfDetrDecoder().decode(outputs, DecodeOptions(0.5, 64, 32))
        >>> found.xyxy.tolist(), found.class_id.tolist()
        ([[24.0, 8.0, 40.0, 24.0]], [1])
    """

    name = "rfdetr"
    usual_size = (560, 560)

    def matches(self, graph: ModelGraph) -> Match | None:
        """By the names of the outputs and their axes."""
        axes = {output.name: len(output.shape) for output in graph.outputs}
        if axes not in ({_BOXES: 3, _LOGITS: 3}, {_BOXES: 3, _LOGITS: 3, _MASKS: 4}):
            return None
        return Match(0.95, f"outputs {', '.join(axes)} of queries, as RF-DETR names them")

    def class_count(self, graph: ModelGraph) -> int | None:
        """Row length of the logits; as many as there are labels where that is one less."""
        classes = next((o.shape[-1] for o in graph.outputs if o.name == _LOGITS and o.shape), None)
        return graph.class_count if classes and graph.class_count == classes - 1 else classes

    def decode(self, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """See `BoxDecoder.decode`; ``factors`` are the numbers of the queries."""
        found = from_logits(outputs[_LOGITS], outputs[_BOXES], options)
        return found[found.class_id < len(options.labels)] if options.labels else found

    def complete(self, kept: Candidates, outputs: Outputs, options: DecodeOptions) -> Candidates:
        """Add the masks, where the model gives some."""
        if _MASKS not in outputs or kept.factors is None or not len(kept):
            return kept
        query = kept.factors[:, 0].astype(np.intp)
        whole = to_numpy(outputs[_MASKS], np.float32)[kept.frame, query]
        cut = crop_masks(whole, kept.xyxy, (options.width, options.height), _SIDE)
        kept.masks = np.asarray(sigmoid(cut), np.float32)
        return kept


DECODER = RfDetrDecoder()
