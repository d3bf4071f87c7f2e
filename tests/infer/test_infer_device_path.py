"""A model whose engine offers slots finds the same, wherever the frames lie; on a GPU, or on a stand-in for one."""

from contextlib import contextmanager

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("triton")
from cuda_frames import DEVICE, on_device, picture  # noqa: E402

from headrace.errors import ModelError  # noqa: E402
from headrace.frames import Colorimetry  # noqa: E402
from headrace.infer import FrameBatch, InferOptions  # noqa: E402
from headrace.infer import cuda_boxes as boxes_module  # noqa: E402
from headrace.infer.engines.torch_engine import open_module  # noqa: E402
from headrace.infer.files.file_model import FileModel, ModelFile  # noqa: E402
from headrace.infer.preprocess import cuda  # noqa: E402

pytestmark = pytest.mark.gpu if DEVICE == "cuda" else []


@pytest.fixture(autouse=True)
def few_programs(monkeypatch):
    if DEVICE == "cpu":
        monkeypatch.setattr(cuda, "_BLOCK", 1 << 16)


class Net(torch.nn.Module):
    """Shaped as YOLOv8 with six classes, 64x64."""

    metadata = {"imgsz": [64, 64], "names": {number: str(number) for number in range(6)}}  # noqa: RUF012

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        layers = [
            torch.nn.Sequential(torch.nn.Conv2d(*c, 3, 2, 1), torch.nn.SiLU())
            for c in ((3, 16), (16, 32), (32, 64))
        ]
        self.stem, self.head, self.pool = (
            torch.nn.Sequential(*layers),
            torch.nn.Conv2d(64, 10, 1),
            torch.nn.AvgPool2d(2),
        )

    def forward(self, pictures):
        maps = [self.stem(pictures)]
        maps += [self.pool(maps[0])]
        maps += [self.pool(maps[1])]
        y = torch.cat([self.head(one).flatten(2) for one in maps], 2)
        y = (y - y.mean(2, keepdim=True)) * 20
        return torch.cat(
            [y[:, :2].sigmoid() * 60, y[:, 2:4].sigmoid() * 30, (y[:, 4:] * 20 - 1).sigmoid()], 1
        )


class StandIn:
    """Slots of an engine on the CPU, which says that it is a GPU."""

    device, rows, concurrency = (2, 0), None, 2

    def __init__(self, engine):
        self.engine, self.used = engine, []
        self.name, self.description, self.graph = engine.name, engine.description, engine.graph

    def run(self, inputs):
        return self.engine.run(inputs)

    def close(self):
        self.engine.close()

    @contextmanager
    def slot(self, rows, size, finish=None):
        self.used.append((rows, finish is not None))
        yield _Slot(self.engine, rows, size, finish)


class _Slot:
    def __init__(self, engine, rows, size, finish):
        self.engine, self.rows, self.finish = engine, rows, finish
        self.input = torch.full((1 << (rows - 1).bit_length(), 3, size[1], size[0]), 0.4)

    def run(self):
        self.found = self.engine.run({self.engine.graph.inputs[0].name: self.input})
        return None if self.finish is None else self.finish(list(self.found.values())).numpy()

    def outputs(self):
        return {name: tensor[: self.rows] for name, tensor in self.found.items()}


def opened(slots, **options):
    device = "cuda" if slots and DEVICE == "cuda" else "cpu"
    options = InferOptions(model="net.py:Net", device=device, precision="f32", input_size=(64, 64), **options)

    def engine(how):
        made = open_module(Net(), "net.py:Net", how)
        return StandIn(made) if slots and DEVICE == "cpu" else made

    return FileModel(ModelFile.open(options, engine))


def frames():
    return [
        picture(*size, Colorimetry("bt709"), n) for n, size in enumerate([(512, 288), (96, 96), (200, 120)])
    ]


def assert_alike(found, wanted, pixels=0.02):
    for one, other in zip(found, wanted, strict=True):
        assert len(one.detections) == len(other.detections) > 0
        np.testing.assert_array_equal(one.detections.class_id, other.detections.class_id)
        np.testing.assert_allclose(one.detections.xyxy, other.detections.xyxy, atol=pixels)
        np.testing.assert_allclose(one.detections.confidence, other.detections.confidence, atol=2e-3)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"nms_mode": "soft"},
        {"output_tensors": True},
        {"confidence": 0.01, "classes": (1, 4), "max_detections": 3},
    ],
)
def test_results_are_those_of_the_host(options):
    usual, direct = opened(False, **options), opened(True, **options)
    batch = frames()
    for _ in range(2):  # the first batch is read the usual way
        assert_alike(direct.results(FrameBatch(batch)), usual.results(FrameBatch(batch)))
    assert_alike(direct.results(FrameBatch(batch[:1])), usual.results(FrameBatch(batch[:1])))
    for model in (usual, direct):
        model.adjust(InferOptions(**options | {"confidence": 0.5, "nms": 0.2}))
    assert_alike(direct.results(FrameBatch(batch)), usual.results(FrameBatch(batch)))
    usual.close()
    direct.close()


def test_frames_on_the_device_are_read_there(monkeypatch):
    model = opened(True)
    on_host = [model.results(FrameBatch(frames())) for _ in range(2)][1]
    monkeypatch.setattr(
        "headrace.infer.batch.preprocess", None
    )  # nothing is prepared on the host from here on
    batch = FrameBatch([on_device(frame) for frame in frames()])
    found = model.results(batch)
    assert [len(one.detections) for one in found] == [len(one.detections) for one in on_host]
    if DEVICE == "cpu":
        assert model._engine.used == [(3, True)] * 3


def test_other_interpolations_go_by_way_of_the_host():
    ways = {"preprocess": {"interpolation": "area"}}
    direct, usual = opened(True, **ways), opened(False, **ways)
    batch = FrameBatch([on_device(frame) for frame in frames()])
    assert_alike(direct.results(batch), usual.results(FrameBatch(frames())))


def test_a_frame_with_too_many_boxes_loses_none(monkeypatch, caplog):
    monkeypatch.setattr(boxes_module, "ROOM", 8)
    model, usual = opened(True, confidence=0.0, nms=1.0), opened(False, confidence=0.0, nms=1.0)
    assert_alike(model.results(FrameBatch(frames())), usual.results(FrameBatch(frames())))
    assert_alike(model.results(FrameBatch(frames())), usual.results(FrameBatch(frames())))
    assert model._device_path.unread == 3
    said = [record.message for record in caplog.records if "more than 8 boxes" in record.message]
    assert len(said) == 1
    assert "raise the confidence" in said[0]


def test_a_network_that_gives_no_numbers_is_an_error_as_on_the_host(monkeypatch):
    monkeypatch.setattr(
        Net,
        "forward",
        lambda self, pictures: (
            self.head(self.stem(pictures)).flatten(2)[..., :1].expand(-1, -1, 84) * float("nan")
        ),
    )
    with pytest.raises(ModelError, match="holds NaN"):
        opened(True).results(FrameBatch(frames()))
