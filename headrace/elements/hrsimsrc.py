"""hrsimsrc: a synthetic scene with known truth as a video source.

gst-launch-1.0 hrsimsrc scene="sim://crossroad?seed=1&objects=12" ! videoconvert ! autovideosink
"""

from __future__ import annotations

import dataclasses
from fractions import Fraction

from gi.repository import Gst, GstBase

from headrace.errors import HeadraceError
from headrace.frames.surface import SurfaceLayout
from headrace.gst import payload
from headrace.gst.buffer import copy_into
from headrace.gst.face import USER_ERRORS, Face, properties_of, template
from headrace.gst.native import CLOCK_TIME_NONE, BufferStruct, buffer_struct
from headrace.gst.options import option
from headrace.gst.threads import keep_thread_state
from headrace.meta.batch import SourceItems
from headrace.meta.user import MetaType, UserMetadata
from headrace.source.sim import Scene, SceneOptions, parse_sim_uri

_CAPS = Gst.Caps.from_string(
    "video/x-raw,format=BGR,width=[1,2147483647],height=[1,2147483647],framerate=[0/1,240/1]"
)


@dataclasses.dataclass(frozen=True)
class SimOptions:
    """Options of hrsimsrc."""

    scene: str = option(
        "sim://crossroad", "scene and its options, sim://NAME?seed=1&objects=12&width=1280&height=720"
    )
    is_live: bool = option(False, "give frames at the pace of a camera instead of as fast as possible")


class SimSrc(Face, GstBase.BaseSrc):
    """Face of the scenes; the truth of each frame rides on its buffer as a user meta `MetaType.SIM_TRUTH`."""

    __gtype_name__ = "HeadraceSimSrc"
    factory = "hrsimsrc"
    rank = Gst.Rank.NONE
    options_type = SimOptions
    __gproperties__ = properties_of(SimOptions)
    __gstmetadata__ = ("Synthetic scene", "Source/Video", "Renders traffic with known truth", "Headrace")
    __gsttemplates__ = (template("src", Gst.PadDirection.SRC, _CAPS),)

    def __init__(self) -> None:
        super().__init__()
        self.set_format(Gst.Format.TIME)
        self.scene: Scene | None = None
        self.index = 0

    def option_changed(self, field: str) -> None:
        """A wrong scene is reported when it is set."""
        if field == "scene":
            parse_sim_uri(self.options.scene)
        elif field == "is_live":
            self.set_live(self.options.is_live)

    def _scene_options(self) -> SceneOptions:
        return parse_sim_uri(self.options.scene)

    def do_get_caps(self, filter: Gst.Caps | None) -> Gst.Caps:
        """GStreamer vmethod: caps of the scene."""
        try:
            scene = self._scene_options()
        except HeadraceError:
            return _CAPS  # so that elements can be linked; what is wrong is said when the scene is built
        rate = Fraction(scene.fps).limit_denominator(1001)
        text = f"video/x-raw,format=BGR,width={scene.width},height={scene.height}"
        caps = Gst.Caps.from_string(f"{text},framerate={rate.numerator}/{rate.denominator}")
        return filter.intersect(caps) if filter is not None else caps

    def do_start(self) -> bool:
        """GStreamer vmethod: build the scene."""
        try:
            options = self._scene_options()
            self.scene = Scene(options)
        except USER_ERRORS as error:
            self.post_error(error)
            return False
        self.index = 0
        self.layout = SurfaceLayout.dense("BGR", options.width, options.height)
        self.set_blocksize(self.layout.size)
        return True

    def do_get_times(self, buffer: Gst.Buffer) -> tuple[int, int]:
        """GStreamer vmethod: when a live frame is due; never for one that is made as fast as possible."""
        if not self.options.is_live:
            return CLOCK_TIME_NONE, CLOCK_TIME_NONE
        return int(buffer.pts), int(buffer.pts + buffer.duration)

    def do_fill(self, _offset: int, _size: int, buffer: Gst.Buffer) -> Gst.FlowReturn:
        """GStreamer vmethod: render one frame into the buffer."""
        keep_thread_state()
        try:
            return self._render(hash(buffer))
        except USER_ERRORS as error:
            self.post_error(error, f"{self.options.scene} frame {self.index}")
            return Gst.FlowReturn.ERROR

    def _render(self, address: int) -> Gst.FlowReturn:
        scene = self.scene
        if scene is None or 0 <= scene.options.frames <= self.index:
            return Gst.FlowReturn.EOS
        picture, truth = scene.render(self.index)
        copy_into(address, picture, self.layout.strides[0])
        payload.attach(address, SourceItems([UserMetadata(MetaType.SIM_TRUTH, truth)]))
        fields: BufferStruct = buffer_struct(address)
        step = Gst.SECOND / scene.options.fps
        fields.pts = round(self.index * step)
        fields.duration = round((self.index + 1) * step) - fields.pts
        self.index += 1
        return Gst.FlowReturn.OK
