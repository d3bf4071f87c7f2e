"""A detector as a GStreamer element in one file, written as tutorials on DeepStream write them.

It marks the part of each frame that is brighter than a level. Replace `load_model` and `infer` by your own network.
"""

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstBase", "1.0")
import torch.utils.dlpack  # noqa: E402
from gi.repository import GObject, Gst, GstBase  # noqa: E402
from pyservicemaker import Buffer  # noqa: E402

CAPS = Gst.Caps.from_string("video/x-raw(memory:NVMM), format=RGB")


class BrightDetector(GstBase.BaseTransform):
    __gstmetadata__ = ("Bright detector", "Filter/Video", "Marks what is bright", "You")
    __gsttemplates__ = (
        Gst.PadTemplate.new("sink", Gst.PadDirection.SINK, Gst.PadPresence.ALWAYS, CAPS),
        Gst.PadTemplate.new("src", Gst.PadDirection.SRC, Gst.PadPresence.ALWAYS, CAPS),
    )
    __gproperties__ = {  # noqa: RUF012 - PyGObject's form
        "model-engine": (
            str, "Model", "Level above which a pixel is bright, 0-255", "200", GObject.ParamFlags.READWRITE,
        ),
        "confidence-threshold": (
            float, "Confidence", "Least share of bright pixels in the box", 0.0, 1.0, 0.3, GObject.ParamFlags.READWRITE,
        ),
    }  # fmt: skip

    def __init__(self):
        super().__init__()
        self.model_engine = "200"
        self.confidence_threshold = 0.3

    def do_get_property(self, prop):
        return getattr(self, prop.name.replace("-", "_"))

    def do_set_property(self, prop, value):
        setattr(self, prop.name.replace("-", "_"), value)

    def do_start(self):
        self.level = int(self.model_engine)
        return True

    def infer(self, image):
        """Left, top, width, height and confidence of the bright part of an (H, W, 3) tensor."""
        bright = image[:, :, 1] > self.level
        columns = [x for x, hit in enumerate(bright.any(axis=0).tolist()) if hit]
        rows = [y for y, hit in enumerate(bright.any(axis=1).tolist()) if hit]
        if not rows:
            return []
        left, top = columns[0], rows[0]
        width, height = columns[-1] - left + 1, rows[-1] - top + 1
        return [(left, top, width, height, float(bright.sum()) / (width * height))]

    def do_transform_ip(self, gst_buffer):
        buffer = Buffer(gst_buffer)
        batch_meta = buffer.batch_meta
        for frame_meta in batch_meta.frame_items:
            image = torch.utils.dlpack.from_dlpack(buffer.extract(frame_meta.batch_id))
            for left, top, width, height, confidence in self.infer(image):
                if confidence < self.confidence_threshold:
                    continue
                obj = batch_meta.acquire_object_meta()
                obj.class_id = 0
                obj.label = "bright"
                obj.confidence = confidence
                obj.rect_params.left = left
                obj.rect_params.top = top
                obj.rect_params.width = width
                obj.rect_params.height = height
                frame_meta.append(obj)
        return Gst.FlowReturn.OK


GObject.type_register(BrightDetector)
__gstelementfactory__ = ("brightdetector", Gst.Rank.NONE, BrightDetector)
