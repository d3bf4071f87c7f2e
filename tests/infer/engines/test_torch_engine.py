"""What only the torch engine has: programs and checkpoints, tensors, number types."""

import pickle
import zipfile

import numpy as np
import pytest
from engine_models import example, pt2, script, tiny, torchscript

from headrace.errors import ConfigError, ModelError
from headrace.infer.engines import EngineOptions, open_engine, run_batch

torch = pytest.importorskip("torch")


class Bomb:
    """What a pickle can do: whatever its author likes."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (open, (str(self.mark), "w"))


def ones(rows):
    return np.full((rows, 3, 32, 32), 0.5, np.float32)


@pytest.mark.parametrize("content", ["module", "weights"])
def test_a_checkpoint_is_refused_with_the_way_out_and_never_unpickled(tmp_path, content):
    path, mark = tmp_path / "net.pt", tmp_path / "mark"
    torch.save({"model": Bomb(mark)} if content == "module" else tiny().state_dict(), path)
    with pytest.raises(ModelError, match=r"net\.pt is a checkpoint.*torch\.export\.save.*engine=ultralytics"):
        open_engine(path)
    assert not mark.exists()


@pytest.mark.parametrize("inside", ["data/sample_inputs/model.pt", "data/constants/opaque_obj_0", "config"])
def test_an_exported_program_that_holds_pickled_code_is_refused(tmp_path, inside):
    mark, bad = tmp_path / "mark", tmp_path / "bad.pt2"
    torch.save(Bomb(mark), tmp_path / "bomb")
    with zipfile.ZipFile(pt2(tmp_path)) as good, zipfile.ZipFile(bad, "w") as archive:
        for name in good.namelist():
            content = good.read(name)
            if name.endswith(inside) or (inside == "config" and name.endswith("weight_0")):
                content = (tmp_path / "bomb").read_bytes()
            if inside == "config" and name.endswith("weights_config.json"):
                content = content.replace(b'"use_pickle": false', b'"use_pickle": true')
            archive.writestr(name, content)
        if "opaque" in inside:
            archive.writestr(f"{good.namelist()[0].partition('/')[0]}/{inside}", pickle.dumps(Bomb(mark)))
    with pytest.raises(ModelError, match=r"bad\.pt2 holds pickled objects .*could run any code"):
        open_engine(bad)
    assert not mark.exists()


def test_an_exported_program_with_parts_of_the_same_name_is_refused(tmp_path):
    path = pt2(tmp_path)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr(archive.namelist()[0], b"another")
    with pytest.raises(ModelError, match=r"tiny\.pt2 holds parts of the same name"):
        open_engine(path)


def test_a_pt_file_that_is_torchscript_runs(tmp_path):
    path = torchscript(tmp_path).rename(tmp_path / "tiny.pt")
    engine = open_engine(path)
    assert (engine.name, engine.description) == ("torch", f"torch {torch.__version__} on cpu, f32")
    np.testing.assert_allclose(run_batch(engine, ones(3))["output0"][:, 5, 3], 0.5, rtol=1e-5)


def test_a_torchscript_file_without_a_size_needs_input_size(tmp_path):
    path = script(tmp_path / "bare.torchscript", tiny(), example("batch", 32, False))
    with pytest.raises(
        ModelError, match=r"bare\.torchscript does not tell the size of its input images .*set input_size"
    ):
        open_engine(path)
    engine = open_engine(path, options=EngineOptions(input_size=(48, 32)))
    assert engine.graph.inputs[0].shape == (None, 3, 32, 48)


def test_tensors_come_out_where_tensors_go_in(tmp_path):
    engine = open_engine(torchscript(tmp_path, batch=2))
    outputs = run_batch(engine, torch.from_numpy(ones(3)))
    assert isinstance(outputs["output0"], torch.Tensor)
    assert outputs["output0"].shape == (3, 6, 21)
    assert not outputs["output0"].requires_grad
    assert isinstance(run_batch(engine, ones(3))["output0"], np.ndarray)


def test_arrays_in_any_memory_go_in(tmp_path):
    engine = open_engine(pt2(tmp_path))
    fixed = ones(2)
    fixed.flags.writeable = False
    for array in (fixed, np.flip(ones(2), 3), np.broadcast_to(np.float32(0.5), (2, 3, 32, 32))):
        np.testing.assert_allclose(engine.run({"images": array})["output0"][:, 5, 3], 0.5, rtol=1e-5)


def test_bf16_computes_in_16_bits_and_gives_float32(tmp_path):
    options = EngineOptions(precision="bf16", device="cpu")
    for path in (torchscript(tmp_path), pt2(tmp_path)):
        engine = open_engine(path, options=options)
        (output,) = engine.run({"images": ones(1) * np.float32(1.003)}).values()
        assert output.dtype == np.float32
        assert 0 < abs(output[0, 5, 3] - 0.5015) < 0.005
        assert engine.description.endswith("on cpu, bf16")


class Many(torch.nn.Module):
    def forward(self, images, scale):
        return {"boxes": images.mean(1) * scale[:, None, None], "scores": [images.sum((1, 2, 3)), images]}


class Nested(torch.nn.Module):
    def forward(self, images):
        return images.mean((1, 2, 3)), [images[:, 0], {"third": images[:, 1]}]


def test_outputs_have_the_names_of_a_mapping_or_numbers(tmp_path):
    path = tmp_path / "nested.pt2"
    torch.export.save(torch.export.export(Nested(), (torch.zeros(2, 3, 8, 8),)), path)
    engine = open_engine(path)
    assert list(map(str, engine.graph.outputs)) == [
        "output0 float32[2]", "output1 float32[2, 8, 8]", "output2 float32[2, 8, 8]",
    ]  # fmt: skip


def test_an_exported_program_may_take_several_inputs(tmp_path):
    path = tmp_path / "many.pt2"
    torch.export.save(torch.export.export(Many(), (torch.zeros(2, 3, 8, 8), torch.ones(2))), path)
    engine = open_engine(path)
    assert list(map(str, engine.graph.inputs)) == ["images float32[2, 3, 8, 8]", "scale float32[2]"]
    images, scale = np.ones((2, 3, 8, 8), np.float32), np.array([2, 3], np.float32)
    outputs = engine.run({"scale": scale, "images": images})
    np.testing.assert_allclose(outputs["boxes"][:, 0, 0], [2, 3])


def test_metadata_of_exporters_is_text_by_key(tmp_path):
    metadata = {"names": {"0": "cat"}, "imgsz": [32, 32], "task": "detect"}
    graph = open_engine(torchscript(tmp_path, metadata=metadata)).graph
    assert graph.metadata["task"] == "detect"
    assert graph.input_size() == (32, 32)
    broken = script(tmp_path / "odd.torchscript", tiny(), example("batch", 32, False), [1])
    with pytest.raises(ModelError, match=r"odd\.torchscript: config\.txt in it is no JSON object"):
        open_engine(broken)


@pytest.mark.parametrize(
    ("options", "error", "word"),
    [
        ({"device": "GPU"}, ConfigError, r"device=GPU: engine torch runs on cpu"),
        ({"device": "cuda:99"}, ModelError, r"sees cpu.*but not cuda:99; see nvidia-smi"),
        (
            {"device": "cpu", "precision": "f16"},
            ConfigError,
            "precision=f16: engine torch computes in f32, bf16 on cpu",
        ),
    ],
)
def test_devices_and_precisions_that_are_not_there(tmp_path, options, error, word):
    with pytest.raises(error, match=word):
        open_engine(torchscript(tmp_path), "torch", EngineOptions(**options))


def test_a_module_that_fails_names_shapes_and_reason(tmp_path):
    class Picky(torch.nn.Module):
        def forward(self, images):
            return images.reshape(-1, 7)

    path = script(tmp_path / "picky.torchscript", Picky(), torch.zeros(7, 3, 8, 8))
    with pytest.raises(
        ModelError, match=r"picky\.torchscript failed on images float32\[1, 3, 8, 8\].*input_size"
    ):
        open_engine(path, options=EngineOptions(input_size=(8, 8)))


MODULE = """
import torch

class Net(torch.nn.Module):
    metadata = {"names": {0: "cat", 1: "dog"}, "imgsz": [32, 64]}

    def __init__(self):
        super().__init__()
        self.stem = torch.nn.Conv2d(3, 2, 1, bias=False)
        torch.nn.init.constant_(self.stem.weight, 0.0)
        self.drop = torch.nn.Dropout()

    def forward(self, images):
        rows = torch.zeros(len(images), 6, 21)
        rows[:, :4, 3] = torch.tensor([16.0, 12, 8, 4])
        rows[:, 5, 3] = 0.75 + self.drop(self.stem(images)).sum((1, 2, 3))
        return rows

class Broken(Net):
    def __init__(self):
        raise OSError("no weights here")

net = Net()
"""


@pytest.mark.parametrize("name", ["Net", "net"])
def test_a_module_of_the_users_own_is_a_model_read_by_a_decoder(tmp_path, name):
    from headrace.frames import Frame
    from headrace.infer import FrameBatch, InferOptions, load_model

    (tmp_path / "own.py").write_text(MODULE)
    model = load_model(f"{tmp_path / 'own.py'}:{name}", InferOptions(decoder="yolov8", threads=1))
    assert model.labels == ("cat", "dog")
    assert (model.network.width, model.network.height) == (64, 32)
    (result,) = model.results(FrameBatch([Frame.from_array(np.zeros((32, 64, 3), np.uint8), "RGB")]))
    assert result.detections.xyxy.tolist() == [[12, 10, 20, 14]]
    assert (result.detections.class_id.tolist(), result.detections.confidence.tolist()) == ([1], [0.75])
    model.close()


def test_a_module_that_cannot_be_made_or_sized_is_named(tmp_path):
    from headrace.infer import load_model

    (tmp_path / "own.py").write_text(MODULE.replace('"imgsz": [32, 64]', ""))
    with pytest.raises(ModelError, match=r"own\.py:Broken failed to load: OSError: no weights here"):
        load_model(f"{tmp_path / 'own.py'}:Broken")
    with pytest.raises(ModelError, match=r"own\.py:Net does not tell the size of its input .*set input_size"):
        load_model(f"{tmp_path / 'own.py'}:Net")
