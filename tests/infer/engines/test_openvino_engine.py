"""What only the OpenVINO engine has: other sizes, precisions, streams, metadata beside the file."""

import time

import numpy as np
import pytest
from engine_models import onnx, parts, xml
from tiny_onnx import build

from headrace.errors import ConfigError, ModelError
from headrace.infer.engines import EngineOptions, open_engine, run_batch

openvino = pytest.importorskip("openvino")


def opened(path, **options):
    return open_engine(path, "openvino", EngineOptions(**{"threads": 2, **options}))


def test_a_graph_of_fixed_size_takes_another_where_it_can(tmp_path):
    engine = opened(onnx(tmp_path, batch=1), input_size=(64, 48))
    assert str(engine.graph.inputs[0]) == "images float32[1, 3, 48, 64]"
    found = run_batch(engine, np.full((2, 3, 48, 64), 0.5, np.float32))["output0"]
    np.testing.assert_allclose(found[:, 5, 3], 0.5, rtol=1e-3)


def test_channels_may_be_last(tmp_path):
    path = build(tmp_path / "last.onnx", {"output0": parts()}, 1, channels_last=True)
    assert opened(path, input_size=(64, 48)).graph.inputs[0].shape == (1, 48, 64, 3)


def test_a_graph_that_cannot_change_its_size_keeps_it_and_says_so(tmp_path, caplog):
    from onnx import TensorProto, helper, save

    value = helper.make_tensor_value_info
    shape = helper.make_tensor("shape", TensorProto.INT64, [2], [1, 3 * 8 * 8])
    graph = helper.make_graph(
        [helper.make_node("Reshape", ["images", "shape"], ["rows"])],
        "fixed",
        [value("images", TensorProto.FLOAT, [1, 3, 8, 8])],
        [value("rows", TensorProto.FLOAT, [1, 192])],
        [shape],
    )
    opsets = [helper.make_opsetid("", 13)]
    save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(tmp_path / "fixed.onnx"))
    engine = opened(tmp_path / "fixed.onnx", input_size=(16, 16))
    assert engine.graph.input_size() == (8, 8)
    assert "fixed.onnx takes 8x8 pixels only; input_size is not used" in caplog.text
    assert engine.run({"images": np.ones((1, 3, 8, 8), np.float32)})["rows"].shape == (1, 192)


def test_the_precision_is_told_and_f32_is_the_default(tmp_path):
    path = onnx(tmp_path)
    assert "on CPU, f32, " in opened(path).description
    if "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        assert "on CPU, bf16, " in opened(path, precision="bf16").description
    else:
        with pytest.raises(ConfigError, match="precision=bf16: engine openvino computes in f32"):
            opened(path, precision="bf16")


def test_runs_that_overlap_get_streams_and_right_results_before_and_after(tmp_path):
    engine = opened(onnx(tmp_path, batch=1))
    assert "1 stream" in engine.description
    levels = np.linspace(0.1, 0.8, 8, dtype=np.float32)
    tensor = np.broadcast_to(levels[:, None, None, None], (8, 3, 32, 32))
    end = time.monotonic() + 30
    while "2 streams" not in engine.description:
        np.testing.assert_allclose(run_batch(engine, tensor)["output0"][:, 5, 3], levels, rtol=1e-5)
        assert time.monotonic() < end
    np.testing.assert_allclose(run_batch(engine, tensor)["output0"][:, 5, 3], levels, rtol=1e-5)


def test_metadata_beside_a_file_that_holds_none_is_read(tmp_path):
    path, beside = xml(tmp_path), tmp_path / "metadata.yaml"
    beside.write_text("names:\n  0: cat\n  1: dog\nimgsz: [32, 32]\n")
    assert opened(path).graph.metadata == {"names": "{0: 'cat', 1: 'dog'}", "imgsz": "[32, 32]"}
    beside.write_text("names: [")
    with pytest.raises(ModelError, match=r"metadata\.yaml beside the model cannot be read"):
        opened(path)
