"""Decoders, encoders and test pictures: what is plugged, what comes out, what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gi.repository import Gst

from headrace.elements.base import parts
from headrace.elements.encoder import parse_qp_range
from headrace.elements.source import decoding
from headrace.elements.source.skipping import unreferenced
from headrace.errors import ConfigError
from headrace.meta.batch import Batch

PICTURES = "videotestsrc num-buffers=10 ! video/x-raw,format={},width=64,height=48,framerate=25/1"
I420 = PICTURES.format("I420")
SINK = "fakesink name=sink sync=false"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten frames of H.264 and a tone."""
    path = tmp_path_factory.mktemp("clips") / "a clip.mkv"
    pipeline = Gst.parse_launch(
        f"{I420} ! x264enc ! matroskamux name=m ! filesink name=f audiotestsrc num-buffers=10 ! avenc_aac ! m."
    )
    pipeline.get_by_name("f").set_property("location", str(path))
    pipeline.set_state(Gst.State.PLAYING)
    pipeline.get_bus().timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.EOS)
    pipeline.set_state(Gst.State.NULL)
    return path


@pytest.mark.parametrize(
    "encoder",
    ["x264enc", "x265enc ! h265parse", "vp8enc", "vp9enc", "avenc_mpeg4 ! mpeg4videoparse", "jpegenc"],
)
def test_every_format_becomes_frames_with_deepstreams_feature(run: Any, encoder: str) -> None:
    one = run(f"{I420} ! {encoder} ! nvv4l2decoder ! {SINK}").to_end()
    assert len(one.out.pts) == 10
    assert one.out.caps[0].startswith("video/x-raw(memory:NVMM), format=(string)I420, width=(int)64")


@pytest.mark.parametrize("format", ["Y42B", "Y444", "I420_10LE"])
def test_formats_that_are_not_handled_are_converted(run: Any, format: str) -> None:
    one = run(f"{PICTURES.format(format)} ! x264enc ! nvv4l2decoder ! m.sink_0 nvstreammux name=m ! {SINK}")
    batch = one.to_end().out.payloads[0]
    assert isinstance(batch, Batch)
    assert batch.surfaces[0].frame().format in ("I420", "NV12")


def test_uridecodebin_plugs_it_under_a_name_that_programs_look_for(run: Any, clip: Path) -> None:
    one = run(f"nvvideoconvert name=c ! video/x-raw(memory:NVMM),format=RGBA ! {SINK}")
    source = Gst.ElementFactory.make("uridecodebin", "src")
    source.set_property("uri", clip.as_uri())
    children: list[str] = []
    features: list[str] = []

    def added(_bin: Any, child: Any, name: str) -> None:
        children.append(name)
        if name.startswith("decodebin"):
            child.connect("child-added", added)
        if name.startswith("nvv4l2decoder"):
            child.set_property("gpu_id", 0)
            child.set_property("cudadec-memtype", 2)

    def pad_added(_source: Any, pad: Any) -> None:
        caps = pad.get_current_caps() or pad.query_caps()
        if caps.get_structure(0).get_name().startswith("video"):
            features.append(caps.get_features(0).to_string())
            pad.link(one["c"].get_static_pad("sink"))

    source.connect("child-added", added)
    source.connect("pad-added", pad_added)
    one.pipeline.add(source)
    one.to_end()
    assert "source" in children
    assert any(name.startswith("nvv4l2decoder") for name in children)
    assert features == ["memory:NVMM"]
    assert len(one.out.pts) == 10
    assert "format=(string)RGBA" in one.out.caps[0]


def test_a_decoder_serves_again_after_it_was_stopped(run: Any) -> None:
    one = run(f"{I420} ! x264enc ! nvv4l2decoder ! {SINK}")
    one.to_end()
    one.to_end()
    assert len(one.out.pts) == 20


def test_seeking_back_decodes_again(run: Any, clip: Path) -> None:
    one = run(f'filesrc location="{clip}" ! matroskademux ! h264parse ! nvv4l2decoder ! {SINK}')
    one.play().wait()
    one.pipeline.seek_simple(Gst.Format.TIME, Gst.SeekFlags.FLUSH, 0)
    one.wait().stop()
    assert one.errors == []
    assert len(one.out.pts) == 20


def test_another_format_in_the_middle_gets_another_decoder(run: Any) -> None:
    one = run(
        f"concat name=c ! nvv4l2decoder name=d ! {SINK} "
        f"{I420} ! x264enc key-int-max=1 ! c. {I420} ! jpegenc ! c."
    ).to_end()
    assert one["d"].decoder.get_factory().get_name() == "jpegdec"
    assert len(one.out.pts) == 20


def test_frames_can_be_left_out(run: Any) -> None:
    coded = f"{I420.replace('=10', '=12')} ! x264enc key-int-max=4 bframes=0"
    assert len(run(f"{coded} ! nvv4l2decoder skip-frames=2 ! {SINK}").to_end().out.pts) == 3
    assert len(run(f"{coded} ! nvv4l2decoder drop-frame-interval=3 ! {SINK}").to_end().out.pts) == 4
    spare = "x264enc key-int-max=30 bframes=2 b-adapt=false b-pyramid=false rc-lookahead=4"
    few = run(f"{I420.replace('=10', '=12')} ! {spare} ! nvv4l2decoder skip-frames=1 ! {SINK}").to_end()
    assert 4 <= len(few.out.pts) < 8


def test_which_frames_nobody_refers_to() -> None:
    code = b"\0\0\0\1"
    assert unreferenced(code + b"\x09\xf0" + code + b"\x01xx", "h264", True)
    assert not unreferenced(code + b"\x41xx", "h264", True)
    assert unreferenced(b"\0\0\0\2\x06x" + b"\0\0\0\3\x01xx", "h264", False)
    assert unreferenced(code + b"\x00\x01x", "h265", True)
    assert not unreferenced(code + b"\x02\x01x", "h265", True)
    assert not unreferenced(b"anything", "vp8", True)


def test_a_missing_decoder_names_its_package(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding.Gst.ElementFactory, "list_get_elements", lambda *_: [])
    error = run(f"{I420} ! x264enc ! nvv4l2decoder name=d ! {SINK}").to_error()
    assert error.element == "d"
    assert "apt install gstreamer1.0-libav" in error.text


@pytest.mark.parametrize(
    ("encoder", "settings", "parser", "caps"),
    [
        ("nvv4l2h264enc", "bitrate=500000 profile=4 iframeinterval=5 preset-level=2 insert-sps-pps=1",
         "h264parse", "video/x-h264, stream-format=(string)byte-stream"),
        ("nvv4l2h264enc", "bufapi-version=1 qp-range=20,40:20,40:20,40", "h264parse", "baseline"),
        ("nvv4l2h265enc", "bitrate=500000", "h265parse", "video/x-h265, stream-format=(string)byte-stream"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("source", ["system", "NVMM", "batches"])
def test_frames_and_batches_are_encoded(
    run: Any, encoder: str, settings: str, parser: str, caps: str, source: str
) -> None:
    way = {
        "system": PICTURES.format("BGRx"),
        "NVMM": f"{I420} ! nvvideoconvert ! video/x-raw(memory:NVMM),format=RGBA",
        "batches": f"{I420} ! m.sink_0 nvstreammux name=m ! nvosdbin",
    }[source]
    coded = run(f"{way} ! {encoder} {settings} ! {SINK}").to_end()
    assert len(coded.out.pts) == 10
    assert caps in coded.out.caps[0]
    again = run(f"{way} ! {encoder} {settings} ! {parser} ! nvv4l2decoder ! {SINK}").to_end()
    assert len(again.out.pts) == 10


@pytest.mark.parametrize(("encoder", "parameters"), [("nvv4l2h264enc", 0x67), ("nvv4l2h265enc", 0x40)])
def test_a_stream_can_be_joined_at_every_key_frame(run: Any, encoder: str, parameters: int) -> None:
    one = run(f"{I420} ! {encoder} iframeinterval=5 ! {SINK}", keep_data=True).to_end()
    assert b"".join(one.out.data).count(b"\0\0\1" + bytes([parameters])) >= 2


def test_the_bit_rate_changes_while_playing(run: Any) -> None:
    one = run(f"{I420} ! nvv4l2h264enc name=e bitrate=1000000 ! {SINK}")
    one.play().wait()
    one["e"].set_property("bitrate", 2_500_000)
    assert one["e"].encoder.get_property("bitrate") == 2500


@pytest.mark.parametrize(
    ("setting", "expected"),
    [("profile=3", "profile=3"), ("qp-range=a,b", "min,max"), ("qp-range=40,20", "0 to 51")],
)
def test_wrong_settings_of_an_encoder_are_named(run: Any, setting: str, expected: str) -> None:
    assert expected in run(f"{I420} ! nvv4l2h264enc {setting} ! {SINK}").to_error().text


def test_a_missing_encoder_names_its_package(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one = run(f"{I420} ! nvv4l2h264enc name=e ! {SINK}")
    monkeypatch.setattr(parts.Gst.ElementFactory, "find", lambda _name: None)
    error = one.to_error()
    assert error.element == "e"
    assert "x264enc or openh264enc is missing; run: apt install gstreamer1.0-plugins-ugly" in error.text


def test_quantizers() -> None:
    assert parse_qp_range("10,40:12,45") == (10, 40)
    assert parse_qp_range("") is None
    with pytest.raises(ConfigError, match="min,max"):
        parse_qp_range("10")


def test_jpeg_pictures_there_and_back(run: Any) -> None:
    line = f"{I420} ! nvjpegenc quality=95 ! nvimagedec ! nvimageenc ! jpegparse ! nvjpegdec ! {SINK}"
    one = run(line).to_end()
    assert len(one.out.pts) == 10
    assert "memory:NVMM)" in one.out.caps[0]
    assert "format=(string)I420" in one.out.caps[0]
    rgb = run(f"{I420} ! nvjpegenc ! nvimagedec ! {SINK}").to_end()
    assert "format=(string)RGB" in rgb.out.caps[0]


def test_the_quality_counts(run: Any) -> None:
    sizes = [sum(run(f"{I420} ! nvimageenc quality={q} ! {SINK}").to_end().out.sizes) for q in (5, 95)]
    assert sizes[0] * 2 < sizes[1]


@pytest.mark.parametrize("pattern", [0, 1, 2])
def test_test_pictures_go_into_the_muxer(run: Any, pattern: int) -> None:
    source = f"nvvideotestsrc num-buffers=3 pattern={pattern} horizontal-speed=2"
    one = run(
        f"{source} ! video/x-raw(memory:NVMM),width=64,height=48 ! m.sink_0 nvstreammux name=m ! {SINK}"
    )
    assert [frame.frame_number for frame in one.to_end().out.frames] == [0, 1, 2]


def test_an_overlay_lets_frames_without_metadata_pass(run: Any) -> None:
    line = "nvvideotestsrc num-buffers=3 ! nvdsosd ! queue ! nvosdbin ! nvtracker ! nvvideoconvert"
    assert len(run(f"{line} ! video/x-raw,format=I420 ! {SINK}").to_end().out.pts) == 3
