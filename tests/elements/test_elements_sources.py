"""hrsimsrc and nvurisrcbin: scenes with truth, files, broken files, loops, secrets."""

from __future__ import annotations

import time
import wave
from pathlib import Path
from typing import Any

import pytest
from gi.repository import Gst

from headrace.errors import SourceError
from headrace.gst.structures import structure_of
from headrace.meta.user import MetaType
from headrace.source.uri import redacted, to_uri

MUX = "nvstreammux name=m ! fakesink name=sink sync=false"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten frames of H.264 at 25 per second."""
    path = tmp_path_factory.mktemp("clips") / "a clip.mp4"
    pipeline = Gst.parse_launch(
        "videotestsrc num-buffers=10 ! video/x-raw,width=64,height=48,framerate=25/1 ! x264enc ! mp4mux"
        " ! filesink name=f"
    )
    pipeline.get_by_name("f").set_property("location", str(path))
    pipeline.set_state(Gst.State.PLAYING)
    message = pipeline.get_bus().timed_pop_filtered(
        60 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR
    )
    pipeline.set_state(Gst.State.NULL)
    assert message.type == Gst.MessageType.EOS
    return path


def test_truth_rides_on_every_frame(run: Any) -> None:
    one = run(f"hrsimsrc scene=sim://crossroad?width=64&height=48&frames=5&fps=25 ! m.sink_0 {MUX}").to_end()
    assert [frame.frame_number for frame in one.out.frames] == list(range(5))
    assert [frame.buffer_pts for frame in one.out.frames] == [n * 40 * Gst.MSECOND for n in range(5)]
    for frame in one.out.frames:
        (truth,) = frame.user_meta_items(MetaType.SIM_TRUTH)
        assert truth.data is not None
    assert "framerate=(fraction)25/1" in one.out.caps[0]
    assert "width=(int)64" in one.out.caps[0]


def test_a_live_scene_keeps_the_pace_of_a_camera(run: Any) -> None:
    one = run(
        "hrsimsrc is-live=true scene=sim://crossroad?width=32&height=32&frames=6&fps=25 ! fakesink name=s sync=false"
    )
    begun = time.monotonic()
    one.to_end()
    assert one.out.times[-1] - begun > 0.19


@pytest.mark.parametrize(
    ("scene", "expected"), [("sim://moon", "crossroad"), ("sim://crossroad?cars=3", "cars")]
)
def test_a_wrong_scene_is_an_error(run: Any, scene: str, expected: str) -> None:
    error = run(f"hrsimsrc name=s scene={scene} ! m.sink_0 {MUX}").to_error()
    assert error.element == "s"
    assert expected in error.text


@pytest.mark.parametrize("form", ["uri", "path"])
def test_a_file_plays_and_plays_again(run: Any, clip: Path, form: str) -> None:
    one = run(f"nvurisrcbin name=u ! m.sink_0 {MUX}")
    one["u"].set_property("uri", clip.as_uri() if form == "uri" else str(clip))
    for _ in range(2):
        one.to_end()
    assert [frame.frame_number for frame in one.out.frames] == [*range(10), *range(10)]
    assert one.out.pts[:10] == one.out.pts[10:] == [n * 40 * Gst.MSECOND for n in range(10)]


def test_a_looped_file_goes_on_in_time(run: Any, clip: Path) -> None:
    one = run(f"nvurisrcbin name=u file-loop=true ! m.sink_0 {MUX}")
    one["u"].set_property("uri", str(clip))
    one.play().wait(lambda: len(one.out.pts) > 35).stop()
    assert one.messages == []
    assert one.out.pts[:35] == [n * 40 * Gst.MSECOND for n in range(35)]
    assert [frame.frame_number for frame in one.out.frames[:35]] == list(range(35))


def test_a_looped_sound_goes_on_in_time(run: Any, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "tone.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\0\1" * 4000)
    times: list[int] = []

    def note(pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        segment = pad.get_sticky_event(Gst.EventType.SEGMENT, 0).parse_segment()
        times.append(segment.to_running_time(Gst.Format.TIME, info.get_buffer().pts))
        return Gst.PadProbeReturn.OK

    one = run("nvurisrcbin name=u file-loop=true disable-audio=false u. ! audioconvert ! fakesink name=heard")
    one["u"].set_property("uri", str(tmp_path / "tone.wav"))
    one["heard"].get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, note)
    one.play().wait(lambda: bool(times) and times[-1] > 1.6 * Gst.SECOND).stop()
    assert one.messages == []
    assert times == sorted(times)
    assert [next(time for time in times if time >= start) for start in (5 * 10**8, 10**9)] == [
        5 * 10**8,
        10**9,
    ]


def test_every_nth_frame(run: Any, clip: Path) -> None:
    one = run(f"nvurisrcbin name=u drop-frame-interval=4 ! m.sink_0 {MUX}")
    one["u"].set_property("uri", str(clip))
    one.to_end()
    assert [pts // (40 * Gst.MSECOND) for pts in one.out.pts] == [0, 4, 8]


def test_files_that_are_no_video(run: Any, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("this is no video\n" * 40)
    (tmp_path / "empty.mp4").touch()
    for name, expected in (
        ("text.mp4", "text"),
        ("empty.mp4", "empty"),
        ("none.mp4", "does not exist"),
        ("", "folder"),
    ):
        one = run(f"nvurisrcbin name=u ! m.sink_0 {MUX}")
        one["u"].set_property("uri", f"{tmp_path}/{name}")
        error = one.to_error()
        assert error.element == "u"
        assert expected in error.text
        assert str(tmp_path) in error.text


def test_passwords_are_in_no_message(run: Any) -> None:
    one = run(f"nvurisrcbin name=u uri=rtsp://admin:s3cr@t@127.0.0.1:1/live?token=hush ! m.sink_0 {MUX}")
    bus = one.pipeline.get_bus()
    one.play()
    said = ""
    while (message := bus.timed_pop(60 * Gst.SECOND)) is not None:
        structure = structure_of(message)
        said += structure.to_string() if structure is not None else ""
        if message.type == Gst.MessageType.ERROR:
            break
    one.stop()
    assert "127.0.0.1" in said
    for secret in ("s3cr", "t@127", "hush"):
        assert secret not in said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rtsp://a:b@h/1", "rtsp://***@h/1"),
        ("rtsp://a:b@c@h/1", "rtsp://***@h/1"),
        ("RTSP://a:b/c@h/1 and http://u@g/", "RTSP://***@h/1 and http://***@g/"),
        ("http://h:80/x@y", "http://h:80/x@y"),
        ("http://h/v?user=a&password=b&n=1", "http://h/v?user=a&password=***&n=1"),
        ("/videos/a@b.mp4", "/videos/a@b.mp4"),
    ],
)
def test_redaction(text: str, expected: str) -> None:
    assert redacted(text) == expected


def test_addresses(clip: Path) -> None:
    assert to_uri(str(clip)) == clip.as_uri()
    assert to_uri(clip.as_uri()) == clip.as_uri()
    assert to_uri("/dev/null") == "v4l2:///dev/null"
    for wrong in ("", "gopher://h/x"):
        with pytest.raises(SourceError):
            to_uri(wrong)
