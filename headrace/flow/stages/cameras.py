"""Cameras of this machine as streams."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from headrace.errors import ConfigError
from headrace.flow.source_config import CameraInfo
from headrace.flow.stages.building import Element, chain
from headrace.flow.stream import MediaType, StreamInfo, node_name

if TYPE_CHECKING:
    from headrace.flow.flow import Flow

_NEEDED = ("camera_width", "camera_height", "camera_fps_n", "camera_fps_d")


def add_cameras(flow: Flow, cameras: Sequence[CameraInfo]) -> list[StreamInfo]:
    """A source with its converter for each camera.

    Raises:
        ConfigError: A camera lacks its size, rate or number.
    """
    base = node_name("batch_capture", "source")
    streams = []
    for index, camera in enumerate(cameras):
        factory, properties = _source(index, camera)
        name = f"{base}_{index}"
        flow.pipeline.add(factory, name, properties)
        end = chain(flow, "batch_capture", StreamInfo(name), _frames(camera))
        streams.append(StreamInfo(end, "", MediaType.VIDEO.value))
    return streams


def _source(index: int, camera: CameraInfo) -> tuple[str, dict[str, Any]]:
    missing = [name for name in _NEEDED if not getattr(camera, name)]
    number = "camera_csi_sensor_id" if camera.camera_type == "CSI" else "camera_v4l2_dev_node"
    if camera.camera_type not in ("CSI", "V4L2"):
        missing.append("camera_type (CSI or V4L2)")
    elif getattr(camera, number) is None:
        missing.append(number)
    if missing:
        raise ConfigError(f"camera-list[{index}] needs {', '.join(missing).replace('_', '-')}")
    if camera.camera_type == "V4L2":
        return "v4l2src", {"device": f"/dev/video{camera.camera_v4l2_dev_node}"}
    if platform.processor() == "aarch64":
        return "nvarguscamerasrc", {"sensor-id": camera.camera_csi_sensor_id}
    # There are no CSI cameras elsewhere; DeepStream's programs show a test picture then.
    return "videotestsrc", {"is-live": True}


def _frames(camera: CameraInfo) -> list[Element]:
    size = (
        f"width={camera.camera_width}, height={camera.camera_height}, "
        f"framerate={camera.camera_fps_n}/{camera.camera_fps_d}"
    )
    hardware = {
        "gpu-id": camera.gpu_id,
        "nvbuf-memory-type": camera.nvbuf_mem_type,
        "copy-hw": camera.nvvideoconvert_copy_hw,
    }
    batch = f"video/x-raw(memory:NVMM), format={camera.camera_video_format}, {size}"
    given: list[Element] = []
    if camera.camera_type == "V4L2":
        given = [("capsfilter", "caps", {"caps": f"video/x-raw, {size}"}), ("videoconvert", "format", {})]
    return [*given, ("nvvideoconvert", "converter", hardware), ("capsfilter", "caps", {"caps": batch})]
