"""Small objects in frames of 3840x2160: the whole frame is not enough for a model, tiles are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import headrace
from headrace.bench.score import DetectionScore, detection_score
from headrace.source.sim import Scene, SceneOptions, Truth

DEMO = Path(headrace.__file__).parent / "models" / "demo.onnx"
SIDE, WIDTH, HEIGHT = 6, 640, 360


@pytest.fixture(scope="module")
def streets() -> tuple[np.ndarray, Truth]:
    """Six times six streets in one picture, nine of them different, with everything that is in them."""
    scenes = [
        Scene(SceneOptions(seed=seed, objects=6, width=WIDTH, height=HEIGHT)).render(40) for seed in range(9)
    ]
    picture = np.empty((SIDE * HEIGHT, SIDE * WIDTH, 3), np.uint8)
    boxes, rows = [], []
    for place in range(SIDE * SIDE):
        top, left = place // SIDE * HEIGHT, place % SIDE * WIDTH
        part, truth = scenes[place % 9]
        picture[top : top + HEIGHT, left : left + WIDTH] = part
        boxes.append(truth.xyxy + np.array([left, top] * 2, np.float32))
        rows.append(truth)
    columns = [
        np.concatenate([getattr(one, name) for one in rows])
        for name in ("class_id", "track_id", "visibility")
    ]
    return picture, Truth(np.concatenate(boxes), *columns)


def found(run: Any, feed: Any, picture: np.ndarray, options: str) -> Any:
    height, width = picture.shape[:2]
    chain = (
        f"nvstreammux name=m batch-size=1 ! hrinfer model={DEMO} {options} ! fakesink name=sink sync=false"
    )
    one = run(f"appsrc name=s ! m.sink_0 {chain}")
    feeder = feed(one["s"], f"video/x-raw,format=BGR,width={width},height={height}")
    one.play()
    feeder.push(picture.tobytes())
    feeder.end()
    one.wait().stop()
    assert one.errors == []
    return one.out.frames[0].detections


def score(run: Any, feed: Any, streets: tuple[np.ndarray, Truth], options: str) -> DetectionScore:
    picture, truth = streets
    return detection_score([found(run, feed, picture, options)], [truth])


def test_tiles_find_what_the_whole_frame_hides(
    run: Any, feed: Any, streets: tuple[np.ndarray, Truth]
) -> None:
    whole = score(run, feed, streets, "")
    tiles = score(run, feed, streets, "tile-size=640x360")
    assert whole.recall < 0.1
    assert tiles.recall > 0.95
    assert tiles.precision > 0.8


def test_merging_finds_each_object_once(run: Any, feed: Any, streets: tuple[np.ndarray, Truth]) -> None:
    apart = score(run, feed, streets, "tile-size=640x360 merge=none")
    joined = score(run, feed, streets, "tile-size=640x360")
    assert apart.false_alarms > 3 * joined.false_alarms
