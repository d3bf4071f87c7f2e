"""Engines: discovery, errors, and batches of any size on graphs of any batch size."""

import sys
import types

import numpy as np
import pytest

from headrace.discovery import discover
from headrace.errors import ConfigError, ModelError
from headrace.infer.engines import EngineOptions, available_engines, open_engine, run_batch


def pictures(count):
    """Rows of one brightness each: 0.1, 0.2, …"""
    return np.stack([np.full((3, 32, 32), 0.1 * (i + 1), np.float32) for i in range(count)])


@pytest.mark.parametrize("batch", ["batch", 1, 2, 4], ids=str)
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_every_row_gets_its_own_result(make_onnx, yolov8_outputs, batch, count):
    engine = open_engine(make_onnx(yolov8_outputs, batch=batch), options=EngineOptions(threads=1))
    outputs = run_batch(engine, pictures(count))
    assert outputs["output0"].shape == (count, 6, 21)
    np.testing.assert_allclose(outputs["output0"][:, 5, 3], 0.1 * np.arange(1, count + 1), rtol=1e-5)


def test_an_engine_tells_tensors_and_metadata(make_onnx, yolov8_outputs):
    engine = open_engine(make_onnx(yolov8_outputs, metadata={"names": "{0: 'a', 1: 'b'}"}))
    assert engine.name == "onnxruntime"
    assert str(engine.graph.inputs[0]) == "images float32[?, 3, 32, 32]"
    assert [spec.name for spec in engine.graph.outputs] == ["output0"]
    assert engine.graph.metadata["names"] == "{0: 'a', 1: 'b'}"
    assert engine.graph.input_size() == (32, 32)


def test_an_output_without_batch_axis_is_refused(make_onnx, yolov8_outputs):
    engine = open_engine(make_onnx(yolov8_outputs))

    class Flat:
        name, graph = "flat", engine.graph

        def run(self, inputs):
            return {"output0": np.zeros((7, 6))}

    with pytest.raises(ModelError, match=r"output0 has shape \(7, 6\) for a batch of 3"):
        run_batch(Flat(), pictures(3))


def test_broken_files_are_named_with_a_remedy(tmp_path):
    broken, empty = tmp_path / "broken.onnx", tmp_path / "empty.onnx"
    broken.write_bytes(b"this is no model" * 50)
    empty.touch()
    for path, word in (
        (broken, "cannot be loaded"),
        (empty, "is empty"),
        (tmp_path / "gone.onnx", "not exist"),
    ):
        with pytest.raises(ModelError, match=word) as caught:
            open_engine(path)
        assert str(path) in str(caught.value)


def test_a_truncated_model_is_refused(make_onnx, yolov8_outputs, tmp_path):
    whole = make_onnx(yolov8_outputs).read_bytes()
    short = tmp_path / "short.onnx"
    short.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"short\.onnx"):
        open_engine(short)


def test_unknown_engines_and_suffixes_list_what_there_is(tmp_path):
    assert "onnxruntime" in available_engines()
    (tmp_path / "net.weights").write_text("x")
    with pytest.raises(ModelError, match=r"known suffixes: .*\.onnx"):
        open_engine(tmp_path / "net.weights")
    with pytest.raises(ModelError, match=r"use one of .*onnxruntime"):
        open_engine(tmp_path / "net.onnx", "warp")


def test_wrong_input_says_what_the_model_takes(make_onnx, yolov8_outputs):
    engine = open_engine(make_onnx(yolov8_outputs))
    with pytest.raises(ModelError, match=r"images float64.*images float32"):
        engine.run({"images": np.zeros((1, 3, 32, 32))})
    engine.close()
    with pytest.raises(ModelError, match="closed"):
        engine.run({"images": pictures(1)})


def test_threads_cannot_be_negative():
    with pytest.raises(ConfigError, match="threads"):
        EngineOptions(threads=-1)


def test_a_plug_in_that_misses_a_library_disables_only_itself(tmp_path, monkeypatch):
    folder = tmp_path / "plugs"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "good_engine.py").write_text("import types\nENGINE = types.SimpleNamespace(name='good')\n")
    (folder / "lame_engine.py").write_text("import no_such_library_anywhere\n")
    (folder / "helper.py").write_text("raise RuntimeError('not a plug-in, must not be imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    package = __import__("plugs")
    assert isinstance(package, types.ModuleType)
    found = discover(package, "_engine", "ENGINE")
    assert list(found.items) == ["good"]
    assert "no_such_library_anywhere" in found.missing["lame_engine"]
    for name in [name for name in sys.modules if name.split(".")[0] == "plugs"]:
        monkeypatch.delitem(sys.modules, name)


def test_importing_the_package_loads_no_engine():
    import subprocess

    code = "import sys, headrace.infer; sys.exit('onnxruntime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
