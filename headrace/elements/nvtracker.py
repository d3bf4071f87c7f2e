"""nvtracker: objects of each source keep their id from frame to frame.

gst-launch-1.0 ... ! hrinfer model=yolo.onnx ! nvtracker ! nvdsosd ! ...
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from headrace.elements.base.filter import Filter, parse_ids
from headrace.elements.tracking import BatchTracking
from headrace.gst.face import properties_of
from headrace.gst.options import option
from headrace.meta.batch import Batch
from headrace.track import TrackerOptions, make_tracker, read_configuration, tracker_for
from headrace.track.lowlevel import LIBRARIES, Configuration
from headrace.track.registry import DEFAULT, trackers

_ARRAYS = "trackers that look at pixels choose their own size"


@dataclasses.dataclass(frozen=True)
class TrackerElementOptions:
    """Options of nvtracker."""

    tracker: str = option(
        "", f"name of the tracker; left out: what ll-config-file and ll-lib-file say, or {DEFAULT}"
    )
    ll_config_file: str = option("", "YAML file with the tracker's settings")
    ll_lib_file: str = option("", "DeepStream's low-level library; a known name chooses the tracker")
    display_tracking_id: bool = option(True, "show the id behind the label")
    operate_on_class_ids: str = option("", "track only these classes, such as 0;2")
    keep_untracked: bool = option(
        False, "leave objects without a track in the frame instead of removing them"
    )
    tracking_id_reset_mode: int = option(
        0, "numbering after a source has ended: 0 or 1 goes on, 2 or 3 starts from 1", maximum=3
    )
    tracker_width: int = option(960, "width the tracker works at", no_effect=_ARRAYS)
    tracker_height: int = option(544, "height the tracker works at", no_effect=_ARRAYS)
    gpu_id: int = option(0, "GPU", no_effect="tracking runs on the CPU")
    tracking_surface_type: int = option(0, "kind of surface to track", no_effect="all frames are tracked")
    input_tensor_meta: bool = option(False, "use tensors of nvdspreprocess", no_effect=_ARRAYS)
    tensor_meta_gie_id: int = option(0, "whose tensors", no_effect=_ARRAYS)
    user_meta_pool_size: int = option(32, "pool of user metas", minimum=1, no_effect="pools grow as needed")
    sub_batches: str = option(
        "", "split sources over trackers", no_effect="one tracker follows all sources at once"
    )
    sub_batch_err_recovery_trial_cnt: int = option(
        0, "restarts of a tracker", minimum=-1, no_effect="never fails"
    )
    compute_hw: int = option(0, "what scales", no_effect=_ARRAYS)


class TrackerElement(Filter):
    """Face of the trackers: one for all sources."""

    __gtype_name__ = "HeadraceTracker"
    factory = "nvtracker"
    options_type = TrackerElementOptions
    __gproperties__ = properties_of(TrackerElementOptions)
    __gstmetadata__ = ("Object tracker", "Video/Tracker", "Gives objects ids that last", "Headrace")

    def start(self) -> None:
        """Read the settings."""
        options = self.options
        path, *others = options.ll_config_file.split(";")
        if others:
            self.post_warning(
                f"ll-config-file: one tracker follows all sources, as {path} says; not used: {others}"
            )
        library = options.ll_lib_file
        found = read_configuration(path) if path else Configuration(None, TrackerOptions())
        name = options.tracker or tracker_for(library, found.tracker) or DEFAULT
        if library and Path(library).name not in LIBRARIES:
            self.post_warning(
                f"ll-lib-file={library} is not used: low-level libraries cannot run here; the "
                f"property tracker chooses among {', '.join(trackers())}, now {name}"
            )
        self.tracking = BatchTracking(
            make_tracker(name, found.options),
            parse_ids(options.operate_on_class_ids),
            options.display_tracking_id,
            options.keep_untracked,
        )

    def process(self, batch: Batch, buffer: int) -> None:
        """Track the objects of all frames."""
        self.tracking.update(batch)

    def source_event(self, what: str, index: int) -> None:
        """A source that went away takes its tracks along."""
        if what in ("pad-deleted", "stream-eos"):
            self.tracking.forget(index, restart_ids=self.options.tracking_id_reset_mode >= 2)
