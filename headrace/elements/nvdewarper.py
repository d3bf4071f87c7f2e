"""nvdewarper: pictures of fisheye, wide-angle and panoramic cameras, seen as by another camera.

gst-launch-1.0 nvurisrcbin uri=file:///hall.mp4 ! nvvideoconvert ! nvdewarper config-file=dewarp.txt ! \
        m.sink_0  nvstreammux name=m batch-size=1 num-surfaces-per-frame=2 ! ...
"""

from __future__ import annotations

import dataclasses

import cv2
from gi.repository import Gst

from headrace.elements.base.caps import BATCH_CAPS, NVMM, caps_of, framerate_of, layout_of
from headrace.elements.conversion import single_frame
from headrace.errors import ConfigError, FrameError
from headrace.frames.dewarp import Warper, read_config
from headrace.frames.frame import Frame
from headrace.frames.planes import resize
from headrace.frames.surface import Surface, SurfaceLayout, write_frame
from headrace.gst import payload
from headrace.gst.buffer import BufferRef, new_buffer_like
from headrace.gst.element import Element
from headrace.gst.face import USER_ERRORS, properties_of, template
from headrace.gst.options import option
from headrace.meta.batch import Batch, BatchMetadata
from headrace.paths import resolve

_CPU = "done by the CPU"
_PACKED = BATCH_CAPS.intersect(
    Gst.Caps.from_string(f"video/x-raw({NVMM}),format={{RGBA,BGRx,RGB,BGR,GRAY8}}")
)


@dataclasses.dataclass(frozen=True)
class DewarperOptions:
    """Options of nvdewarper."""

    config_file: str = option("", "what is seen, see docs/dewarper.md")
    num_batch_buffers: int = option(4, "most views of a frame; 0: all", maximum=4)
    interpolation_method: int = option(6, "0: nearest pixel, other: mixture of four", maximum=6)
    source_id: int = option(0, "number of the source")
    dewarper_lib_version: str = option("", "what moves the pixels", read_only=True)
    num_output_buffers: int = option(
        4, "frames in the output pool", no_effect="frames are allocated as needed"
    )
    nvbuf_memory_type: int = option(0, "kind of memory", no_effect=_CPU)
    gpu_id: int = option(0, "GPU", no_effect=_CPU)
    silent: bool = option(False, "say less", no_effect="nothing is printed")


class Dewarper(Element):
    """Face of the views: each comes as a frame of its own, all of one picture in one buffer."""

    __gtype_name__ = "HeadraceDewarper"
    factory = "nvdewarper"
    options_type = DewarperOptions
    __gproperties__ = properties_of(DewarperOptions)
    __gstmetadata__ = ("Dewarper", "Filter/Effect/Video", "Views of a fisheye camera", "Headrace")
    __gsttemplates__ = (
        template("sink", Gst.PadDirection.SINK, _PACKED),
        template("src", Gst.PadDirection.SRC, _PACKED),
    )

    def __init__(self) -> None:
        super().__init__()
        self.sink_pad = self.add_sink_pad(self.template("sink"), "sink", self._chain)
        self.on_event(self.sink_pad, self._event)
        self.add_pad(self.sink_pad)
        self.src_pad = self.add_src_pad()
        self.options = dataclasses.replace(self.options, dewarper_lib_version=f"OpenCV {cv2.__version__}")
        self.warpers: list[Warper] = []
        self.given: SurfaceLayout | None = None
        self._wanted = self._size = (0, 0)

    def do_change_state(self, transition: Gst.StateChange) -> Gst.StateChangeReturn:
        """GStreamer vmethod: the configuration is read for each run."""
        try:
            if transition == Gst.StateChange.READY_TO_PAUSED:
                self._configure()
        except USER_ERRORS as error:
            self.post_error(error)
            return Gst.StateChangeReturn.FAILURE
        return Gst.Element.do_change_state(self, transition)

    def _configure(self) -> None:
        if not self.options.config_file:
            raise ConfigError("no views: set config-file")
        config = read_config(resolve(self.options.config_file))
        most = config.num_batch_buffers or self.options.num_batch_buffers or None
        self.warpers = [Warper(view) for view in config.views[:most]]
        self._wanted = (config.width, config.height)

    def _event(self, pad: Gst.Pad, event: Gst.Event) -> bool:
        if event.type != Gst.EventType.CAPS:
            return bool(pad.event_default(self, event))
        caps = event.parse_caps()
        self.given = given = layout_of(caps)
        first = self.warpers[0].size(given.width, given.height)
        self._size = (self._wanted[0] or first[0], self._wanted[1] or first[1])
        layout = SurfaceLayout.dense(given.format, *self._size)
        return bool(
            self.src_pad.push_event(Gst.Event.new_caps(caps_of(layout, framerate_of(caps), batch=True)))
        )

    def _chain(self, _pad: Gst.Pad, buffer: int) -> int:
        held = BufferRef(buffer)
        if self.given is None:
            raise FrameError("a buffer came before its caps")
        rider = payload.find(buffer)
        taken = (
            rider if isinstance(rider, Batch) and rider.surfaces else single_frame(buffer, self.given, rider)
        )
        if len(taken.surfaces) != 1:
            raise FrameError(
                "a batch of several frames cannot be dewarped; put nvdewarper before nvstreammux"
            )
        output = payload.attach(new_buffer_like(buffer), self._views(taken))
        del rider, taken, held
        return self.push(self.src_pad, output)

    def _views(self, taken: Batch) -> Batch:
        """The batch of views; objects stay behind, for they are elsewhere in the views."""
        before, picture = taken.meta.frames[0], taken.surfaces[0].frame()
        meta, surfaces = BatchMetadata.new(), []
        for warper in self.warpers:
            frame = meta.add_frame(
                source_id=self.options.source_id, frame_number=before.frame_number, buffer_pts=before.buffer_pts,
                ntp_timestamp=before.ntp_timestamp, source_width=before.source_width,
                source_height=before.source_height, pipeline_width=self._size[0], pipeline_height=self._size[1],
                surface_type=warper.view.projection_type, surface_index=warper.view.surface_index,
                num_surfaces_per_frame=len(self.warpers),
            )  # fmt: skip
            frame.user.extend(before.user)
            surfaces.append(self._view(warper, picture))
        return Batch(meta, surfaces)

    def _view(self, warper: Warper, picture: Frame) -> Surface:
        made = warper.warp(picture.planes[0], nearest=self.options.interpolation_method == 0)
        return write_frame(resize(Frame.from_array(made, picture.format), *self._size))
