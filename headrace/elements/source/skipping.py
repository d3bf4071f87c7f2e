"""Coded frames that are left out before they cost a decoder's time."""

from __future__ import annotations

from typing import Any

from gi.repository import Gst

from headrace.gst.face import Face

SKIP_NOTHING, SKIP_UNREFERENCED, SKIP_ALL_BUT_KEYS = 0, 1, 2


class SkipFrames:
    """Drops coded frames in front of a decoder.

    Args:
        owner: The element that reports errors.
        pad: The decoder's sink pad.
        what: `SKIP_UNREFERENCED` or `SKIP_ALL_BUT_KEYS`.
        structure: The stream's caps, which say how it is written.
    """

    def __init__(self, owner: Face, pad: Gst.Pad, what: int, structure: Any) -> None:
        self._what, self._codec = what, structure.get_name().rpartition("-")[2]
        self._start_codes = structure.get_string("stream-format") == "byte-stream"
        pad.add_probe(Gst.PadProbeType.BUFFER, owner.guarded(self._probe, Gst.PadProbeReturn.OK))

    def _probe(self, _pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        buffer = info.get_buffer()
        delta = buffer.has_flags(Gst.BufferFlags.DELTA_UNIT)
        skip = delta
        if delta and self._what == SKIP_UNREFERENCED:
            skip = unreferenced(buffer.extract_dup(0, _HEAD), self._codec, self._start_codes)
        return Gst.PadProbeReturn.DROP if skip else Gst.PadProbeReturn.OK


#: Bytes in which the first slice of a frame begins; parameter sets and messages come before it.
_HEAD = 4096


def unreferenced(data: bytes, codec: str, start_codes: bool) -> bool:
    """Whether no other frame is predicted from a coded frame (H.264 §7.4.1 nal_ref_idc, H.265 table 7-1).

    Args:
        data: The frame, at least up to its first slice.
        codec: ``h264`` or ``h265``; of others nothing is known.
        start_codes: Units begin with start codes, not with their length in four bytes.
    """
    position = 0
    while codec in ("h264", "h265") and position >= 0:
        head = _start(data, position) if start_codes else position + 4
        if not 0 <= head < len(data):
            break
        if codec == "h264" and 1 <= data[head] & 0x1F <= 5:
            return data[head] & 0x60 == 0
        kind = data[head] >> 1 & 0x3F
        if codec == "h265" and kind < 32:
            return kind < 16 and kind % 2 == 0
        position = head if start_codes else head + int.from_bytes(data[head - 4 : head], "big")
    return False


def _start(data: bytes, position: int) -> int:
    found = data.find(b"\x00\x00\x01", position)
    return found + 3 if found >= 0 else -1
