"""hrinfer with a model on a server: the same objects as from the file, and what happens while the server is away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kserve import KServe, Served
from tiny_onnx import build

SCENE = "hrsimsrc name=src scene=sim://crossroad?seed=1&objects=6&width=320&height=240&frames={n}"
OUT = "fakesink name=sink sync=false"


@pytest.fixture(params=["http", "grpc"])
def grpc(request: Any) -> bool:
    if request.param == "grpc":
        pytest.importorskip("tritonclient.grpc")
    return bool(request.param == "grpc")


@pytest.fixture
def yolo(tmp_path: Any) -> Path:
    """Two classes; the score of the one box is the frame's brightness."""
    constant, mask = np.zeros((1, 6, 21), np.float32), np.zeros((1, 6, 21), np.float32)
    constant[0, :4, 3] = 16, 12, 8, 4
    mask[0, 5, 3] = 1
    return build(tmp_path / "yolo.onnx", {"output0": (constant, mask)})


@pytest.fixture
def server(yolo: Path, grpc: bool) -> Iterator[KServe]:
    kserve = KServe({"yolo": Served.onnx(yolo, parameters={"names": "['car', 'person']"})}, grpc=grpc)
    yield kserve
    kserve.stop()


def objects(frames: list[Any]) -> list[Any]:
    return [
        [
            (one.label, one.confidence, *(getattr(one.rect_params, s) for s in ("left", "top", "width", "height")))
            for one in frame.object_items
        ]
        for frame in frames
    ]  # fmt: skip


def test_a_server_finds_what_the_file_finds(run: Any, yolo: Path, server: KServe, tmp_path: Any) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("car\nperson\n")
    line = f"{SCENE.format(n=8)} ! m.sink_0 nvstreammux name=m batch-size=1 ! hrinfer confidence=0.1 model="
    here = objects(run(f"{line}{yolo} labels={labels} engine=onnxruntime ! {OUT}").to_end().out.frames)
    there = objects(run(f"{line}{server.url('yolo')} ! {OUT}").to_end().out.frames)
    assert len(there) == 8
    assert there == here
    assert {one[0] for frame in there for one in frame} == {"person"}


def test_frames_go_on_when_the_server_is_back(run: Any, feed: Any, server: KServe) -> None:
    one = run(
        "appsrc name=src ! m.sink_0 nvstreammux name=m batch-size=1"
        f" ! hrinfer name=infer model={server.url('yolo')} on-error=drop ! {OUT}"
    )
    feeder = feed(one["src"], "video/x-raw,format=RGB,width=64,height=48")
    one.play()

    def push(frames: int) -> None:
        for _ in range(frames):
            feeder.push(bytes([255]) * (64 * 48 * 3))

    push(3)
    one.wait(lambda: len(one.out.pts) == 3)
    server.stop()
    push(4)
    one.wait(lambda: one["infer"].dropped.total() == 4)
    server.start()
    while len(one.out.pts) < 6:  # gRPC looks for the server again within a second
        before = len(one.out.pts) + one["infer"].dropped.total()
        push(1)
        one.wait(lambda: len(one.out.pts) + one["infer"].dropped.total() > before)  # noqa: B023
    feeder.end()
    one.wait()
    one.stop()
    assert one.errors == []
    assert one.messages[-1].kind == "eos"
    assert [len(frame) for frame in objects(one.out.frames)] == [1] * len(one.out.frames)
    first, *_ = [message.text for message in one.of("warning")]
    assert "source 0 frame 3: " in first
    assert f"{server.url('yolo')} " in first
    assert "the batch is dropped (1 so far)" in first
    assert len(one.of("warning")) == one["infer"].dropped.total()
    assert all(server.url("yolo") in reason for reason in one["infer"].dropped)


def test_without_on_error_the_pipeline_stops_with_the_servers_name(run: Any, server: KServe) -> None:
    server.faults.append("error")
    mux = "m.sink_0 nvstreammux name=m batch-size=1"
    error = run(f"{SCENE.format(n=8)} ! {mux} ! hrinfer model={server.url('yolo')} ! {OUT}").to_error()
    assert f"{server.url('yolo')} failed on images float32[1, 3, 32, 32]" in error.text
    assert "the backend fell over" in error.text
