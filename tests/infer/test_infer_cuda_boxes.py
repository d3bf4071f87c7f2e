"""Boxes chosen on the device are those of the usual way; on a GPU, or in Triton's interpreter."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("triton")
from cuda_frames import DEVICE  # noqa: E402

from headrace.infer.cuda_boxes import ROOM, CudaBoxes  # noqa: E402
from headrace.infer.decoders import DecodeOptions  # noqa: E402
from headrace.infer.decoders.yolov5_decoder import DECODER as YOLOV5  # noqa: E402
from headrace.infer.decoders.yolov6_decoder import DECODER as YOLOV6  # noqa: E402
from headrace.infer.decoders.yolov8_decoder import DECODER as YOLOV8  # noqa: E402
from headrace.infer.decoders.yolox_decoder import DECODER as YOLOX  # noqa: E402
from headrace.infer.nms import suppress  # noqa: E402
from headrace.infer.options import InferOptions  # noqa: E402

pytestmark = pytest.mark.gpu if DEVICE == "cuda" else []
SIDE, CELLS = 96, 189  # of strides 8, 16 and 32


def outputs(rng, decoder, frames=2, classes=3, rounded=False, likely=0.1, dtype=torch.float32):
    """What a network might say: ``likely`` of the cells have a score above one half, the first frame has none."""
    centres, sizes = rng.uniform(0, SIDE, (frames, CELLS, 2)), rng.uniform(-2, 40, (frames, CELLS, 2))
    scores = rng.random((frames, CELLS, classes)) * 0.04
    scores[rng.random((frames, CELLS)) < likely] += rng.random(classes) * 0.8
    scores[0] = 0
    boxes = np.concatenate([centres, sizes], 2)
    if rounded:  # many equal scores, equal boxes, and overlaps that equal the threshold
        boxes, scores = boxes.round(-1), scores.round(1)
    if decoder is YOLOV8:
        table = np.concatenate([boxes, scores], 2).transpose(0, 2, 1)
    else:
        trust = rng.random((frames, CELLS, 1)) if not rounded else np.ones((frames, CELLS, 1))
        table = np.concatenate([boxes, trust**0.2, scores], 2)
    return torch.from_numpy(np.ascontiguousarray(table)).to(dtype)


def usual(decoder, output, options):
    """As `FileModel` reads outputs on the host."""
    found = decoder.decode({"output0": output.float()}, decode_options(options)).numpy()
    least = np.full(200, options.confidence)
    for number, value in options.class_confidence.items():
        least[number] = value
    found = found[found.confidence >= (least[found.class_id] if options.class_confidence else 0)]
    if options.classes is not None:
        found = found[np.isin(found.class_id, options.classes)]
    return suppress(found, options.nms, options.nms_mode)


def decode_options(options):
    return DecodeOptions(min([options.confidence, *options.class_confidence.values()]), SIDE, SIDE)


def chosen(decoder, output, options):
    boxes = CudaBoxes(decoder, ["output0"], decode_options(options), options)
    return CudaBoxes.read(boxes([output.to(DEVICE)]).cpu().numpy(), len(output))


def assert_same(found, wanted):
    for name in ("frame", "class_id", "confidence", "xyxy"):
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name), name)


@pytest.mark.parametrize("decoder", [YOLOV8, YOLOV5], ids=["yolov8", "yolov5"])
@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        InferOptions(),
        InferOptions(confidence=0.5, nms=0.5, nms_mode="agnostic"),
        InferOptions(confidence=0.7, nms=0.0),
        InferOptions(confidence=0.4, nms=1.0),
        InferOptions(nms_mode="none"),
        InferOptions(class_confidence={0: 0.7, 2: 0.15, 99: 0.1}, classes=(0, 2)),
    ],
)
def test_boxes_order_and_classes_are_those_of_the_host(decoder, rounded, options):
    seed = round(options.confidence * 100)
    output = outputs(np.random.default_rng(seed), decoder, classes=(1, 3, 9)[seed % 3], rounded=rounded)
    found = chosen(decoder, output, options)
    assert not found.unread
    assert_same(found.candidates, usual(decoder, output, options))


def test_sixteen_bits_and_rows_beyond_the_batch():
    output = outputs(np.random.default_rng(5), YOLOV8, frames=3, dtype=torch.float16)
    boxes = CudaBoxes(YOLOV8, ["output0"], decode_options(InferOptions()), InferOptions())
    found = CudaBoxes.read(boxes([output.to(DEVICE)]).cpu().numpy(), 2)
    assert_same(found.candidates, usual(YOLOV8, output[:2], InferOptions()))


def test_thresholds_change_between_runs():
    output = outputs(np.random.default_rng(2), YOLOV8, likely=0.3).to(DEVICE)
    first, then = InferOptions(), InferOptions(confidence=0.6, nms=0.2, nms_mode="agnostic", classes=(1,))
    boxes = CudaBoxes(YOLOV8, ["output0"], decode_options(first), first)
    for options in (first, then):
        boxes.adjust(decode_options(options), options)
        found = CudaBoxes.read(boxes([output]).cpu().numpy(), 2).candidates
        assert_same(found, usual(YOLOV8, output.cpu(), options))


def test_frames_with_too_many_candidates_or_odd_numbers_are_left_to_be_read():
    rng = np.random.default_rng(0)
    columns = np.zeros((4, 6, 672), np.float32)  # 320x96
    columns[:, :4] = rng.uniform(1, 60, (4, 4, 672))
    columns[0, 4, : ROOM + 1] = columns[1, 4, :5] = columns[2, 4, :5] = columns[3, 4, :5] = 0.9
    columns[2, 5, 17] = np.nan
    columns[3, 2, 3] = np.inf
    options = InferOptions()
    boxes = CudaBoxes(YOLOV8, ["output0"], DecodeOptions(0.25, 256, 128), options)
    found = CudaBoxes.read(boxes([torch.from_numpy(columns).to(DEVICE)]).cpu().numpy(), 4)
    assert found.unread == [0, 2, 3]
    assert set(found.candidates.frame) == {1}


def test_many_candidates_up_to_the_room():
    columns = np.zeros((1, 5, 672), np.float32)
    cells = np.arange(ROOM)
    columns[0, 0, :ROOM], columns[0, 1, :ROOM] = cells % 32 * 10, cells // 32 * 10
    columns[0, 2:4] = 8
    columns[0, 4, :ROOM] = 0.5
    boxes = CudaBoxes(YOLOV8, ["output0"], DecodeOptions(0.25, 256, 128), InferOptions(nms_mode="none"))
    found = CudaBoxes.read(boxes([torch.from_numpy(columns).to(DEVICE)]).cpu().numpy(), 1)
    assert not found.unread
    np.testing.assert_array_equal(found.candidates.xyxy[:, 0], cells % 32 * 10 - 4)  # equal scores: by cell


@pytest.mark.parametrize("decoded", [None, False, True])
def test_yolox_with_boxes_of_cells_and_of_pixels(decoded):
    rng, options = np.random.default_rng(1), InferOptions()
    table = outputs(rng, YOLOV5).numpy()
    if not decoded:  # offsets and logarithms
        table[..., :4] = rng.uniform(-1, 1, (*table.shape[:2], 4))
    else:
        table[..., 2:4] = np.abs(table[..., 2:4]) + 1
    settings = {} if decoded is None else {"decoded": decoded}
    decode = DecodeOptions(options.confidence, SIDE, SIDE, settings=settings)
    boxes = CudaBoxes(YOLOX, ["output"], decode, options)
    found = CudaBoxes.read(boxes([torch.from_numpy(table).to(DEVICE)]).cpu().numpy(), len(table)).candidates
    wanted = suppress(YOLOX.decode({"output": torch.from_numpy(table)}, decode).numpy(), options.nms)
    np.testing.assert_array_equal(found.class_id, wanted.class_id)
    np.testing.assert_allclose(found.xyxy, wanted.xyxy, rtol=1e-5)
    assert len(found)


def test_yolov6():
    table = outputs(np.random.default_rng(3), YOLOV5, rounded=True)
    assert_same(chosen(YOLOV6, table, InferOptions()).candidates, usual(YOLOV6, table, InferOptions()))
