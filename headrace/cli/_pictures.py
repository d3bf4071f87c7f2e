"""Pictures for commands: read from files and clips, drawn on, laid side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headrace.cli._terminal import out
from headrace.errors import ConfigError, HeadraceError
from headrace.frames import Frame
from headrace.infer import Result

Picture = NDArray[np.uint8]
_SHEET_WIDTH = 1920
_SECOND = 1_000_000_000


def read_image(path: Path) -> Picture:
    """A picture file as BGR.

    Raises:
        ConfigError: It cannot be read.
    """
    import cv2

    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise ConfigError(f"{path} is no picture that can be read; give a PNG or JPEG file")
    return np.ascontiguousarray(picture, np.uint8)


def read_clip(source: str, count: int) -> list[Picture]:
    """Frames of a clip as BGR, spread evenly; of a source without a length the first of each second.

    Raises:
        SourceError: The file does not exist.
        PipelineError: It cannot be opened or decoded.
    """
    from headrace.flow.media.frame_reader import FrameReader
    from headrace.flow.media.info import MediaInfo

    duration = MediaInfo.discover(source).duration
    step = duration // count if duration > 0 else _SECOND
    pictures: list[Picture] = []
    with FrameReader(source) as reader:
        for time, copy in reader.read():
            if time >= len(pictures) * step:
                pictures.append(np.ascontiguousarray(copy().numpy()[..., ::-1]))
            if len(pictures) == count:
                break
    return pictures


def draw(picture: Picture, result: Result) -> Picture:
    """A copy of a picture with what a model found: classes of pixels, boxes, masks, keypoints, labels."""
    from headrace.draw import paint_segmentation
    from headrace.elements.inference.results import ResultSettings, Target, write_result
    from headrace.elements.overlay import Overlay, OverlayOptions
    from headrace.meta.batch import Batch, BatchMetadata

    frame = Frame.from_array(picture.copy(), "BGR")
    if result.segmentation is not None:
        painted = paint_segmentation(result.segmentation.class_map, (frame.width, frame.height), frame)
        frame = Frame.from_array(np.ascontiguousarray(painted.planes[0][..., 2::-1]), "BGR")
    meta = BatchMetadata.new(1)
    meta.frames[0].pipeline_width, meta.frames[0].pipeline_height = frame.width, frame.height
    write_result(Batch(meta, []), Target(0), result, ResultSettings())
    Overlay(OverlayOptions(by_class=True)).draw(frame, meta, 0)
    return frame.planes[0]


def sheet(pictures: Sequence[Picture]) -> Picture:
    """Pictures of one size side by side; one alone as it is."""
    import cv2

    if len(pictures) == 1:
        return pictures[0]
    columns = math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    height, width = pictures[0].shape[:2]
    scale = min(1.0, _SHEET_WIDTH / (columns * width))
    size = round(width * scale), round(height * scale)
    whole = np.zeros((rows * size[1], columns * size[0], 3), np.uint8)
    for number, picture in enumerate(pictures):
        top, left = number // columns * size[1], number % columns * size[0]
        whole[top : top + size[1], left : left + size[0]] = cv2.resize(
            picture, size, interpolation=cv2.INTER_AREA
        )
    return whole


def write(picture: Picture, path: Path) -> None:
    """Write a picture file.

    Raises:
        ConfigError: Its suffix is no picture's.
        HeadraceError: It cannot be written.
    """
    import cv2

    try:
        fine = cv2.imwrite(str(path), picture)
    except cv2.error as error:
        raise ConfigError(f"cannot write {path}: {' '.join(str(error).split())}") from error
    if not fine:
        raise HeadraceError(f"cannot write {path}; check folder, permissions and space")
    out.print(f"drawn: {path}", markup=False)
