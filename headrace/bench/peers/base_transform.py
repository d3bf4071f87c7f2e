"""The obvious element in Python: GStreamer decodes and converts to RGB, a BaseTransform runs the model."""

import ctypes

# GStreamer brings libunwind, which the C++ of the engine must not be bound to: who throws is settled before.
ctypes.CDLL("libgcc_s.so.1", ctypes.RTLD_GLOBAL)
import gi  # noqa: E402

gi.require_version("Gst", "1.0")
gi.require_version("GstBase", "1.0")
import numpy as np  # noqa: E402
from gi.repository import Gst, GstBase  # noqa: E402
from plain import Plain, job  # noqa: E402

Gst.init(None)
work, done = job()
detect = Plain(work["model"], tuple(work["size"]), colour=-1)
CAPS = Gst.Caps.from_string("video/x-raw,format=RGB")


class Detect(GstBase.BaseTransform):
    """Runs the model on each frame."""

    __gstmetadata__ = ("Detect", "Filter", "Detects", "bench")
    __gsttemplates__ = (
        Gst.PadTemplate.new("sink", Gst.PadDirection.SINK, Gst.PadPresence.ALWAYS, CAPS),
        Gst.PadTemplate.new("src", Gst.PadDirection.SRC, Gst.PadPresence.ALWAYS, CAPS),
    )

    def do_set_caps(self, caps: Gst.Caps, _out: Gst.Caps) -> bool:
        """Note the size."""
        shape = caps.get_structure(0)
        self.shape = shape.get_value("height"), shape.get_value("width"), 3
        return True

    def do_transform_ip(self, buffer: Gst.Buffer) -> Gst.FlowReturn:
        """Detect in one frame."""
        _, mapped = buffer.map(Gst.MapFlags.READ)
        detect(np.frombuffer(mapped.data, np.uint8).reshape(self.shape))
        buffer.unmap(mapped)
        done()
        return Gst.FlowReturn.OK


Gst.Element.register(None, "benchdetect", Gst.Rank.NONE, Detect)
one = f"filesrc location={work['clip']} ! decodebin ! videoconvert ! benchdetect ! fakesink sync=false"
pipeline = Gst.parse_launch(" ".join([one] * work["streams"]))
pipeline.set_state(Gst.State.PLAYING)
pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, Gst.MessageType.EOS | Gst.MessageType.ERROR)
