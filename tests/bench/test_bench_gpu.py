"""The parts of ``bench gpu`` that need no GPU: playing, counting, ages, the long clip, the report."""

import time

import pytest
from gi.repository import Gst

from headrace.bench import gpu, gpu_play
from headrace.bench.gpu import GpuRun, PacedRun, gpu_runs, paced_run
from headrace.bench.gpu_clip import long_clip
from headrace.bench.gpu_play import MemorySlope, Play
from headrace.bench.report import Report
from headrace.bench.statistics import Spread
from headrace.errors import PipelineError

_LINE = "videotestsrc num-buffers=60 pattern=ball ! video/x-raw,width=320,height=240,framerate=30/1"


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    if Gst.ElementFactory.find("x264enc") is None:
        pytest.skip("no x264enc")
    path = tmp_path_factory.mktemp("clip") / "ball.mp4"
    line = f"{_LINE} ! x264enc speed-preset=ultrafast key-int-max=30 ! h264parse ! mp4mux ! filesink location={path}"
    pipeline = Gst.parse_launch(line)
    pipeline.set_state(Gst.State.PLAYING)
    ended = pipeline.get_bus().timed_pop_filtered(120 * Gst.SECOND, Gst.MessageType.EOS)
    pipeline.set_state(Gst.State.NULL)
    assert ended
    return path


@pytest.fixture
def on_the_cpu(monkeypatch):
    """Decoders and a model of the CPU in place of the GPU's."""
    decoder = next((name for name in ("avdec_h264", "openh264dec") if Gst.ElementFactory.find(name)), None)
    if decoder is None:
        pytest.skip("no H.264 decoder")
    monkeypatch.setattr(
        gpu, "_DECODE", f"{decoder} ! videoconvert ! video/x-raw,format=NV12 ! identity sleep-time=2000"
    )
    monkeypatch.setattr(gpu, "network_alone", lambda batch, seconds: 1000.0)
    monkeypatch.setattr(gpu, "WARM", 0.3)
    monkeypatch.setattr(gpu_play, "WARM", 0.3)
    monkeypatch.setattr(gpu_play, "_gpu_used", lambda: 100.0)
    whole = gpu._pipeline
    usual = f"hrinfer model={gpu.NETWORK} device=cuda input-size=640x640"
    ours = "hrinfer model=headrace.bench.nullmodel:NullModel"
    monkeypatch.setattr(gpu, "_pipeline", lambda *told: whole(*told).replace(usual, ours))


def test_a_clip_lasts_as_long_as_is_needed(clip):
    with long_clip(clip, 5.0) as long:
        pipeline = Gst.parse_launch(f"filesrc location={long} ! qtdemux ! h264parse ! fakesink")
        pipeline.set_state(Gst.State.PAUSED)
        pipeline.get_state(120 * Gst.SECOND)
        assert pipeline.query_duration(Gst.Format.TIME)[1] >= 5 * Gst.SECOND
        pipeline.set_state(Gst.State.NULL)


def test_decoders_network_and_pipeline_take_turns(clip, on_the_cpu):
    told = []
    (run,) = gpu_runs(clip, (2,), 2, 0.6, 2, told.append)
    assert [line for line in told if "round" in line] == [
        "gpu: 2 streams, round 1 of 2",
        "gpu: 2 streams, round 2 of 2",
    ]
    assert run.network.median == 1000
    assert run.decode.median > 0
    assert run.ratio.low > 0
    assert run.objects == pytest.approx(20, abs=3)  # of the null model
    assert run.gpu.highest == 100


def test_paced_streams_keep_their_pace_and_tell_ages(clip, on_the_cpu):
    began = time.perf_counter()
    run = paced_run(clip, streams=3, batch=3, seconds=1.2)
    whole = time.perf_counter() - began
    assert 0 < run.frames <= 3 * 30 * whole, "15 times as many without a pace, if the machine is quick"
    assert 0 < run.ages[0] <= run.ages[1] <= run.ages[2] < 1000 * whole


def test_a_measurement_goes_on_until_there_is_a_frame(on_the_cpu):
    slow = "videotestsrc is-live=true ! video/x-raw,framerate=2/3 ! fakesink name=sink_0 sync=false"
    played = Play(slow).measure(0.01)
    assert played.frames > 0
    assert played.fps > 0


def test_a_pipeline_that_ends_or_fails_is_an_error(clip, on_the_cpu, monkeypatch):
    with pytest.raises(PipelineError, match="ended before the measurement"):
        Play(gpu._decoders(clip, 1)).measure(30.0)
    with pytest.raises(PipelineError, match=r"No such file|not found|Resource"):
        Play(gpu._decoders(clip.with_name("missing.mp4"), 1)).measure(1.0)


def test_the_report_names_what_was_measured():
    spread, slope = Spread(4700.0, 4690.0, 4710.0), MemorySlope.of([(0, 900.0), (30, 901.0), (60, 902.0)])
    run = GpuRun(32, 32, spread, spread, spread, Spread(0.96, 0.95, 0.97), 12.3, slope, slope)
    paced = PacedRun(64, 30, 38400, {"full": 2}, (7.0, 12.0, 15.0), slope, slope)
    text = Report({}, "headrace bench gpu", gpu=[run], paced=paced).text()
    assert "| 32      | 32    | 4700 (4690–4710) |" in text
    assert "0.96 (0.95–0.97)" in text
    assert "902 (+2.0 a minute)" in text
    assert (
        "38400 frames, dropped: 2 full; from decoder to metadata 50 / 95 / 99 %: 7.0 / 12.0 / 15.0 ms" in text
    )
