"""nvof: how the parts of each frame moved since its source's frame before.

gst-launch-1.0 ... ! nvstreammux ... ! nvof ! nvofvisual ! nvvideoconvert ! ...
"""

from __future__ import annotations

import dataclasses

from headrace.elements.base.filter import Filter
from headrace.gst.face import properties_of
from headrace.gst.options import option
from headrace.meta.batch import Batch
from headrace.meta.optical_flow import OpticalFlow
from headrace.meta.user import MetaType, UserMetadata
from headrace.track.optical_flow import FlowEstimator


@dataclasses.dataclass(frozen=True)
class OfOptions:
    """Options of nvof."""

    preset_level: int = option(0, "0 fast, 1 medium, 2 slow; the slower, the finer", minimum=0, maximum=2)
    grid_size: int = option(0, "size of blocks", minimum=0, maximum=0, no_effect="blocks are of 4x4 pixels")
    pool_size: int = option(7, "results in the pool", no_effect="memory is taken as it is needed")
    gpu_id: int = option(0, "GPU", no_effect="computed by the CPU")


class OpticalFlowElement(Filter):
    """Face of `headrace.track.optical_flow`: each frame but a source's first gets a meta `MetaType.OPTICAL_FLOW`."""

    __gtype_name__ = "HeadraceOf"
    factory = "nvof"
    options_type = OfOptions
    __gproperties__ = properties_of(OfOptions)
    __gstmetadata__ = ("Optical flow", "Filter/Analyzer/Video", "Motion between frames", "Headrace")

    def start(self) -> None:
        """Forget earlier frames."""
        self._estimators: dict[int, FlowEstimator] = {}

    def process(self, batch: Batch, buffer: int) -> None:
        """Compare each frame with its source's frame before."""
        for meta, surface in zip(batch.meta.frames, batch.surfaces, strict=True):
            estimator = self._estimators.get(meta.pad_index)
            if estimator is None:
                estimator = self._estimators[meta.pad_index] = FlowEstimator(self.options.preset_level)
            vectors = estimator.next(surface.frame())
            if vectors is not None:
                flow = OpticalFlow(vectors, meta.frame_number)
                meta.append(UserMetadata(MetaType.OPTICAL_FLOW, flow))

    def source_event(self, what: str, index: int) -> None:
        """A source that went away is forgotten."""
        if what in ("pad-deleted", "stream-eos"):
            self._estimators.pop(index, None)
