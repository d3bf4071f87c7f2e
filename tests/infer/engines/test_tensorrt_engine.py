"""What can be tested of the TensorRT engine without TensorRT: where plans are kept, and what is said without it."""

import pytest

from headrace.errors import ModelError
from headrace.infer.engines import EngineOptions, available_engines, open_engine
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
