"""nvvideoconvert and nvmultistreamtiler: pixels, boxes, caps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gi.repository import Gst

OUT = "fakesink name=sink sync=false"
FORMATS = ["NV12", "I420", "RGB", "BGR", "RGBA", "BGRx", "GRAY8"]
BOX = "def infer(self, frames):\n    return [Detections([[8, 8, 40, 30]], [0.9], [1]) for _ in frames]"
NVMM = "video/x-raw(memory:NVMM)"


def colour(frame: Any) -> np.ndarray[Any, Any]:
    from headrace.frames import to_rgb

    return np.asarray(to_rgb(frame)[1, 1], np.int32)


@pytest.mark.parametrize("given", FORMATS)
@pytest.mark.parametrize("wanted", FORMATS)
def test_every_format_becomes_every_other(run: Any, given: str, wanted: str) -> None:
    one = run(
        f"videotestsrc num-buffers=2 pattern=red ! video/x-raw,format={given},width=35,height=17 ! nvvideoconvert"
        f" ! {NVMM},format={wanted} ! {OUT}"
    ).to_end()
    for batch in one.out.payloads:
        frame = batch.surfaces[0].frame()
        assert (frame.format, frame.width, frame.height) == (wanted, 35, 17)
        red, green, blue = colour(frame)
        if "GRAY8" in (given, wanted):
            assert abs(red - green) <= 2
            assert abs(green - blue) <= 2
        else:
            assert red > 240
            assert green < 15
            assert blue < 15


@pytest.mark.parametrize("wanted", FORMATS)
def test_plain_frames_come_out_dense_for_ordinary_elements(run: Any, wanted: str) -> None:
    one = run(
        "videotestsrc num-buffers=2 pattern=white ! video/x-raw,format=I420,width=35,height=17 ! m.sink_0"
        f" nvstreammux name=m ! nvvideoconvert ! video/x-raw,format={wanted},width=21,height=9 ! videoconvert"
        f" ! video/x-raw,format=RGB ! {OUT}",
        keep_data=True,
    ).to_end()
    assert one.out.sizes == [64 * 9] * 2
    rows = np.frombuffer(one.out.data[0], np.uint8).reshape(9, 64)[:, :63]
    assert rows.min() >= 235


def test_metadata_survives_the_way_out_and_back(run: Any, model: Any) -> None:
    one = run(
        "videotestsrc num-buffers=3 ! video/x-raw,format=NV12,width=64,height=48 ! m.sink_0 nvstreammux name=m"
        f" ! hrinfer model={model(BOX)} ! nvvideoconvert ! video/x-raw,format=I420 ! videoconvert ! queue"
        f" ! nvvideoconvert ! {NVMM},format=RGBA ! {OUT}"
    ).to_end()
    for number, frame in enumerate(one.out.frames):
        assert frame.frame_number == number
        (obj,) = frame.object_items
        assert (obj.label, obj.rect_params.left) == ("b", 8)
    assert one.out.pts == sorted(set(one.out.pts))


def test_unusual_strides_are_respected(run: Any, feed: Any) -> None:
    from headrace.gst.videometa import set_planes

    one = run(f"appsrc name=s ! nvvideoconvert ! {NVMM},format=RGB ! {OUT}").play()
    feeder = feed(one["s"], "video/x-raw,format=GRAY8,width=4,height=2")
    buffer = Gst.Buffer.new_wrapped(
        bytes([9] * 16 + [50, 60, 70, 80] + [9] * 12 + [90, 100, 110, 120] + [9] * 12)
    )
    set_planes(hash(buffer), 25, 4, 2, (16,), (16,))
    buffer.pts = 0
    feeder.appsrc.emit("push-buffer", buffer)
    feeder.end()
    one.wait().stop()
    assert one.errors == []
    assert one.out.payloads[0].surfaces[0].frame().planes[0][..., 0].tolist() == [
        [50, 60, 70, 80],
        [90, 100, 110, 120],
    ]


# Left half black, right half white, upper row grey.
PICTURE = np.array([[100, 100, 100, 100], [0, 0, 255, 255]], np.uint8)
FLIPS = {
    0: PICTURE,
    1: np.rot90(PICTURE, 1),
    2: np.rot90(PICTURE, 2),
    3: np.rot90(PICTURE, -1),
    4: PICTURE[:, ::-1],
    5: np.rot90(PICTURE, 2).T,
    6: PICTURE[::-1],
    7: PICTURE.T,
}


@pytest.mark.parametrize("method", list(FLIPS))
def test_flips(run: Any, feed: Any, method: int) -> None:
    one = run(f"appsrc name=s ! nvvideoconvert flip-method={method} ! {NVMM} ! {OUT}").play()
    feeder = feed(one["s"], "video/x-raw,format=GRAY8,width=4,height=2")
    feeder.push(PICTURE.tobytes())
    feeder.end()
    one.wait().stop()
    assert one.errors == []
    assert np.array_equal(one.out.payloads[0].surfaces[0].frame().planes[0], FLIPS[method])


def test_crops(run: Any, feed: Any) -> None:
    one = run(
        f"appsrc name=s ! nvvideoconvert src-crop=2:0:2:2 dest-crop=4:2:2:2 ! {NVMM},width=8,height=6 ! {OUT}"
    ).play()
    feeder = feed(one["s"], "video/x-raw,format=GRAY8,width=4,height=2")
    feeder.push(PICTURE.tobytes())
    feeder.end()
    one.wait().stop()
    assert one.errors == []
    picture = one.out.payloads[0].surfaces[0].frame().planes[0]
    assert picture[2:4, 4:6].tolist() == [[100, 100], [255, 255]]
    assert picture.sum() == 2 * 100 + 2 * 255


def test_a_batch_of_several_sources_cannot_become_plain_frames(run: Any) -> None:
    src = "videotestsrc num-buffers=2 ! video/x-raw,format=NV12,width=16,height=16"
    one = run(
        f"{src} ! m.sink_0 {src} ! m.sink_1 nvstreammux name=m ! nvvideoconvert name=c ! video/x-raw ! {OUT}"
    )
    error = one.to_error()
    assert error.element == "c"
    assert "nvstreamdemux" in error.text


def test_a_rate_that_cannot_be_made_is_refused(run: Any) -> None:
    one = run(
        "videotestsrc num-buffers=2 ! video/x-raw,format=NV12,width=16,height=16,framerate=25/1 ! nvvideoconvert name=c"
        f" ! video/x-raw,framerate=10/1 ! {OUT}"
    )
    assert "frame rate" in one.to_error().text


def test_a_size_change_in_the_middle_keeps_the_output(run: Any, feed: Any) -> None:
    one = run(f"appsrc name=s ! nvvideoconvert ! video/x-raw,format=GRAY8,width=8,height=8 ! {OUT}").play()
    feeder = feed(one["s"], "video/x-raw,format=GRAY8,width=8,height=4")
    feeder.push(bytes(32))
    feeder.set_caps("video/x-raw,format=GRAY8,width=20,height=10")
    feeder.push(bytes(200))
    feeder.end()
    one.wait().stop()
    assert one.errors == []
    assert one.out.sizes == [64, 64]


TILER = "nvstreammux name=m ! hrinfer model={model} ! nvmultistreamtiler {options}"


def test_boxes_move_to_their_tiles(run: Any, model: Any) -> None:
    src = "videotestsrc num-buffers=2 pattern={p} ! video/x-raw,format=RGB,width=64,height=48"
    tiler = TILER.format(model=model(BOX), options="width=128 height=48 rows=1 columns=2")
    one = run(
        f"{tiler} ! {OUT} {src.format(p='white')} ! m.sink_0 {src.format(p='black')} ! m.sink_1"
    ).to_end()
    for batch in one.out.payloads:
        (frame,) = batch.meta.frames
        assert (frame.pipeline_width, frame.pipeline_height) == (128, 48)
        rects = [obj.rect_params for obj in frame.object_items]
        assert sorted((r.left, r.top, r.width, r.height) for r in rects) == [(8, 8, 32, 22), (72, 8, 32, 22)]
        picture = batch.surfaces[0].frame().planes[0]
        assert picture.shape == (48, 128, 3)
        assert picture[:, :64].min() >= 253
        assert picture[:, 64:].max() <= 2


def test_a_slower_source_keeps_its_last_picture_and_two_frames_make_two_pictures(
    run: Any, feed: Any, model: Any
) -> None:
    options = "width=16 height=4 rows=1 columns=2"
    tiler = TILER.format(model=model(BOX), options=options).replace("name=m", "name=m batch-size=4")
    one = run(f"{tiler} ! {OUT} appsrc name=s0 ! m.sink_0 appsrc name=s1 ! m.sink_1").play()
    fast = feed(one["s0"], "video/x-raw,format=GRAY8,width=8,height=4")
    slow = feed(one["s1"], "video/x-raw,format=GRAY8,width=8,height=4")
    slow.push(bytes([200] * 32))
    for value in (10, 20, 30):
        fast.push(bytes([value] * 32))
    fast.end()
    slow.end()
    one.wait().stop()
    assert one.errors == []
    pictures = [payload.surfaces[0].frame().planes[0] for payload in one.out.payloads]
    assert [int(picture[0, 0]) for picture in pictures] == [10, 20, 30]
    assert [int(picture[0, 15]) for picture in pictures] == [200] * 3
    assert one.out.pts == [0, 40 * Gst.MSECOND, 80 * Gst.MSECOND]
    assert all(len(meta.frames) == 1 for meta in one.out.metas)


def test_one_source_can_be_shown_alone_while_playing(run: Any, model: Any) -> None:
    src = "videotestsrc pattern={p} ! video/x-raw,format=RGB,width=64,height=48"
    tiler = TILER.format(model=model(BOX), options="name=t width=64 height=48")
    one = run(f"{tiler} ! {OUT} {src.format(p='white')} ! m.sink_0 {src.format(p='black')} ! m.sink_1").play()
    one.wait(lambda: len(one.out.pts) > 3)
    one["t"].set_property("show-source", 1)
    seen = len(one.out.pts)
    one.wait(lambda: len(one.out.pts) > seen + 4)
    last = one.out.payloads[-1]
    one.stop()
    assert last.surfaces[0].frame().planes[0].max() <= 2
    assert last.meta.frames[0].n_objects == 1


def test_the_tile_of_a_source_that_left_is_black(run: Any, feed: Any) -> None:
    one = run(
        "nvstreammux name=m ! nvmultistreamtiler width=16 height=4 rows=1 columns=2"
        f" ! {OUT} appsrc name=s0 ! m.sink_0 appsrc name=s1 ! m.sink_1"
    ).play()
    feeders = [feed(one[f"s{i}"], "video/x-raw,format=GRAY8,width=8,height=4") for i in range(2)]
    for feeder in feeders:
        feeder.push(bytes([200] * 32))
    one.wait(lambda: len(one.out.frames) == 1)
    one["m"].release_request_pad(one["m"].get_static_pad("sink_1"))
    feeders[0].push(bytes([200] * 32))
    one.wait(lambda: len(one.out.frames) == 2)
    before, after = (payload.surfaces[0].frame().planes[0] for payload in one.out.payloads)
    assert (int(before[0, 15]), int(after[0, 0]), int(after[0, 15])) == (200, 200, 0)


@pytest.mark.parametrize(
    ("text", "rectangle"),
    [
        ("", None),
        ("1:2:30:40", (1, 2, 30, 40)),
        ("1.5:2.0:30:40", (1, 2, 30, 40)),
        ("video/x-raw,width=3", None),
    ],
)
def test_rectangles(text, rectangle):
    from headrace.elements.conversion import parse_rectangle

    assert parse_rectangle("src-crop", text) == rectangle
