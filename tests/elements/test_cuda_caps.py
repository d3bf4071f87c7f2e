"""Which caps and streams go through CUDA memory; no GPU is needed to tell."""

from __future__ import annotations

import pytest
from gi.repository import Gst

from headrace.elements.base.caps import (
    ANY_CAPS,
    CUDA_CAPS,
    FRAME_CAPS,
    in_cuda,
    layout_of,
    with_cuda,
    without_cuda,
)
from headrace.elements.base.negotiation import choose_caps
from headrace.elements.source.gpu_decoder import gpu_decoders, gpu_decoding_parts, stays_on_device

SIZE = "width=(int)64,height=(int)48,framerate=(fraction)25/1"
CUDA = Gst.Caps.from_string(f"video/x-raw(memory:CUDAMemory),format=NV12,{SIZE}")
PLAIN = Gst.Caps.from_string(f"video/x-raw,format=NV12,{SIZE}")
H264 = "video/x-h264,stream-format=avc,alignment=au,profile=high"


def test_frames_in_cuda_memory_are_passed_on_as_they_are() -> None:
    assert choose_caps(CUDA, ANY_CAPS).is_equal(CUDA)
    assert choose_caps(CUDA, Gst.Caps.new_any()).is_equal(CUDA)


def test_who_takes_no_cuda_memory_gets_host_memory() -> None:
    chosen = choose_caps(CUDA, FRAME_CAPS)
    assert not in_cuda(chosen)
    assert layout_of(chosen) == layout_of(CUDA)


def test_frames_in_cuda_memory_are_never_made() -> None:
    assert choose_caps(PLAIN, CUDA_CAPS) is None
    larger = Gst.Caps.from_string("video/x-raw(memory:CUDAMemory),width=128;video/x-raw,width=128")
    assert not in_cuda(choose_caps(CUDA, larger))


def test_caps_with_and_without() -> None:
    both = with_cuda(PLAIN)
    assert [in_cuda(both, index) for index in range(both.get_size())] == [False, True]
    assert without_cuda(both).is_equal(PLAIN)


@pytest.mark.parametrize(
    ("stream", "stays"),
    [
        (f"{H264},chroma-format=4:2:0,bit-depth-luma=(uint)8", True),
        (f"{H264},chroma-format=4:2:2,bit-depth-luma=(uint)8", False),
        ("video/x-h265,chroma-format=4:2:0,bit-depth-luma=(uint)10", False),
        (H264, False),
        ("video/x-vp8", True),
        ("video/x-vp9", False),
    ],
)
def test_only_8_bits_and_420_stay_on_the_gpu(stream: str, stays: bool) -> None:
    assert stays_on_device(Gst.Caps.from_string(stream)) is stays


def test_no_decoder_of_a_gpu_that_is_not_there() -> None:
    assert gpu_decoders(99) == []
    assert gpu_decoding_parts(Gst.Caps.from_string(H264), 99) == []
