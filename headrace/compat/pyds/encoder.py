"""JPEG pictures of objects and frames (pyds, §1.5)."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.compat.pyds.enums import NvDsMetaType
from headrace.compat.pyds.fields import Struct, chars_field, flag_field, whole_field
from headrace.compat.pyds.frames import NvDsFrameMeta
from headrace.compat.pyds.handles import Handle, expect
from headrace.compat.pyds.memory import free_buffer, keep, register, thing_at
from headrace.compat.pyds.objects import NvDsObjectMeta
from headrace.compat.pyds.surfaces import surface_at
from headrace.compat.pyds.user import PooledUserMetadata
from headrace.frames import to_bgr
from headrace.paths import resolve

_log = logging.getLogger(__name__)

_QUALITY = 80
_NAME_LENGTH = 1024


class NvDsObjEncUsrArgs(Struct):
    """What to do with one object.

    ``quality`` is 1–100, 0 for the default of 80. With ``scaleImg`` the picture gets ``scaledWidth`` x ``scaledHeight``
    pixels. An empty ``fileNameImg`` is made of frame, source and object number, in the current folder.
    """

    __slots__ = ()
    saveImg, attachUsrMeta, scaleImg, isFrame, calcEncodeTime = (flag_field() for _ in range(5))
    scaledWidth, scaledHeight, objNum, quality = (whole_field() for _ in range(4))
    fileNameImg = chars_field(_NAME_LENGTH)


class NvDsObjEncOutParams(Handle):
    """An encoded picture, the data of an `NVDS_CROP_IMAGE_META`."""

    __slots__ = ("_bytes",)

    def __init__(self, picture: NDArray[np.uint8] | None = None) -> None:
        self._bytes = np.empty(0, np.uint8) if picture is None else picture

    @classmethod
    def _seen_in(cls, thing: Any) -> NvDsObjEncOutParams | None:
        return cls(thing) if isinstance(thing, np.ndarray) and thing.dtype == np.uint8 else None

    def _stored(self) -> NDArray[np.uint8]:
        return self._bytes

    def outBuffer(self) -> NDArray[np.uint8]:
        """The JPEG file's bytes."""
        return self._bytes


class _Context:
    """An encoder; keeps nothing, because pictures are made at once."""

    __slots__ = ("__weakref__",)


def nvds_obj_enc_create_context(gpu_id: int = 0) -> int:
    """A number that stands for an encoder, to be given back by `nvds_obj_enc_destroy_context`."""
    context = _Context()
    return keep(register(id(context), context), context)


def nvds_obj_enc_process(
    ctx: int, args: NvDsObjEncUsrArgs, gst_buffer: int, obj_meta: NvDsObjectMeta, frame_meta: NvDsFrameMeta
) -> bool:
    """Make a JPEG picture of an object, or of the whole frame with ``args.isFrame``; at once, on the calling thread.

    Returns:
        Whether there was something to encode: an object outside of its frame has no pixels.

    Raises:
        ValueError: The encoder or the buffer is gone.
        RuntimeError: The buffer carries no batch of frames.
        OSError: The file cannot be written.
    """
    _check(ctx)
    wishes = expect(args, NvDsObjEncUsrArgs, "nvds_obj_enc_process")
    frame = expect(frame_meta, NvDsFrameMeta, "nvds_obj_enc_process")
    thing = None if wishes.isFrame else expect(obj_meta, NvDsObjectMeta, "nvds_obj_enc_process")
    started = time.perf_counter()
    picture = to_bgr(surface_at(gst_buffer, frame.batch_id).frame())
    if thing is not None:
        picture = _cut(picture, thing)
    if not picture.size:
        return False
    jpeg = _encode(picture, wishes)
    if wishes.calcEncodeTime:
        _log.info("object %d was encoded in %.2f ms", wishes.objNum, 1000 * (time.perf_counter() - started))
    if wishes.saveImg:
        name = wishes.fileNameImg or _name(frame, wishes.objNum)
        Path(resolve(name)).write_bytes(jpeg.tobytes())
    if wishes.attachUsrMeta:
        meta = PooledUserMetadata(NvDsMetaType.NVDS_CROP_IMAGE_META, jpeg)
        if thing is None:
            frame._p.append(meta)
        else:
            thing._object.append(meta)
    return True


def nvds_obj_enc_finish(ctx: int) -> None:
    """Wait for pictures that are under way; there are none."""
    _check(ctx)


def nvds_obj_enc_destroy_context(ctx: int) -> None:
    """Give an encoder back."""
    _check(ctx)
    free_buffer(ctx)


def _check(ctx: int) -> None:
    if not isinstance(thing_at(ctx), _Context):
        raise ValueError(f"{ctx:#x} is no encoder; make one with nvds_obj_enc_create_context")


def _cut(picture: NDArray[np.uint8], thing: NvDsObjectMeta) -> NDArray[np.uint8]:
    box = thing.rect_params
    left, top = max(int(box.left), 0), max(int(box.top), 0)
    return picture[top : max(int(box.top + box.height), 0), left : max(int(box.left + box.width), 0)]


def _encode(picture: NDArray[np.uint8], wishes: NvDsObjEncUsrArgs) -> NDArray[np.uint8]:
    if wishes.scaleImg and wishes.scaledWidth > 0 and wishes.scaledHeight > 0:
        size = (wishes.scaledWidth, wishes.scaledHeight)
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    quality = min(max(wishes.quality or _QUALITY, 1), 100)
    _, jpeg = cv2.imencode(".jpg", np.ascontiguousarray(picture), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(jpeg, np.uint8).reshape(-1)


def _name(frame: NvDsFrameMeta, number: int) -> str:
    return f"frame-{frame.frame_num}_source-{frame.source_id}_object-{number}.jpg"
