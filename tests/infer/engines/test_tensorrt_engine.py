"""The TensorRT engine without TensorRT: where plans are kept, what is said without it, and its calls on a stand-in."""

import contextlib
import importlib.util
import sys
import types

import numpy as np
import pytest
import standin_tensorrt
from engine_models import onnx

from headrace.errors import ModelError
from headrace.infer.engines import EngineOptions, available_engines, open_engine, run_batch
from headrace.infer.engines.tensorrt_engine import plan_place, read_plan, write_plan


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "headrace" / "tensorrt"


def test_a_plan_is_kept_for_the_content_and_all_that_is_built_into_it(tmp_path, cache):
    model, other = tmp_path / "net.onnx", tmp_path / "other.onnx"
    model.write_bytes(b"one")
    other.write_bytes(b"two")
    plain = EngineOptions()
    place = plan_place(model, plain, "10.0 H100")
    assert place.parent == cache
    assert place == plan_place(model, EngineOptions(threads=3), "10.0 H100")
    different = {
        place,
        plan_place(other, plain, "10.0 H100"),
        plan_place(model, plain, "10.1 H100"),
        plan_place(model, EngineOptions(precision="f32"), "10.0 H100"),
        plan_place(model, EngineOptions(input_size=(64, 64)), "10.0 H100"),
    }
    (tmp_path / "net.onnx.data").write_bytes(b"weights")
    different.add(plan_place(model, plain, "10.0 H100"))
    model.write_bytes(b"changed")
    different.add(plan_place(model, plain, "10.0 H100"))
    assert len({one.name.split("-")[1] for one in different}) == 7


def test_a_kept_plan_has_its_metadata_and_an_exporters_too(tmp_path):
    place = tmp_path / "net.engine"
    write_plan(place, b"ftrt plan", {"names": "{0: 'cat'}"})
    assert read_plan(place.read_bytes(), "net") == (b"ftrt plan", {"names": "{0: 'cat'}"})
    assert read_plan(b"ftrt\x00plan", "net") == (b"ftrt\x00plan", {})
    theirs = b'{"imgsz": [32, 32], "names": {"0": "cat"}}'
    plan, metadata = read_plan(len(theirs).to_bytes(4, "little") + theirs + b"ftrt", "net")
    assert (plan, metadata) == (b"ftrt", {"imgsz": "[32, 32]", "names": "{'0': 'cat'}"})
    with pytest.raises(ModelError, match=r"net\.engine is damaged"):
        read_plan(place.read_bytes()[:9], "net.engine")
    assert [path.name for path in tmp_path.iterdir()] == ["net.engine"]


def test_without_tensorrt_the_package_is_named(tmp_path):
    if "tensorrt" in available_engines():
        pytest.skip("tensorrt is installed")
    for name in ("net.engine", "net.plan"):
        (tmp_path / name).write_bytes(b"ftrt")
        for engine in ("auto", "tensorrt"):
            with pytest.raises(ModelError, match=r"tensorrt, which is not installed: pip install tensorrt"):
                open_engine(tmp_path / name, engine)
    (tmp_path / "net.onnx").write_bytes(b"onnx")
    with pytest.raises(ModelError, match="pip install tensorrt"):
        open_engine(tmp_path / "net.onnx", "tensorrt")


@pytest.fixture
def standin(monkeypatch, cache):
    """TensorRT's interface as documented, on the processor."""
    torch = pytest.importorskip("torch")
    spec = importlib.util.spec_from_file_location("tensorrt", standin_tensorrt.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "tensorrt", module)
    plans = importlib.import_module("headrace.infer.engines.tensorrt_plan")
    monkeypatch.setattr(plans, "_device", lambda path, options: torch.device("cpu"))
    monkeypatch.setattr(torch.cuda, "device", lambda device: contextlib.nullcontext())
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "GPU")
    stream = types.SimpleNamespace(cuda_stream=0, synchronize=lambda: None)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: stream)
    yield module
    del sys.modules["headrace.infer.engines.tensorrt_plan"]


def rows(count):
    return np.random.default_rng(1).random((count, 3, 32, 32), np.float32)


def test_a_plan_is_built_once_kept_and_run_in_parts_that_fit_it(tmp_path, cache, standin):
    path = onnx(tmp_path, metadata={"names": "{0: 'cat'}"})
    for _ in range(2):
        engine = open_engine(path, "tensorrt")
    assert standin.built == [(standin.BuilderFlag.FP16,)]
    assert len(list(cache.iterdir())) == 1
    assert [*map(str, engine.graph.inputs), *map(str, engine.graph.outputs)] == [
        "images float32[?, 3, 32, 32]", "doubled float32[?, 3, 32, 32]",
    ]  # fmt: skip
    assert engine.graph.metadata == {"names": "{0: 'cat'}"}
    for count in (1, 32, 70):
        np.testing.assert_array_equal(run_batch(engine, rows(count))["doubled"], rows(count) * 2)
    import torch

    assert isinstance(run_batch(engine, torch.from_numpy(rows(3)))["doubled"], torch.Tensor)
    engine.close()
    with pytest.raises(ModelError, match="is closed"):
        engine.run({"images": rows(1)})
    open_engine(path, "tensorrt", EngineOptions(precision="f32"))
    assert standin.built[1:] == [()]


def test_an_open_size_is_built_for_the_size_asked_for(tmp_path, cache, standin):
    path = onnx(tmp_path, batch=2, size="side")
    with pytest.raises(
        ModelError, match=r"tiny\.onnx: input float32\[2, 3, \?, \?\] has an open size; set input_size"
    ):
        open_engine(path, "tensorrt")
    engine = open_engine(path, "tensorrt", EngineOptions(input_size=(64, 32)))
    assert engine.graph.inputs[0].shape == (2, 3, 32, 64)


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        (
            "warp.onnx",
            None,
            r"warp\.onnx cannot be loaded by TensorRT 10\.9: No importer.*an operator is missing",
        ),
        (
            "net.engine",
            b"ftrt",
            r"net\.engine cannot be loaded by TensorRT 10\.9: it is damaged, or was built by",
        ),
        ("net.plan", b'["FP8", [1], [8], [32], [-1]]', "tensor images is FP8; build it with float32"),
    ],
)
def test_what_cannot_be_built_or_read_is_named(tmp_path, cache, standin, name, content, word):
    path = tmp_path / name
    path.write_bytes(onnx(tmp_path).read_bytes() if content is None else content)
    with pytest.raises(ModelError, match=word):
        open_engine(path, "tensorrt")
