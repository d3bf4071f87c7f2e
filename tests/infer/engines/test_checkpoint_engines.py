"""Engines over the user's own installation of a library; stand-ins have the attributes that those document."""

import sys
import textwrap

import numpy as np
import pytest

from headrace.errors import ModelError
from headrace.infer.engines import EngineOptions, available_engines, open_engine, run_batch
from headrace.infer.files.labels import labels_in_metadata

pytest.importorskip("torch")

ULTRALYTICS = """
    import torch

    __version__ = "8.9"

    class Head(torch.nn.Module):
        export, format = False, None

        def forward(self, x):
            rows = x.flatten(2)
            return rows if self.export else (rows, {"feats": [x]})

    class Net(torch.nn.Module):
        task, names, args, stride = "detect", {0: "cat", 1: "dog"}, {"imgsz": [48, 32]}, torch.tensor([8.0, 16.0])
        yaml = {"channels": 3}

        def __init__(self):
            super().__init__()
            self.conv, self.head = torch.nn.Conv2d(3, 6, 8, stride=8), Head()

        def fuse(self, verbose=True):
            return self

        def forward(self, x):
            return self.head(self.conv(x))

    class YOLO:
        def __init__(self, model):
            if "broken" in model:
                raise KeyError("model")
            self.model = Net().half().train()
"""
RFDETR = """
    from types import SimpleNamespace

    import torch

    class Net(torch.nn.Module):
        def __init__(self, classes):
            super().__init__()
            self.stem, self.class_embed = torch.nn.Conv2d(3, 5, 16, stride=16), torch.nn.Linear(5, classes)

        def export(self):
            self.forward = self.forward_export

        def forward_export(self, x):
            rows = self.stem(x).flatten(2).mT
            return rows[..., :4], self.class_embed(rows)

    class RFDETR:
        @classmethod
        def from_checkpoint(cls, path, device):
            if "broken" in path:
                raise ValueError("no model_name in it")
            coco = "coco" in path
            return SimpleNamespace(
                model=SimpleNamespace(model=Net(91 if coco else 3)),
                model_config=SimpleNamespace(resolution=32),
                class_names=["person"] * 80 if coco else ["cat", "dog"],
            )
"""
COCO_CLASSES = "COCO_CLASSES = {1: 'person', 18: 'dog'}"


@pytest.fixture
def libraries(tmp_path, monkeypatch):
    """Stand-ins that can be imported."""
    for name, text in (("ultralytics", ULTRALYTICS), ("rfdetr", RFDETR)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(textwrap.dedent(text))
    (tmp_path / "rfdetr" / "assets").mkdir()
    (tmp_path / "rfdetr" / "assets" / "__init__.py").touch()
    (tmp_path / "rfdetr" / "assets" / "coco_classes.py").write_text(COCO_CLASSES)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.split(".")[0] in ("ultralytics", "rfdetr")]:
        monkeypatch.delitem(sys.modules, name)
    yield
    for name in [name for name in sys.modules if name.split(".")[0] in ("ultralytics", "rfdetr")]:
        del sys.modules[name]


def file(folder, name):
    (folder / name).write_bytes(b"weights")
    return folder / name


def test_an_ultralytics_checkpoint_gives_what_its_export_would(tmp_path, libraries):
    engine = open_engine(file(tmp_path, "net.pt"), "ultralytics")
    assert engine.name == "ultralytics"
    assert [*map(str, engine.graph.inputs), *map(str, engine.graph.outputs)] == [
        "images float32[?, 3, 48, 32]", "output0 float32[?, 6, 24]",
    ]  # fmt: skip
    assert labels_in_metadata(dict(engine.graph.metadata), "net.pt") == ("cat", "dog")
    assert {key: engine.graph.metadata[key] for key in ("task", "imgsz", "stride", "channels")} == {
        "task": "detect", "imgsz": "[48, 32]", "stride": "16", "channels": "3",
    }  # fmt: skip
    outputs = run_batch(engine, np.zeros((3, 3, 48, 32), np.float32))
    assert outputs["output0"].shape == (3, 6, 24)


def test_another_size_is_taken_by_a_checkpoint(tmp_path, libraries):
    engine = open_engine(file(tmp_path, "net.pt"), "ultralytics", EngineOptions(input_size=(64, 64)))
    assert engine.graph.input_size() == (64, 64)


def test_rfdetr_names_its_outputs_and_classes(tmp_path, libraries):
    engine = open_engine(file(tmp_path, "own.pth"), "rfdetr")
    assert list(map(str, engine.graph.outputs)) == [
        "pred_boxes float32[?, 4, 4]",
        "pred_logits float32[?, 4, 3]",
    ]
    assert labels_in_metadata(dict(engine.graph.metadata), "") == ("cat", "dog", "class 2")
    engine = open_engine(file(tmp_path, "coco.pth"), "rfdetr")
    names = labels_in_metadata(dict(engine.graph.metadata), "")
    assert (len(names), names[0], names[1], names[18]) == (91, "class 0", "person", "dog")


@pytest.mark.parametrize(
    ("engine", "reason"), [("ultralytics", "'model'"), ("rfdetr", "no model_name in it")]
)
def test_a_checkpoint_that_the_library_refuses_is_named(tmp_path, libraries, engine, reason):
    path = file(tmp_path, "broken.pt")
    with pytest.raises(ModelError, match=rf"broken\.pt cannot be loaded by {engine}.*{reason}; copy"):
        open_engine(path, engine)


def test_neither_is_used_unless_it_is_named(tmp_path, libraries):
    assert {"ultralytics", "rfdetr"} <= set(available_engines())
    with pytest.raises(ModelError, match="cannot be loaded by torch"):
        open_engine(file(tmp_path, "net.pt"))
    assert not {"ultralytics", "rfdetr"} & set(sys.modules)


@pytest.mark.parametrize("engine", ["ultralytics", "rfdetr"])
def test_a_missing_library_names_what_to_install(tmp_path, engine):
    if engine in available_engines():
        pytest.skip(f"{engine} is installed")
    with pytest.raises(ModelError, match=rf"needs {engine}, which is not installed: pip install {engine}"):
        open_engine(file(tmp_path, "net.pt"), engine)
