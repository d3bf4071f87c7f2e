"""Families without weights at hand: known objects come back exactly, guessed by the graph, in NumPy and torch."""

from __future__ import annotations

import numpy as np
import pytest
from family_cases import ANGLES, CASES, FIRST, OTHER, points_of

from headrace.infer.decoders import BoxDecoder, DecodeOptions, choose_decoder
from headrace.infer.engines import ModelGraph, TensorSpec
from headrace.infer.nms import suppress

torch = pytest.importorskip("torch")
CONFIDENCE = 0.4


def graph_of(case):
    lead = (1,) if case.batched else ()
    outputs = case.encode(FIRST).items()
    rows = [(None, *a.shape[1:]) if not case.batched and a.shape[0] != 1 else a.shape for _, a in outputs]
    specs = tuple(
        TensorSpec(name, (*lead, *shape), str(array.dtype))
        for (name, array), shape in zip(outputs, rows, strict=True)
    )
    width, height = case.size
    image = TensorSpec("images", (1, 3, height, width), "float32")
    return ModelGraph("m.onnx", (image,), specs, case.metadata, case.labels)


def decoder_of(case):
    guess = choose_decoder(graph_of(case), case.decoder if case.named else "auto")
    assert guess.decoder.name == case.decoder, guess
    return guess.decoder


def options_of(case, decoder):
    labels = tuple("class" for _ in range(case.labels or decoder.class_count(graph_of(case)) or 0))
    return DecodeOptions(CONFIDENCE, *case.size, labels, case.settings, case.metadata)


def batches(case):
    """Outputs and the objects of each picture of the batch."""
    if not case.batched:
        return [({name: a[None] for name, a in case.encode(FIRST).items()}, [FIRST])]
    rows = [case.encode(objects) for objects in (FIRST, [], OTHER)]
    return [({name: np.stack([row[name] for row in rows]) for name in rows[0]}, [FIRST, [], OTHER])]


def found_in(decoder, outputs, options, count):
    assert isinstance(decoder, BoxDecoder)
    boxes = suppress(
        decoder.decode(outputs, options).numpy(), 0.5, "class" if decoder.overlapping else "none"
    )
    return decoder.complete(boxes, outputs, options).split(count)


def floats(kind, array):
    return array.astype(kind) if array.dtype == np.float32 else array


NO_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")
CUDA = pytest.param("cuda", marks=[pytest.mark.gpu, NO_CUDA])
LIBRARIES = {
    "numpy": lambda array: array,
    "numpy half": lambda array: floats(np.float16, array),
    "torch": torch.from_numpy,
    "torch half": lambda array: torch.from_numpy(floats(np.float16, array)),
    "cuda": lambda array: torch.from_numpy(array).cuda(),
}


@pytest.mark.parametrize("library", [*list(LIBRARIES)[:-1], CUDA])
@pytest.mark.parametrize("name", CASES)
def test_objects_come_back_from_their_encoding(name, library):
    case = CASES[name]
    decoder = decoder_of(case)
    options = options_of(case, decoder)
    decoder.check(options)
    half = "half" in library
    for outputs, pictures in batches(case):
        arrays = {key: LIBRARIES[library](np.ascontiguousarray(array)) for key, array in outputs.items()}
        found = found_in(decoder, arrays, options, len(pictures))
        for one, objects in zip(found, pictures, strict=True):
            sure = [row for row in objects if row[5] >= CONFIDENCE]
            order = np.argsort(one.xyxy[:, 0])
            assert one.class_id[order].tolist() == [row[4] for row in sorted(sure)]
            wanted = np.array([row[:4] for row in sorted(sure)]).reshape(-1, 4)
            # Half precision holds 90 to a sixteenth; where a logarithm of a size is kept, a little less.
            np.testing.assert_allclose(one.xyxy[order], wanted, atol=0.25 if half else 5e-3)
            np.testing.assert_allclose(
                one.confidence[order], [row[5] for row in sorted(sure)], atol=4e-3 if half else 1e-4
            )
            check_extra(case, one, objects, half)


def check_extra(case, found, objects, half):
    for row, confidence in enumerate(found.confidence):
        number = int(np.argmin([abs(one[5] - confidence) for one in objects]))
        if "rotation" in case.extra:
            assert found.rotation[row] == pytest.approx(ANGLES[number], abs=0.1 if half else 1e-3)
        if "keypoints" in case.extra:
            np.testing.assert_allclose(
                found.keypoints[row], points_of(objects[number]), atol=0.1 if half else 1e-3
            )
        if "masks" in case.extra:
            assert found.masks[row].shape == (64, 64)
            assert found.masks[row].min() > 0.99
