"""nvstreammux and nvstreamdemux with frames pushed by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gi.repository import Gst

from headrace.gst.structures import structure_of

MUX = "nvstreammux name=m"
OUT = "fakesink name=sink sync=false"
SMALL = "video/x-raw,format=GRAY8,width=8,height=4"
PIXELS = bytes(32)
LONG = 20_000_000


def sources(n: int, live: bool = False) -> str:
    return " ".join(f"appsrc name=s{i} is-live={live} ! m.sink_{i}" for i in range(n))


def numbers(frames: list[Any]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for frame in frames:
        found.setdefault(frame.pad_index, []).append(frame.frame_number)
    return found


def test_frames_carry_the_time_of_their_cameras_clock(run: Any, feed: Any) -> None:
    one = run(f"{MUX} attach-sys-ts=false ! {OUT} {sources(1)}").play()
    feeder = feed(one["s0"], SMALL)
    feeder.push(PIXELS)  # before the camera's first report
    buffer = Gst.Buffer.new_wrapped(PIXELS)
    buffer.pts = 40 * Gst.MSECOND
    since_1900 = 2_208_988_800 + 1_700_000_000
    ntp = Gst.Caps.from_string("timestamp/x-ntp")
    buffer.add_reference_timestamp_meta(ntp, since_1900 * Gst.SECOND + 5, Gst.CLOCK_TIME_NONE)
    one["s0"].emit("push-buffer", buffer)
    feeder.end()
    one.wait().stop()
    assert one.errors == []
    assert [frame.ntp_timestamp for frame in one.out.frames] == [0, 1_700_000_000_000_000_005]


def test_batches_hold_a_frame_of_each_source_with_its_own_number_and_time(run: Any, feed: Any) -> None:
    one = run(f"{MUX} ! {OUT} {sources(2)}").play()
    feeders = [feed(one[f"s{i}"], SMALL) for i in range(2)]
    for n in range(3):
        feeders[0].push(bytes([n] * 32))
        feeders[1].push(bytes([10 + n] * 32), pts=(n * 40 + 7) * Gst.MSECOND)
    for feeder in feeders:
        feeder.end()
    one.wait().stop()
    assert one.errors == []
    assert [sorted(f.pad_index for f in meta.frames) for meta in one.out.metas] == [[0, 1]] * 3
    assert numbers(one.out.frames) == {0: [0, 1, 2], 1: [0, 1, 2]}
    for meta, payload in zip(one.out.metas, one.out.payloads, strict=True):
        assert [frame.batch_id for frame in meta.frames] == [0, 1]
        for frame in meta.frames:
            n = frame.frame_number
            assert frame.source_id == frame.pad_index
            assert frame.buffer_pts == (n * 40 + 7 * frame.pad_index) * Gst.MSECOND
            assert payload.surfaces[frame.batch_id].frame().planes[0][0, 0] == n + 10 * frame.pad_index
            assert (
                (frame.source_width, frame.source_height)
                == (frame.pipeline_width, frame.pipeline_height)
                == (8, 4)
            )
            assert frame.ntp_timestamp > 1.6e18
    assert one.out.pts == [0, 40 * Gst.MSECOND, 80 * Gst.MSECOND]
    assert one.out.sizes == [0, 0, 0]
    assert "memory:NVMM" in one.out.caps[0]


def test_the_end_of_each_source_is_told_and_the_pipeline_ends_once(run: Any, feed: Any) -> None:
    one = run(f"{MUX} batched-push-timeout=10000 ! {OUT} {sources(2)}").play()
    feeders = [feed(one[f"s{i}"], SMALL) for i in range(2)]
    feeders[1].push(PIXELS)
    feeders[1].end()
    feeders[0].push(PIXELS)
    one.wait(lambda: len(one.of("element")) == 1)
    feeders[0].push(PIXELS)
    feeders[0].end()
    one.wait().stop()
    told = [message.structure for message in one.of("element")]
    assert [structure.get_name() for structure in told] == ["stream-eos"] * 2
    assert [structure.get_uint("stream-id") for structure in told] == [(True, 1), (True, 0)]
    assert len(one.of("eos")) == 1
    assert numbers(one.out.frames) == {0: [0, 1], 1: [0]}


def test_sources_without_any_frame_end_the_pipeline(run: Any, feed: Any) -> None:
    one = run(f"{MUX} ! {OUT} {sources(2)}").play()
    for index in range(2):
        feed(one[f"s{index}"], SMALL).end()
    one.wait().stop()
    assert one.errors == []
    assert one.out.pts == []


def test_a_dead_source_delays_the_others_only_until_the_timeout(run: Any, feed: Any) -> None:
    one = run(f"{MUX} batch-size=2 batched-push-timeout=20000 ! {OUT} {sources(2)}").play()
    alive, _dead = feed(one["s0"], SMALL), feed(one["s1"], SMALL)
    for _ in range(3):
        alive.push(PIXELS)
    one.wait(lambda: len(one.out.frames) == 3)
    assert numbers(one.out.frames) == {0: [0, 1, 2]}


def test_pads_come_by_name_and_by_number() -> None:
    mux = Gst.ElementFactory.make("nvstreammux")
    named = mux.request_pad_simple("sink_5")
    assert named.get_name() == "sink_5"
    assert [mux.request_pad_simple("sink_%u").get_name() for _ in range(2)] == ["sink_0", "sink_1"]
    assert mux.get_static_pad("sink_5") is not None
    mux.release_request_pad(named)
    assert mux.get_static_pad("sink_5") is None
    assert mux.request_pad_simple("sink_5").get_name() == "sink_5"


def test_sources_come_and_go_while_playing(run: Any, feed: Any) -> None:
    one = run(f"{MUX} batched-push-timeout=10000 ! nvtracker ! {OUT} {sources(1)}").play()
    events: list[Any] = []

    def note(_pad: Any, info: Any) -> Any:
        structure = structure_of(info.get_event())
        if structure is not None and structure.has_field("source-id"):
            events.append((structure.get_value("what"), structure.get_value("source-id")))
        return Gst.PadProbeReturn.OK

    one["sink"].get_static_pad("sink").add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, note)
    first = feed(one["s0"], SMALL)
    first.push(PIXELS)
    one.wait(lambda: len(one.out.frames) == 1)
    for _ in range(2):
        late = Gst.ElementFactory.make("appsrc", "late")
        one.pipeline.add(late)
        pad = one["m"].request_pad_simple("sink_3")
        assert late.get_static_pad("src").link(pad) == Gst.PadLinkReturn.OK
        late.sync_state_with_parent()
        seen = len(one.out.frames)
        feed(late, SMALL).push(PIXELS)
        first.push(PIXELS)
        one.wait(lambda n=seen: len(one.out.frames) >= n + 2)  # type: ignore[misc]
        late.set_state(Gst.State.NULL)
        one["m"].release_request_pad(pad)
        one.pipeline.remove(late)
    first.push(PIXELS)
    first.end()
    one.wait().stop()
    assert one.errors == []
    assert numbers(one.out.frames) == {0: [0, 1, 2, 3], 3: [0, 0]}
    assert events == [
        ("pad-added", 0), ("pad-added", 3), ("pad-deleted", 3), ("pad-added", 3), ("pad-deleted", 3),
        ("stream-eos", 0),
    ]  # fmt: skip


def test_a_source_is_released_while_the_pipeline_is_paused(run: Any, feed: Any) -> None:
    one = run(f"{MUX} ! {OUT} {sources(2)}")
    one.pipeline.set_state(Gst.State.PAUSED)
    feeders = [feed(one[f"s{i}"], SMALL) for i in range(2)]
    for _ in range(4):
        for feeder in feeders:
            feeder.push(PIXELS)
    assert one.pipeline.get_state(60 * Gst.SECOND)[0] == Gst.StateChangeReturn.SUCCESS
    one["m"].release_request_pad(one["m"].get_static_pad("sink_1"))
    one["s1"].set_state(Gst.State.NULL)
    one.pipeline.remove(one["s1"])
    feeders[0].end()
    one.play().wait().stop()
    assert one.errors == []
    assert numbers(one.out.frames)[0] == [0, 1, 2, 3]


def test_sizes_formats_and_rates_may_differ(run: Any, feed: Any) -> None:
    one = run(f"{MUX} ! {OUT} {sources(2)}").play()
    gray = feed(one["s0"], "video/x-raw,format=GRAY8,width=8,height=4,framerate=5/1")
    color = feed(one["s1"], "video/x-raw,format=RGB,width=6,height=2,framerate=30/1")
    gray.push(bytes([200] * 32))
    color.push(np.repeat(np.array([[200] * 3], np.uint8), 6 * 2 + 4, 0).tobytes()[: 20 * 2])
    gray.end()
    color.end()
    one.wait().stop()
    assert one.errors == []
    (batch,) = one.out.payloads
    by_pad = {frame.pad_index: batch.surfaces[frame.batch_id].frame() for frame in batch.meta.frames}
    assert {pad: (f.width, f.height) for pad, f in by_pad.items()} == {0: (8, 4), 1: (6, 2)}
    assert len({frame.format for frame in by_pad.values()}) == 1, "one format for the whole batch"


@pytest.mark.parametrize(("padding", "last"), [("false", 100), ("true", 0)])
def test_frames_are_scaled_to_the_size_asked_for(run: Any, feed: Any, padding: str, last: int) -> None:
    one = run(f"{MUX} width=16 height=16 enable-padding={padding} ! {OUT} {sources(1)}").play()
    feeder = feed(one["s0"], SMALL)
    feeder.push(bytes([100] * 32))
    feeder.end()
    one.wait().stop()
    (batch,) = one.out.payloads
    frame = batch.meta.frames[0]
    assert (frame.source_width, frame.source_height) == (8, 4)
    assert (frame.pipeline_width, frame.pipeline_height) == (16, 16)
    picture = batch.surfaces[0].frame().planes[0]
    assert picture.shape == (16, 16)
    assert (picture[0, 0], picture[7, 15], picture[15, 15]) == (100, 100, last)
    assert "width=(int)16" in one.out.caps[0]


def test_live_sources_drop_the_oldest_and_say_so(run: Any, feed: Any) -> None:
    one = run(f"{MUX} live-source=true ! {OUT} {sources(1, live=True)}")
    one.pipeline.set_state(Gst.State.PAUSED)
    feeder = feed(one["s0"], SMALL)
    one.play()
    feeder.push(PIXELS)
    one.wait(lambda: len(one.out.frames) == 1)
    one["sink"].get_static_pad("sink").add_probe(
        Gst.PadProbeType.BLOCK | Gst.PadProbeType.BUFFER, lambda *_: Gst.PadProbeReturn.OK
    )
    for _ in range(20):
        feeder.push(PIXELS)
    mux = one["m"]
    one.wait(lambda: sum(mux.batcher.drops.values()) >= 17)
    ((source, reason),) = mux.batcher.drops
    assert source == 0
    assert "live" in reason


@pytest.mark.parametrize("given", ["GRAY8", "NV12", "I420", "RGB", "BGR", "RGBA", "BGRx"])
def test_downstream_may_ask_for_one_format(run: Any, given: str) -> None:
    one = run(
        f"videotestsrc num-buffers=2 pattern=white ! video/x-raw,format={given},width=34,height=18 ! m.sink_0"
        f" {MUX} ! video/x-raw(memory:NVMM),format=RGB ! {OUT}"
    ).to_end()
    for batch in one.out.payloads:
        picture = batch.surfaces[0].frame()
        assert picture.format == "RGB"
        assert picture.planes[0].min() >= (235 if given == "GRAY8" else 253)
    assert "format=(string)RGB" in one.out.caps[0]


@pytest.mark.parametrize("given", ["NV12", "I420", "RGB", "GRAY8"])
@pytest.mark.parametrize("size", [(33, 17), (1, 1), (2, 3)])
def test_odd_sizes_go_through_everything(run: Any, given: str, size: tuple[int, int]) -> None:
    one = run(
        f"videotestsrc num-buffers=2 pattern=white ! video/x-raw,format={given},width={size[0]},height={size[1]}"
        f" ! m.sink_0 {MUX} ! nvtracker ! nvdsosd display-clock=true ! nvvideoconvert ! video/x-raw,format=RGB"
        " ! fakesink name=sink"
    ).to_end()
    assert len(one.out.pts) == 2


def test_a_source_may_change_its_size_in_the_middle(run: Any, feed: Any) -> None:
    one = run(
        f"{MUX} ! nvtracker ! nvdsosd ! nvvideoconvert ! video/x-raw,format=RGB ! {OUT} {sources(1)}"
    ).play()
    feeder = feed(one["s0"], SMALL)
    feeder.push(PIXELS)
    one.wait(lambda: len(one.out.pts) == 1)
    feeder.set_caps("video/x-raw,format=RGB,width=20,height=10")
    feeder.push(bytes(600))
    feeder.push(bytes(600))
    feeder.end()
    one.wait().stop()
    assert one.errors == []
    shown = [(f.source_width, f.source_height, f.pipeline_width) for f in one.out.frames]
    assert shown == [(8, 4, 8), (20, 10, 20), (20, 10, 20)]
    assert [size >= 600 for size in one.out.sizes] == [False, True, True]


def test_a_truncated_frame_is_an_error_that_names_source_and_frame(run: Any, feed: Any) -> None:
    one = run(f"{MUX} width=32 height=32 ! {OUT} {sources(1)}").play()
    feeder = feed(one["s0"], "video/x-raw,format=RGB,width=8,height=4")
    feeder.push(bytes(96))
    feeder.push(bytes(50))
    one.wait().stop()
    (error, *_) = one.errors
    assert error.element == "m"
    assert "source 0 frame 1" in error.text
    assert "damaged" in error.text


def test_downstream_that_takes_no_batches_is_an_error(run: Any) -> None:
    one = run(f"videotestsrc num-buffers=1 ! video/x-raw,format=NV12 ! m.sink_0 {MUX} ! identity name=i")
    sink = Gst.ElementFactory.make("videoconvert")
    one.pipeline.add(sink)
    assert not one["i"].link(sink) or one.to_error().text


def test_an_unlinked_muxer_is_an_error_even_when_all_sources_have_ended(run: Any, feed: Any) -> None:
    one = run(f"{MUX} {sources(1)}").play()
    feeder = feed(one["s0"], SMALL)
    feeder.push(PIXELS)
    feeder.end()
    one.wait().stop()
    assert any(error.element == "m" and "linked" in error.text for error in one.errors)


def test_downstream_that_has_enough_ends_the_pipeline(run: Any) -> None:
    one = run(
        "videotestsrc ! video/x-raw,format=NV12,width=16,height=16 ! m.sink_0 "
        f"{MUX} ! identity eos-after=3 ! hrinfer_free ! {OUT}".replace(" ! hrinfer_free", "")
    ).to_end()
    assert len(one.out.pts) <= 3


def test_a_flushing_seek_starts_the_whole_pipeline_again(run: Any, model: Any) -> None:
    silent = model("def infer(self, frames):\n    return [Detections.empty() for _ in frames]")
    one = run(
        "videotestsrc ! video/x-raw,format=NV12,width=16,height=16 ! queue ! m.sink_0"
        " videotestsrc ! video/x-raw,format=NV12,width=16,height=16 ! m.sink_1"
        f" {MUX} ! hrinfer model={silent} ! nvtracker ! {OUT}"
    ).play()
    one.wait(lambda: len(one.out.pts) > 20)
    for _ in range(3):
        assert one.pipeline.seek_simple(Gst.Format.TIME, Gst.SeekFlags.FLUSH, 0)
        seen = len(one.out.pts)  # what comes from now on comes from after the seek
        one.wait(lambda n=seen: len(one.out.pts) > n + 20)  # type: ignore[misc]
    one.stop()
    assert one.errors == []
    starts = [pts for before, pts in zip(one.out.pts, one.out.pts[1:], strict=False) if pts < before]
    assert starts == [0, 0, 0]


def test_latency_of_live_sources_grows_by_the_timeout(run: Any) -> None:
    one = run(
        "hrsimsrc is-live=true scene=sim://crossroad?width=32&height=32&frames=-1 ! m.sink_0 "
        f"{MUX} batched-push-timeout=40000 live-source=true ! {OUT}"
    ).play()
    one.wait(lambda: len(one.out.pts) > 1)
    query = Gst.Query.new_latency()
    assert one["m"].get_static_pad("src").query(query)
    live, least, most = query.parse_latency()
    assert live
    assert least >= 40 * Gst.MSECOND
    assert most >= least
    one.stop()


def test_metadata_of_a_source_comes_along(run: Any) -> None:
    for source in (
        "hrsimsrc scene=sim://crossroad?width=64&height=48&frames=2",
        "hrsimsrc scene=sim://crossroad?width=64&height=48&frames=2 ! nvvideoconvert ! video/x-raw,format=NV12",
        'nvurisrcbin uri="sim://crossroad?width=64&height=48&frames=2"',
    ):
        one = run(f"{source} ! m.sink_0 {MUX} ! {OUT}").to_end()
        assert [len(frame.user) for frame in one.out.frames] == [1, 1]


def test_pipeline_eos_can_be_dropped_and_new_sources_come(run: Any, feed: Any) -> None:
    one = run(f"{MUX} drop-pipeline-eos=true ! {OUT} {sources(1)}").play()
    feeder = feed(one["s0"], SMALL)
    feeder.push(PIXELS)
    feeder.end()
    one.wait(lambda: len(one.of("element")) == 1)
    late = Gst.ElementFactory.make("appsrc", "late")
    one.pipeline.add(late)
    assert late.get_static_pad("src").link(one["m"].request_pad_simple("sink_%u")) == Gst.PadLinkReturn.OK
    late.sync_state_with_parent()
    feed(late, SMALL).push(PIXELS)
    one.wait(lambda: len(one.out.frames) == 2)
    assert one.of("eos") == []


DEMUX = "nvstreamdemux name=d"


def test_a_demuxer_gives_each_source_its_frames(run: Any, feed: Any) -> None:
    one = run(
        f"{MUX} ! {DEMUX} d.src_0 ! queue ! fakesink name=a sync=false d.src_1 ! queue ! fakesink name=b sync=false"
        f" {sources(3)}"
    ).play()
    feeders = [feed(one[f"s{i}"], SMALL) for i in range(3)]
    for n in range(3):
        for index, feeder in enumerate(feeders):
            feeder.push(bytes([n + 10 * index] * 32))
    for feeder in feeders:
        feeder.end()
    one.wait().stop()
    assert one.errors == []
    for index, name in enumerate("ab"):
        output = one.outputs[name]
        assert numbers(output.frames) == {index: [0, 1, 2]}
        assert [frame.batch_id for frame in output.frames] == [0, 0, 0]
        assert [p.surfaces[0].frame().planes[0][0, 0] for p in output.payloads] == [
            10 * index + n for n in range(3)
        ]
        assert output.pts == [n * 40 * Gst.MSECOND for n in range(3)]
    assert one["d"].dropped == {2: 3}


@pytest.mark.parametrize("each", [True, False])
def test_a_stream_ends_with_its_source_when_asked(run: Any, feed: Any, each: bool) -> None:
    one = run(
        f"{MUX} batched-push-timeout=10000 ! {DEMUX} per-stream-eos={each} d.src_0 ! queue ! fakesink name=a sync=false"
        f" d.src_1 ! queue ! fakesink name=b sync=false {sources(2)}"
    ).play()
    ended: list[str] = []

    def note(_pad: Any, info: Any, who: str) -> Any:
        if info.get_event().type == Gst.EventType.EOS:
            ended.append(who)
        return Gst.PadProbeReturn.OK

    for name in "ab":
        one[name].get_static_pad("sink").add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, note, name)
    feeders = [feed(one[f"s{i}"], SMALL) for i in range(2)]
    for feeder in feeders:
        feeder.push(PIXELS)
    feeders[1].end()
    one.wait(lambda: len(one.of("element")) == 1)
    feeders[0].push(PIXELS)
    one.wait(lambda: len(one.outputs["a"].pts) == 2 and len(ended) >= each)  # each on a thread of its own
    assert ended == (["b"] if each else [])
    feeders[0].end()
    one.wait().stop()
    assert one.errors == []
    assert (len(one.outputs["a"].pts), len(one.outputs["b"].pts)) == (2, 1)
    assert sorted(ended) == ["a", "b"]
