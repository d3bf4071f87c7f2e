"""GStreamer faces, one file per element; `register_all` makes them known in this process."""

from __future__ import annotations

import importlib
import sys

#: Factory name to module and class.
ELEMENTS: dict[str, tuple[str, str]] = {
    "hranalytics": ("hranalytics", "RuleElement"),
    "hrinfer": ("hrinfer", "Infer"),
    "hrsimsrc": ("hrsimsrc", "SimSrc"),
    "hrvlm": ("hrvlm", "Vlm"),
    "nv3dsink": ("nv3dsink", "Nv3dSink"),
    "nvdewarper": ("nvdewarper", "Dewarper"),
    "nvdsanalytics": ("nvdsanalytics", "AnalyticsElement"),
    "nvdslogger": ("nvdslogger", "Logger"),
    "nvdsosd": ("nvdsosd", "Osd"),
    "nvdspostprocess": ("nvdspostprocess", "Postprocess"),
    "nvdspreprocess": ("nvdspreprocess", "Preprocess"),
    "nvdsvideotemplate": ("nvdsvideotemplate", "VideoTemplate"),
    "nveglglessink": ("nveglglessink", "EglSink"),
    "nvimagedec": ("nvimagedec", "ImageDecoder"),
    "nvimageenc": ("nvimageenc", "ImageEncoder"),
    "nvinfer": ("nvinfer", "NvInfer"),
    "nvinferbin": ("nvinferbin", "InferBin"),
    "nvinferserver": ("nvinferserver", "NvInferServer"),
    "nvjpegdec": ("nvjpegdec", "JpegDecoder"),
    "nvjpegenc": ("nvjpegenc", "NvJpegEncoder"),
    "nvmsgbroker": ("nvmsgbroker", "MsgBroker"),
    "nvmsgbrokersinkbin": ("nvmsgbrokersinkbin", "MsgBrokerBin"),
    "nvmsgconv": ("nvmsgconv", "MsgConv"),
    "nvmultistreamtiler": ("nvmultistreamtiler", "Tiler"),
    "nvmultiurisrcbin": ("nvmultiurisrcbin", "MultiUriSource"),
    "nvof": ("nvof", "OpticalFlowElement"),
    "nvofvisual": ("nvofvisual", "OfVisual"),
    "nvosdbin": ("nvosdbin", "OsdBin"),
    "nvrtspoutsinkbin": ("nvrtspoutsinkbin", "RtspOut"),
    "nvsegvisual": ("nvsegvisual", "SegVisual"),
    "nvstreamdemux": ("nvstreamdemux", "StreamDemux"),
    "nvstreammux": ("nvstreammux", "StreamMux"),
    "nvtracker": ("nvtracker", "TrackerElement"),
    "nvtrackerbin": ("nvtrackerbin", "TrackerBin"),
    "nvurisrcbin": ("nvurisrcbin", "UriSource"),
    "nvv4l2decoder": ("nvv4l2decoder", "V4l2Decoder"),
    "nvv4l2h264enc": ("nvv4l2h264enc", "H264Encoder"),
    "nvv4l2h265enc": ("nvv4l2h265enc", "H265Encoder"),
    "nvvideoconvert": ("nvvideoconvert", "VideoConvert"),
    "nvvideotestsrc": ("nvvideotestsrc", "VideoTestSource"),
}


# OpenCV puts a copy in the place of sys.path while it is imported, but GStreamer's Python plugin loader goes on
# with the list that it knows: plugins in folders after ours would not be found. So this package, which is imported
# before any of its modules, imports OpenCV and puts the list back.
_path = sys.path
importlib.import_module("cv2")
_path[:] = sys.path
sys.path = _path

from headrace.gst.face import Face, register  # noqa: E402 - see above


def element_class(factory: str) -> type[Face]:
    """The class behind a factory name.

    Raises:
        KeyError: There is no such element.
    """
    module, name = ELEMENTS[factory]
    found: type[Face] = getattr(importlib.import_module(f"headrace.elements.{module}"), name)
    return found


def loader_entry(factory: str) -> tuple[str, int, type[Face]]:
    """What GStreamer's Python plugin loader wants to know of an element: name, rank and class."""
    found = element_class(factory)
    return factory, int(found.rank), found


def register_all() -> None:
    """Register every element; one that GStreamer has already, such as DeepStream's own, is left alone.

    The classes are loaded here: GStreamer needs their types.
    """
    from gi.repository import Gst

    import headrace.gst  # noqa: F401 - initialises GStreamer

    for factory in ELEMENTS:
        if Gst.ElementFactory.find(factory) is None:
            register(element_class(factory))
