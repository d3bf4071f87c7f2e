"""The same families as files: made into input as the family's own code does it, decoded, and mapped to the frame."""

from __future__ import annotations

import numpy as np
import pytest
from family_cases import ANGLES, CASES, FIRST, points_of
from family_graphs import COLOR, build, canvas

from headrace.frames import Frame
from headrace.infer import FrameBatch, InferOptions, load_model

CONFIDENCE = 0.4
FRAME = (200, 160)


def model_of(case, path, frame_size=FRAME, **options):
    labels = None if case.labels is None or "names" in case.metadata else tuple(map(str, range(case.labels)))
    decoder = case.decoder if case.named else "auto"
    # Half a batch of open size, half fixed: unbatched outputs come from files with a fixed batch.
    batch = "batch" if case.batched else 1
    file = build(path / "family.onnx", case, frame_size, batch)
    settings = InferOptions(
        confidence=CONFIDENCE,
        labels=labels,
        decoder=decoder,
        decoder_options=case.settings,
        threads=1,
        **options,
    )
    return load_model(file, settings)


def frames(count, size=FRAME):
    picture = np.empty((size[1], size[0], 3), np.uint8)
    picture[:] = COLOR
    return FrameBatch([Frame.from_array(picture, "RGB")] * count)


def in_frame(case, box):
    _, (left, top, across, down) = canvas(case, FRAME)
    scale = across / FRAME[0], down / FRAME[1]
    corners = (np.array(box) - [left, top] * 2) / [*scale, *scale]
    return corners if "rotation" in case.extra else corners.clip(0, [*FRAME, *FRAME])


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("name", CASES)
def test_a_file_gives_the_objects_of_the_frame(name, count, tmp_path):
    case = CASES[name]
    model = model_of(case, tmp_path)
    results = model.results(frames(count))
    model.close()
    assert (model.decoder.name, len(results)) == (case.decoder, count)
    wanted = sorted((*in_frame(case, box), k, p) for *box, k, p in FIRST if p >= CONFIDENCE)
    for result in results:
        found = result.detections
        rows = sorted((*box.tolist(), k, p) for box, p, k, _ in found)
        np.testing.assert_allclose(rows, wanted, atol=0.02)
        order = np.argsort(found.xyxy[:, 0])
        if "rotation" in case.extra:
            np.testing.assert_allclose(found.rotation[order], ANGLES[:2], atol=1e-3)
        if "keypoints" in case.extra:
            points = [in_frame(case, [*point[:2]] * 2)[:2] for point in points_of(FIRST[0])]
            np.testing.assert_allclose(found.keypoints[order][0, :, :2], points, atol=0.02)
        if "masks" in case.extra:
            assert found.masks.shape == (2, 64, 64)
