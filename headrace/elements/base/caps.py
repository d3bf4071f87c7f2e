"""Caps of batches and of plain frames, and the layout that caps describe."""

from __future__ import annotations

from typing import cast

from gi.repository import Gst, GstVideo

from headrace.errors import FrameError
from headrace.frames.frame import PIXEL_FORMATS, Colorimetry, PixelFormat
from headrace.frames.surface import SurfaceLayout
from headrace.gst.structures import structure_of

_SIZES = "width=[1,2147483647],height=[1,2147483647],framerate=[0/1,2147483647/1]"
_FORMATS = "{" + ",".join(PIXEL_FORMATS) + "}"

#: A batch. The feature's name is DeepStream's, whatever the memory really is, so that programs which spell
#: it work and ordinary elements do not take a batch for a frame.
NVMM = "memory:NVMM"
BATCH_CAPS = Gst.Caps.from_string(f"video/x-raw({NVMM}),format={_FORMATS},{_SIZES}")
FRAME_CAPS = Gst.Caps.from_string(f"video/x-raw,format={_FORMATS},{_SIZES}")
#: Frames of GStreamer's decoders for NVIDIA GPUs, where they are.
CUDA = "memory:CUDAMemory"
CUDA_CAPS = Gst.Caps.from_string(f"video/x-raw({CUDA}),format={{NV12,I420,RGB,BGR,RGBA,BGRx}},{_SIZES}")
ANY_CAPS = Gst.Caps.from_string(";".join(caps.to_string() for caps in (BATCH_CAPS, FRAME_CAPS, CUDA_CAPS)))


def is_batch(caps: Gst.Caps) -> bool:
    """Whether fixed caps describe batches rather than plain frames."""
    return bool(caps.get_features(0).contains(NVMM))


def in_cuda(caps: Gst.Caps, index: int = 0) -> bool:
    """Whether a structure of the caps describes plain frames in CUDA memory."""
    return bool(caps.get_features(index).contains(CUDA))


def without_cuda(caps: Gst.Caps) -> Gst.Caps:
    """The caps less those of plain frames in CUDA memory."""
    kept = Gst.Caps.new_empty()
    for index in range(caps.get_size()):
        if not in_cuda(caps, index):
            kept.append_structure_full(structure_of(caps, index).copy(), caps.get_features(index).copy())
    return kept


def with_feature(caps: Gst.Caps, batch: bool) -> Gst.Caps:
    """A copy of the caps, every structure marked as batches or as plain frames."""
    return _marked(caps, NVMM if batch else None)


def with_cuda(caps: Gst.Caps) -> Gst.Caps:
    """A copy of caps of plain frames, and the same in CUDA memory."""
    both = with_feature(caps, batch=False)
    both.append(_marked(caps, CUDA))
    return both


def _marked(caps: Gst.Caps, feature: str | None) -> Gst.Caps:
    changed = Gst.Caps.new_empty()
    for index in range(caps.get_size()):
        features = Gst.CapsFeatures.new_empty()
        if feature is not None:
            features.add(feature)
        changed.append_structure_full(structure_of(caps, index).copy(), features)
    return changed


def layout_of(caps: Gst.Caps) -> SurfaceLayout:
    """The layout of frames with fixed caps.

    Raises:
        FrameError: The caps are no raw video that Headrace handles.
    """
    info = _video_info(caps)
    if info is None or info.finfo is None or info.finfo.name not in PIXEL_FORMATS or not info.width:
        raise FrameError(f"cannot handle frames of {caps.to_string()}; formats: {', '.join(PIXEL_FORMATS)}")
    planes = info.finfo.n_planes
    color = _colorimetry(info)
    offsets, strides = tuple(info.offset[:planes]), tuple(info.stride[:planes])
    return SurfaceLayout(info.finfo.name, info.width, info.height, offsets, strides, color)


def _video_info(caps: Gst.Caps) -> GstVideo.VideoInfo | None:
    plain = with_feature(caps, batch=False)
    if hasattr(GstVideo.VideoInfo, "new_from_caps"):
        return GstVideo.VideoInfo.new_from_caps(plain)
    info = GstVideo.VideoInfo()
    return info if info.from_caps(plain) else None


_RANGE_0_255 = 1  # GstVideoColorRange; the binding's name for it is no Python identifier


def _colorimetry(info: GstVideo.VideoInfo) -> Colorimetry:
    bt709 = info.colorimetry.matrix == GstVideo.VideoColorMatrix.BT709
    full = int(info.colorimetry.range) == _RANGE_0_255
    return Colorimetry("bt709" if bt709 else "bt601", full)


def pick_format(format: PixelFormat, allowed: Gst.Caps) -> PixelFormat:
    """The given format of batches if downstream takes it, otherwise the first that downstream does take."""
    if allowed.can_intersect(Gst.Caps.from_string(f"video/x-raw({NVMM}),format={format}")):
        return format
    return cast(PixelFormat, structure_of(allowed.fixate(), 0).get_string("format"))


def framerate_of(caps: Gst.Caps) -> tuple[int, int]:
    """Frame rate as a fraction; 0/1 when it varies or is not known."""
    found, numerator, denominator = structure_of(caps, 0).get_fraction("framerate")
    return (numerator, denominator) if found else (0, 1)


def caps_of(layout: SurfaceLayout, framerate: tuple[int, int], batch: bool) -> Gst.Caps:
    """Fixed caps for frames of a layout."""
    text = f"video/x-raw,format={layout.format},width={layout.width},height={layout.height}"
    text += f",framerate={framerate[0]}/{framerate[1]}"
    if layout.format in ("NV12", "I420"):
        text += f",colorimetry={_COLORIMETRY[layout.color]}"
    return with_feature(Gst.Caps.from_string(text), batch)


# range:matrix:transfer:primaries as GStreamer writes them.
_COLORIMETRY = {
    Colorimetry("bt601", False): "bt601",
    Colorimetry("bt709", False): "bt709",
    Colorimetry("bt601", True): "1:4:0:0",
    Colorimetry("bt709", True): "1:3:5:1",
}


# The binding makes the classes of GstVideo when they are first asked for, without a lock: where the threads of many
# sources ask at once, one finds an enumeration without values, or the process ends. So they are asked for here.
layout_of(Gst.Caps.from_string("video/x-raw,format=NV12,width=2,height=2,framerate=1/1"))
