"""Where and when a model of an element works."""

from __future__ import annotations

from dataclasses import dataclass, field

from headrace.elements.inference.results import ResultSettings
from headrace.infer.targets.continuation import SkippedFrames
from headrace.infer.targets.merging import MergeOptions
from headrace.infer.targets.regions import Regions
from headrace.infer.targets.tiles import TileOptions


@dataclass(frozen=True, slots=True)
class InferenceSettings:
    """Where and when a model works.

    Attributes:
        results: How results are written.
        secondary: On objects instead of frames.
        interval: Batches skipped after each inference.
        regions: Primary: where in the frames, ``None`` for all of them.
        tiles: Look at tiles; ``None`` looks at each frame, region or object at once.
        merge: What becomes of objects that several regions or tiles show.
        gate: Primary: only frames with motion, as share of the picture and frames to hold; ``None`` for all.
        skipped_frames: Primary: objects of frames that were not looked at: none (``empty``), those of the frame before
            (``hold``), or these moved on (``predict``).
        operate_on_component: Secondary: component whose objects are looked at, -1 for any.
        operate_on_classes: Secondary: classes that are looked at, ``None`` for all.
        least_size: Secondary: width and height in pixels that an object must have.
        greatest_size: Secondary: width and height that it may have, 0 for any.
        reinfer_interval: Secondary: frames after which a tracked object is looked at again, its labels staying
            with it meanwhile; ``None`` looks at every object in every frame.
        asynchronous: Secondary: only tracked objects, and batches do not wait for them.
        prepared: On tensors of nvdspreprocess instead of frames or objects.
        clip: With those: cut boxes at the region that they were found in.
    """

    results: ResultSettings = field(default_factory=ResultSettings)
    secondary: bool = False
    interval: int = 0
    regions: Regions | None = None
    tiles: TileOptions | None = None
    merge: MergeOptions = field(default_factory=MergeOptions)
    gate: tuple[float, int] | None = None
    skipped_frames: SkippedFrames = "empty"
    operate_on_component: int = -1
    operate_on_classes: tuple[int, ...] | None = None
    least_size: tuple[int, int] = (1, 1)
    greatest_size: tuple[int, int] = (0, 0)
    reinfer_interval: int | None = None
    asynchronous: bool = False
    prepared: bool = False
    clip: bool = True
