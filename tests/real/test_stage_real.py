"""Regions, tiles and skipped frames on real clips, against a plain script on crops of the same frames."""

import cv2
import numpy as np
import pytest
from chains import Chain
from plain_yolox import CARS, CONFIDENCE, PEOPLE, REAL, PlainYolox, agreement

from headrace.flow import BatchMetadataOperator, BufferOperator, Probe

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not (REAL / "videos").is_dir(), reason="HEADRACE_REAL has no videos"),
]
YOLOX = {"model": str(REAL / "models" / "yolox_nano.onnx"), "confidence": CONFIDENCE, "threads": 2}


class Chosen(BufferOperator):
    """Lets only some frames through."""

    def __init__(self, numbers):
        self.numbers, self.count = numbers, -1

    def handle_buffer(self, buffer):
        self.count += 1
        return self.count in self.numbers


class LookedAt(BatchMetadataOperator):
    """Counts the frames that the model saw."""

    count = 0

    def handle_metadata(self, batch_meta):
        self.count += sum(frame.infer_done for frame in batch_meta.frame_items)


def played(clip, numbers, **options):
    """Frames, and how many of them the model saw."""
    chain, looked = Chain([REAL / "videos" / clip], ("hrinfer", {**YOLOX, **options})), LookedAt()
    chain.pipeline.attach("mux", Probe("chosen", Chosen(numbers)))
    chain.pipeline.attach("hrinfer", Probe("looked", looked))
    done = chain.play(150)
    assert done.error is None
    return done.frames[0], looked.count


def pictures(clip, numbers):
    capture, number = cv2.VideoCapture(str(REAL / "videos" / clip)), -1
    while (read := capture.read())[0]:
        number += 1
        if number in numbers:
            yield read[1]


def test_a_region_is_what_a_plain_script_finds_in_the_crop():
    left, top, width, height = 160, 40, 480, 380
    numbers = range(0, 370, 12)
    frames, _ = played(CARS, numbers, regions=f"0:{left},{top},{width},{height}")
    plain, pairs = PlainYolox(), []
    for seen, picture in zip(frames, pictures(CARS, numbers), strict=True):
        crop = np.ascontiguousarray(picture[top : top + height, left : left + width])
        moved = [(c, k, np.add(box, [left, top] * 2)) for c, k, box in plain(crop, CONFIDENCE)]
        pairs.append((seen.found, moved))
    f1, hits = agreement(pairs)
    assert hits >= 5
    assert f1 >= 0.99


@pytest.mark.parametrize("clip", [PEOPLE, CARS], ids=["people", "cars"])
def test_frames_without_motion_are_spared_and_hold_what_was_found(clip):
    numbers = range(120)
    every, _ = played(clip, numbers)
    gated, looked = played(clip, numbers, gate="motion", **{"gate-hold": 2, "skipped-frames": "hold"})
    assert [seen.number for seen in gated] == list(numbers)
    assert looked < 100
    wanted = [[(float(c), int(k), box) for box, c, k, _ in seen.found] for seen in every]
    f1, _ = agreement([(seen.found, rows) for seen, rows in zip(gated, wanted, strict=True)])
    assert f1 >= 0.9
