"""What decoding costs beside itself: no picture is converted at its full size, and no thread is idle."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import pytest
from gi.repository import Gst

import headrace

DEMO = Path(headrace.__file__).parent / "models" / "demo.onnx"
WIDTH, HEIGHT = 640, 360


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve frames of a scene as H.264."""
    path = tmp_path_factory.mktemp("clips") / "scene.mp4"
    pipeline = Gst.parse_launch(
        f"hrsimsrc scene=sim://crossroad?width={WIDTH}&height={HEIGHT}&frames=12&fps=25 ! nvvideoconvert"
        " ! video/x-raw,format=I420 ! x264enc ! mp4mux ! filesink name=f"
    )
    pipeline.get_by_name("f").set_property("location", str(path))
    pipeline.set_state(Gst.State.PLAYING)
    kinds = Gst.MessageType.EOS | Gst.MessageType.ERROR
    message = pipeline.get_bus().timed_pop_filtered(60 * Gst.SECOND, kinds)
    pipeline.set_state(Gst.State.NULL)
    assert message.type == Gst.MessageType.EOS
    return path


@pytest.fixture
def large_pictures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the functions of OpenCV that made a picture of three or four channels as large as a frame."""
    found: list[str] = []

    def watched(name: str, function: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            made = function(*args, **kwargs)
            shape = getattr(made, "shape", ())
            if len(shape) == 3 and shape[2] >= 3 and shape[0] * shape[1] >= WIDTH * HEIGHT:
                found.append(name)
            return made

        return call

    for name in ("cvtColor", "cvtColorTwoPlane", "transform", "merge", "resize"):
        monkeypatch.setattr(cv2, name, watched(name, getattr(cv2, name)))
    return found


def parts(pipeline: Any, factory: str) -> list[Any]:
    """The elements of a kind, wherever they are in a pipeline."""
    iterator, found = pipeline.iterate_recurse(), []
    while (step := iterator.next())[0] != Gst.IteratorResult.DONE:
        if step[0] == Gst.IteratorResult.RESYNC:  # parts come or go
            iterator.resync()
            found.clear()
        elif step[1].get_factory().get_name() == factory:
            found.append(step[1])
    return found


CHAIN = (
    f"nvurisrcbin name=u ! m.sink_0 nvstreammux name=m width={WIDTH} height={HEIGHT}"
    f" ! hrinfer model={DEMO} input-size=320x192 ! nvtracker {{drawn}}"
    " ! nvmsgconv payload-type=1 msg2p-newapi=true frame-interval=1 ! {end}fakesink sync=false"
)


@pytest.mark.parametrize("drawn", ["", "! nvdsosd"], ids=["counted", "drawn"])
def test_no_frame_is_converted_at_its_full_size(
    run: Any, clip: Path, large_pictures: list[str], drawn: str
) -> None:
    """Of a file to detections, tracks and messages; overlays are drawn on the decoder's own format."""
    one = run(CHAIN.format(drawn=drawn, end=""))
    one["u"].set_property("uri", str(clip))
    one.play().wait(lambda: len(one.out.pts) >= 12)
    converters = [part.is_passthrough() for part in parts(one.pipeline, "videoconvert")]
    one.stop()
    assert one.errors == []
    assert any(list(frame.object_items) for frame in one.out.frames)
    assert large_pictures == []
    assert all(converters)
    assert all("I420" in caps for caps in one.out.caps)


def test_the_same_run_with_rgb_asked_for_is_seen(run: Any, clip: Path, large_pictures: list[str]) -> None:
    one = run(CHAIN.format(drawn="", end="nvvideoconvert ! video/x-raw,format=RGBA ! "))
    one["u"].set_property("uri", str(clip))
    one.to_end()
    assert large_pictures


@pytest.mark.parametrize("sources", [1, 2, 3])
def test_decoders_share_the_cores(
    run: Any, clip: Path, monkeypatch: pytest.MonkeyPatch, sources: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(6)))
    inputs = "".join(f"nvurisrcbin name=u{n} ! m.sink_{n} " for n in range(sources))
    one = run(f"{inputs} nvstreammux name=m ! fakesink sync=false")
    for number in range(sources):
        one[f"u{number}"].set_property("uri", str(clip))
    one.play().wait(lambda: len(parts(one.pipeline, "avdec_h264")) == sources and len(one.out.pts) > 1)
    assert {part.get_property("max-threads") for part in parts(one.pipeline, "avdec_h264")} == {6 // sources}


def test_decoder_threads_that_a_user_sets_are_taken(run: Any, clip: Path) -> None:
    one = run("nvurisrcbin name=u decoder-threads=3 ! m.sink_0 nvstreammux name=m ! fakesink sync=false")
    one["u"].set_property("uri", str(clip))
    one.play().wait(lambda: len(one.out.pts) > 1)
    (decoder,) = parts(one.pipeline, "avdec_h264")
    assert decoder.get_property("max-threads") == 3
