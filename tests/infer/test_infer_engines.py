"""Choosing an engine, what is said when there is none, and batches of any size."""

import re
import subprocess
import sys
import types
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headrace.discovery import discover
from headrace.errors import ConfigError, ModelError
from headrace.infer.engines import (
    EngineKind,
    EngineOptions,
    ModelGraph,
    TensorSpec,
    available_engines,
    missing_engines,
    open_engine,
    registry,
    run_batch,
)


@pytest.fixture
def kinds(monkeypatch):
    """Replace the engines: ``kinds(*kinds)``."""
    return lambda *given: monkeypatch.setattr(registry, "engine_kinds", lambda: given)


class Flat:
    """An engine that answers with a given output."""

    name, description, concurrency, rows = "flat", "a stand-in", 1, None

    def __init__(self, output=None, rows=None):
        self.output = output
        self.graph = ModelGraph("flat.onnx", (TensorSpec("images", (rows, 3, 8, 8), "float32"),), ())

    def run(self, inputs):
        return {"output0": self.output}


def fast(name, **options):
    """A kind of engine that opens everything."""
    settings = {"library": "math", "install": "pip install it", "suffixes": (".onnx",), "devices": {"cpu": 0}}
    engine = Flat()
    engine.name = name
    return EngineKind(name, lambda model, options: engine, **{**settings, **options})


def refusing(name, error, **options):
    def refuse(model, options):
        raise error

    return replace(fast(name, **options), open=refuse)


def test_an_output_without_batch_axis_is_refused():
    for rows, shape in ((None, (7, 6)), (1, (7, 6)), (1, ())):
        with pytest.raises(ModelError, match=r"flat\.onnx: output output0 has shape .* the batch"):
            run_batch(Flat(np.zeros(shape), rows), np.zeros((3, 3, 8, 8), np.float32))


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


def test_an_operator_that_is_missing_has_its_own_remedy(tmp_path):
    from onnx import TensorProto, helper, save

    value = helper.make_tensor_value_info
    nodes = [helper.make_node("Warp", ["images"], ["out"], domain="com.example")]
    graph = helper.make_graph(
        nodes, "odd", [value("images", TensorProto.FLOAT, [1, 3])], [value("out", TensorProto.FLOAT, [1, 3])]
    )
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("com.example", 1)]
    save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(tmp_path / "odd.onnx"))
    for engine in ("onnxruntime", "openvino"):
        if engine in available_engines():
            with pytest.raises(ModelError, match=r"Warp.*an operator is missing there: name another engine"):
                open_engine(tmp_path / "odd.onnx", engine)


def test_unknown_engines_and_suffixes_list_what_there_is(tmp_path):
    assert "onnxruntime" in available_engines()
    (tmp_path / "net.weights").write_text("x")
    with pytest.raises(ModelError, match=r"known suffixes: .*\.onnx"):
        open_engine(tmp_path / "net.weights")
    with pytest.raises(ModelError, match=r"unknown engine 'warp'\. Known: .*onnxruntime, onnxruntime:cuda"):
        open_engine(tmp_path / "net.onnx", "warp")
    for wrong, near in (("openvin", "openvino"), ("onnxruntime:cude", "onnxruntime:cuda")):
        with pytest.raises(ModelError, match=f"did you mean '{near}'"):
            open_engine(tmp_path / "net.onnx", wrong)
    with pytest.raises(ModelError, match=r"no engine reads .*net\.ckpt unless it is named: engine=rfdetr"):
        open_engine(tmp_path / "net.ckpt")
    with pytest.raises(ModelError, match=r"engine onnxruntime does not read .*net\.weights; it reads \.onnx"):
        open_engine(tmp_path / "net.weights", "onnxruntime")


def test_a_missing_library_names_what_to_install(tmp_path, kinds):
    (tmp_path / "net.odd").write_text("x")
    kinds(fast("odd", library="no_such_library", install="pip install headrace[odd]", suffixes=(".odd",)))
    for engine in ("odd", "auto"):
        with pytest.raises(
            ModelError, match=r"odd needs no_such_library, which is not installed: pip install headrace"
        ):
            open_engine(tmp_path / "net.odd", engine)
    assert available_engines() == ()
    assert "pip install" in missing_engines()["odd"]


def test_auto_takes_the_fastest_that_is_installed_and_says_so_in_one_line(tmp_path, kinds, caplog):
    (tmp_path / "net.onnx").write_text("x")
    second, gone = fast("second", devices={"cpu": 1}), fast("gone", library="no_such_library")
    kinds(second, gone, fast("first"), fast("asked", devices={}), fast("other", suffixes=(".pt",)))
    with caplog.at_level("INFO", logger="headrace"):
        assert open_engine(tmp_path / "net.onnx").name == "first"
    (record,) = caplog.records
    assert "net.onnx: engine first, the fastest for cpu that is installed (a stand-in)" in record.getMessage()
    assert open_engine(tmp_path / "net.onnx", "asked").name == "asked"


def test_auto_goes_on_with_the_next_where_a_file_is_refused(tmp_path, kinds, caplog):
    (tmp_path / "net.onnx").write_text("x")
    kinds(refusing("first", ModelError("no Warp here")), fast("second", devices={"cpu": 1}))
    with caplog.at_level("INFO", logger="headrace"):
        assert open_engine(tmp_path / "net.onnx").name == "second"
    assert "not first on cpu: no Warp here" in caplog.text
    kinds(refusing("first", ModelError("no Warp here")), refusing("second", ModelError("no Weft")))
    with pytest.raises(ModelError, match=r"first on cpu: no Warp here; second on cpu: no Weft"):
        open_engine(tmp_path / "net.onnx")
    kinds(refusing("first", ConfigError("precision is odd")), fast("second", devices={"cpu": 1}))
    with pytest.raises(ConfigError, match="odd"):
        open_engine(tmp_path / "net.onnx")


def test_the_device_narrows_the_choice(tmp_path, kinds):
    (tmp_path / "net.onnx").write_text("x")
    kinds(fast("plain"), fast("big", devices={"cuda": 0, "cpu": 9}))
    assert open_engine(tmp_path / "net.onnx", options=EngineOptions(device="cuda:1")).name == "big"
    assert open_engine(tmp_path / "net.onnx", options=EngineOptions(device="cpu")).name == "plain"
    with pytest.raises(ModelError, match=r"no installed engine runs .*net\.onnx on tpu: plain, big can"):
        open_engine(tmp_path / "net.onnx", options=EngineOptions(device="tpu"))


def test_addresses_go_to_the_engine_of_their_scheme(kinds):
    kinds(fast("remote", schemes=("grpc",)), fast("plain"))
    assert open_engine("grpc://host:8001/net").name == "remote"
    with pytest.raises(ModelError, match=r"no engine takes addresses that begin with ftp://; known: grpc://"):
        open_engine("ftp://host/net")
    with pytest.raises(ModelError, match=r"begin with grpc://; known: none"):
        open_engine("grpc://host/net", "plain")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"threads": -1}, "threads"),
        ({"precision": "f8"}, "precision is 'f8'; use one of auto, f32, bf16, f16"),
        ({"device": ""}, "device"),
        ({"input_size": (0, 4)}, "input_size"),
    ],
)
def test_options_out_of_bounds_are_refused(options, word):
    with pytest.raises(ConfigError, match=word):
        EngineOptions(**options)


@pytest.mark.parametrize(
    ("engine", "options", "error", "word"),
    [
        ("onnxruntime", {"device": "cuda"}, ModelError, "has no provider cuda.*pip install onnxruntime-gpu"),
        ("onnxruntime:tensorrt", {}, ModelError, "has no provider tensorrt.*pip install onnxruntime-gpu"),
        ("onnxruntime:openvino", {}, ModelError, "has no provider openvino.*pip install onnxruntime-openvino"),
        ("onnxruntime", {"precision": "bf16"}, ConfigError, "precision=bf16: engine onnxruntime computes in f32"),
        ("onnxruntime", {"device": "GPU"}, ConfigError, "device=GPU: engine onnxruntime runs on cpu, cuda"),
        ("openvino", {"device": "cuda"}, ConfigError, "device=cuda: engine openvino runs on CPU"),
        ("openvino", {"precision": "f16", "device": "cpu"}, ConfigError, "precision=f16: engine openvino computes"),
    ],
)  # fmt: skip
def test_devices_and_precisions_that_are_not_there(make_onnx, yolov8_outputs, engine, options, error, word):
    if engine == "openvino":
        capabilities = pytest.importorskip("openvino").Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if "FP16" in capabilities and "precision" in options:
            pytest.skip("this processor computes in 16 bits")
    with pytest.raises(error, match=word):
        open_engine(make_onnx(yolov8_outputs), engine, EngineOptions(**options))


def test_the_engine_on_the_page_about_engines_runs(tmp_path, monkeypatch, kinds):
    page = (Path(__file__).parents[2] / "docs" / "engines.md").read_text()
    (code,) = (block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "ENGINE = " in block)
    (tmp_path / "function_engine.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    kinds(__import__("function_engine").ENGINE)
    monkeypatch.delitem(sys.modules, "function_engine")
    (tmp_path / "root.fn").write_text('{"function": "numpy:sqrt", "input": [null, 2], "output": [null, 2]}')
    engine = open_engine(tmp_path / "root.fn")
    rows = np.array([[1, 4], [9, 16], [25, 36]], np.float32)
    np.testing.assert_array_equal(run_batch(engine, rows)["output"], np.sqrt(rows))
    with pytest.raises(ModelError, match=r"given input float32\[1, 3\]; it takes input float32\[\?, 2\]"):
        engine.run({"input": rows.reshape(2, 3)[:1]})
    engine.close()
    with pytest.raises(ModelError, match="closed"):
        engine.run({"input": rows})


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_a_tensor_on_a_device_is_refused_by_engines_of_the_processor(make_onnx, yolov8_outputs, engine):
    class Far:
        shape, dtype = (1, 3, 32, 32), np.dtype(np.float32)

        def __array__(self, dtype=None, copy=None):
            raise TypeError("cannot convert cuda:0 device type tensor to numpy")

    pytest.importorskip(engine)
    with pytest.raises(ModelError, match=r"not in the main memory; move them there.*cuda:0"):
        open_engine(make_onnx(yolov8_outputs), engine).run({"images": Far()})


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


@pytest.mark.parametrize(
    "code", ["pass", "from headrace.infer.engines import available_engines; available_engines()"]
)
def test_no_library_of_an_engine_is_imported_before_it_is_used(code):
    libraries = {"onnxruntime", "openvino", "torch", "tensorrt", "tritonclient"}
    code = f"import sys, headrace.infer; {code}; sys.exit(bool({libraries!r} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_onnxruntime_imports_no_other_engine(make_onnx, yolov8_outputs):
    path = make_onnx(yolov8_outputs)
    code = (
        "import sys; from headrace.infer.engines import open_engine;"
        f"open_engine({str(path)!r}, 'onnxruntime'); sys.exit(bool({{'openvino', 'torch'}} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
