"""nvinferbin: nvinfer behind a queue.

gst-launch-1.0 ... nvstreammux name=m ! nvinferbin config-file-path=pgie.txt ! nvtrackerbin ! nvosdbin ! ...
"""

from __future__ import annotations

from concurrent.futures import Future

from headrace.elements.base.queued import Queued
from headrace.elements.nvinfer import NvInfer
from headrace.gst.face import properties_of


class InferBin(Queued):
    """Face of the bin; all it does is in `Queued`, and it passes models on, and ``model-updated``."""

    __gtype_name__ = "NvInferBin"
    factory = "nvinferbin"
    inner_factory = "nvinfer"
    options_type = NvInfer.options_type
    __gproperties__ = properties_of(options_type)
    __gsignals__ = NvInfer.__gsignals__
    __gstmetadata__ = ("Inference", "Filter/Analyzer/Video", "nvinfer behind a queue", "Headrace")

    def __init__(self) -> None:
        super().__init__()
        self.inner.connect("model-updated", self.guarded(self._updated))

    def swap(self, model: str) -> Future[None]:
        """See `Swappable.swap`."""
        future: Future[None] = self.inner.swap(model)
        return future

    def do_swap_model(self, model: str) -> bool:
        """GObject vmethod: `swap`; returns whether the model is being loaded."""
        return bool(self.inner.do_swap_model(model))

    def _updated(self, _inner: object, error: int, file: str) -> None:
        self.emit("model-updated", error, file)
