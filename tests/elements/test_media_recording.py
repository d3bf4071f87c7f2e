"""nvurisrcbin's recordings, reconnecting and sound, against a real RTSP server on the loopback address."""

from __future__ import annotations

import ctypes
import itertools
import threading
from pathlib import Path
from typing import Any

import gi
import pytest
from gi.repository import Gst
from waiting import wait_until

from headrace import Pipeline
from headrace.elements.source.reconnecting import EXCEEDED
from headrace.elements.source.recording_file import RecordingFile
from headrace.gst.recording import RecordingInfoStruct, address_of, pointer_to

gi.require_version("GstPbutils", "1.0")
from gi.repository import GstPbutils  # noqa: E402 - the version must be chosen first

MUX = "m.sink_0 nvstreammux name=m batch-size=1 live-source=true ! fakesink name=sink sync=false async=false"
STREAM = "nvvideotestsrc is-live=1 ! video/x-raw(memory:NVMM),width=64,height=48,framerate=25/1"


@pytest.fixture
def serve(run: Any) -> Any:
    def start(port: int = 0) -> Any:
        one = run(
            f"{STREAM} ! nvrtspoutsinkbin name=out rtsp-port={port} rtsp-mount-point=/s iframeinterval=10"
        )
        return one.play().wait(until=lambda: one["out"].stream)

    return start


def watch(run: Any, address: str, settings: str) -> Any:
    return run(f"nvurisrcbin name=source uri={address} latency=0 select-rtp-protocol=4 {settings} ! {MUX}")


def recordings(one: Any) -> list[dict[str, Any]]:
    """What ``sr-done`` told, copied while it was there."""
    done: list[dict[str, Any]] = []

    def told(_element: Any, info: Any, _user: Any) -> None:
        at = RecordingInfoStruct.from_address(address_of(info))
        done.append({name: getattr(at, name) for name, _ in at._fields_})

    one["source"].connect("sr-done", told)
    return done


def length_of(path: Path) -> float:
    info = GstPbutils.Discoverer.new(60 * Gst.SECOND).discover_uri(path.as_uri())
    return float(info.get_duration() / Gst.SECOND)


@pytest.mark.parametrize(("container", "ending"), [(0, "mp4"), (1, "mkv")])
def test_the_past_and_the_future_are_recorded(
    run: Any, serve: Any, tmp_path: Path, container: int, ending: str
) -> None:
    server = serve()
    smart = f"smart-record=1 smart-rec-dir-path={tmp_path} smart-rec-file-prefix=Gate smart-rec-container={container}"
    one = watch(run, server["out"].stream.address, smart)
    done = recordings(one)
    one.play().wait(until=lambda: len(one.out.pts) > 30)
    session = ctypes.c_uint32(0)
    one["source"].emit("start-sr", pointer_to(session), 1, 1, None)
    assert session.value > 0
    assert one["source"].get_property("smart-rec-status") is True
    assert one["source"].start_recording(1, 1) == 0
    one.wait(until=lambda: done)
    assert one["source"].get_property("smart-rec-status") is False
    (info,) = done
    path = Path(info["file_directory"].decode()) / info["file_name"].decode()
    assert path.parent == tmp_path
    assert path.name.startswith(f"Gate_{session.value:05d}_")
    assert path.suffix == f".{ending}"
    assert (info["session_id"], info["container_type"]) == (session.value, container)
    assert (info["width"], info["height"], info["contains_video"], info["contains_audio"]) == (64, 48, 1, 0)
    # Where the server stood still, the stream did, too.
    steps = [(after - before) / Gst.SECOND for before, after in itertools.pairwise(one.out.pts)]
    still = sum(step for step in steps if step > 0.1)
    assert 1.5 < info["duration"] / 1000 < 3.5 + still
    assert 1.5 < length_of(path) < 3.5 + still


def test_a_recording_is_ended_by_the_program(run: Any, serve: Any, tmp_path: Path) -> None:
    one = watch(run, serve()["out"].stream.address, f"smart-record=2 smart-rec-dir-path={tmp_path}")
    done = recordings(one)
    one.play().wait(until=lambda: len(one.out.pts) > 5)
    session = one["source"].start_recording(0, 100)
    assert not one["source"].stop_recording(session + 1)
    one["source"].emit("stop-sr", session)
    one.wait(until=lambda: done)
    assert done[0]["duration"] < 90_000  # of 100 s
    assert one["source"].start_recording(0, 100) > session
    one.stop()
    wait_until(lambda: len(done) == 2, 60)
    assert len(list(tmp_path.iterdir())) == 2


def test_recordings_that_cannot_be_are_refused_with_the_reason(run: Any, serve: Any, tmp_path: Path) -> None:
    address = serve()["out"].stream.address
    off = watch(run, address, "")
    assert off["source"].start_recording(0, 1) == 0
    off.play().wait(until=lambda: off.of("warning"))
    assert "smart-record=1" in off.of("warning")[0].text
    nowhere = watch(run, address, f"smart-record=1 smart-rec-dir-path={tmp_path}/none")
    nowhere.play().wait(until=lambda: len(nowhere.out.pts) > 3)
    assert nowhere["source"].start_recording(0, 1) == 0
    nowhere.wait(until=lambda: nowhere.of("warning"))
    assert "is no folder" in nowhere.of("warning")[0].text


def test_files_are_recorded_with_their_sound(run: Any, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    run(
        "videotestsrc num-buffers=100 ! video/x-raw,width=64,height=48,framerate=25/1 ! x264enc key-int-max=10 ! "
        f"mp4mux name=m ! filesink location={clip} "
        "audiotestsrc num-buffers=172 ! audio/x-raw,rate=44100,channels=2 ! avenc_aac ! m."
    ).to_end()
    one = run(
        f"nvurisrcbin name=source uri={clip} disable-audio=false smart-record=1 smart-rec-dir-path={tmp_path} "
        f"source.vsrc_0 ! m.sink_0 nvstreammux name=m ! fakesink name=sink sync=true "
        "source.asrc_0 ! fakesink name=sound sync=true"
    )
    done = recordings(one)
    one.play().wait(until=lambda: len(one.out.pts) > 10 and len(one.outputs["sound"].pts) > 10)
    assert one["source"].start_recording(5, 1) > 0
    one.wait(until=lambda: done)
    assert one.errors == []
    assert (done[0]["contains_audio"], done[0]["channels"], done[0]["sampling_rate"]) == (1, 2, 44100)
    info = GstPbutils.Discoverer.new(60 * Gst.SECOND).discover_uri(
        (tmp_path / done[0]["file_name"].decode()).as_uri()
    )
    assert len(info.get_audio_streams()) == len(info.get_video_streams()) == 1


def test_a_server_that_comes_back_is_found_again(run: Any, serve: Any) -> None:
    server = serve()
    port = server["out"].stream.server.port
    one = watch(run, server["out"].stream.address, "rtsp-reconnect-interval=1")
    one.play().wait(until=lambda: len(one.out.pts) > 5)
    server.stop()
    one.wait(until=lambda: any("opened again" in warning.text for warning in one.of("warning")))
    seen = len(one.out.pts)
    serve(port)
    one.wait(until=lambda: len(one.out.pts) > seen + 5)
    assert one.errors == []
    assert one.of("eos") == []


def test_a_server_that_stays_away_ends_the_pipeline(run: Any) -> None:
    one = watch(run, "rtsp://127.0.0.1:1/none", "init-rtsp-reconnect-interval=1 rtsp-reconnect-attempts=1")
    assert EXCEEDED in one.to_error().text
    assert "opened again (1)" in "".join(warning.text for warning in one.of("warning"))


def test_without_reconnecting_a_lost_server_is_an_error_at_once(run: Any) -> None:
    error = watch(run, "rtsp://127.0.0.1:1/none", "").to_error()
    assert "rtsp://127.0.0.1:1/none" in error.text


def test_the_old_name_of_the_cache_counts(run: Any) -> None:
    one = watch(run, "rtsp://127.0.0.1:1/none", "smart-rec-video-cache=7")
    assert one["source"].get_property("smart-rec-cache") == 7


def test_a_pipeline_records_and_tells_what_it_recorded(tmp_path: Path, serve: Any) -> None:
    server = serve()
    pipeline = Pipeline("recording")
    pipeline.add("nvurisrcbin", "source", {
        "uri": server["out"].stream.address, "smart-record": 1, "smart-rec-dir-path": str(tmp_path),
    })  # fmt: skip
    pipeline.add("nvstreammux", "mux", {"batch-size": 1, "live-source": True})
    pipeline.add("nveglglessink", "view", {"sync": False})
    pipeline.link(("source", "mux"), ("", "sink_%u")).link("mux", "view")
    told: list[Any] = []

    def recorded(info: Any) -> None:
        told.append(info)
        pipeline.quit()

    pipeline.start()
    sessions: list[int] = []
    wait_until(
        lambda: sessions.append(pipeline.start_recording("source", 0, 1, recorded)) or sessions[-1], 60
    )
    pipeline.wait()
    assert told[0].session_id == sessions[-1]
    assert (tmp_path / told[0].file_name).stat().st_size > 1000
    assert told[0].width == 64


#: Longer than a frame takes, so that a pipeline that fails does not hang the test.
LONG = 60 * Gst.SECOND


def coded(caps: str, count: int = 30) -> list[Gst.Sample]:
    """Frames of H.264 out of order, 40 ms from one to the next."""
    pipeline = Gst.parse_launch(
        f"videotestsrc num-buffers={count} ! video/x-raw,width=64,height=48,framerate=25/1"
        f" ! x264enc bframes=2 b-adapt=false ! h264parse ! {caps} ! appsink name=out sync=false"
    )
    pipeline.set_state(Gst.State.PLAYING)
    out = pipeline.get_by_name("out")
    samples = list(iter(lambda: out.emit("try-pull-sample", LONG), None))
    pipeline.set_state(Gst.State.NULL)
    return samples


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_reordered_frames_without_decoding_times_keep_theirs(tmp_path: Path, ending: str) -> None:
    if not Gst.ElementFactory.find("h264timestamper"):
        pytest.skip("this GStreamer cannot find decoding times")
    samples = coded("video/x-h264,stream-format=byte-stream,alignment=au")
    path, ended = tmp_path / f"out.{ending}", threading.Event()
    file = RecordingFile(path, 1, {"video": samples[0].get_caps()}, lambda file, error: ended.set())
    for sample in samples:
        buffer = sample.get_buffer().copy()
        buffer.dts = Gst.CLOCK_TIME_NONE  # as from RTP
        file.push("video", buffer, buffer.pts)
    file.finish()
    assert ended.wait(60)
    read = Gst.parse_launch("filesrc name=f ! parsebin ! avdec_h264 ! appsink name=out sync=false")
    read.get_by_name("f").set_property("location", str(path))
    read.set_state(Gst.State.PLAYING)
    out = read.get_by_name("out")
    times = [sample.get_buffer().pts for sample in iter(lambda: out.emit("try-pull-sample", LONG), None)]
    read.set_state(Gst.State.NULL)
    steps = [round((later - earlier) / Gst.MSECOND) for earlier, later in itertools.pairwise(times)]
    assert steps == [40] * 29
