"""What only the OpenVINO engine has: other sizes, precisions, streams, metadata beside the file."""

import os
import subprocess
import sys

import numpy as np
import pytest
from engine_models import onnx, parts, xml
from tiny_onnx import build

from headrace.errors import ConfigError, ModelError
from headrace.infer.engines import EngineOptions, open_engine, openvino_engine, run_batch
from headrace.infer.engines.base import settle

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


def convolution(path, weights, dtype):
    """A graph of one convolution with these weights."""
    from onnx import TensorProto, helper, save

    value, kind = helper.make_tensor_value_info, TensorProto.INT8 if dtype == "int8" else TensorProto.FLOAT
    count = len(weights)
    tensors = [
        helper.make_tensor("weights", kind, weights.shape, weights.ravel()),
        helper.make_tensor("scale", TensorProto.FLOAT, [], [0.5]),
    ]
    scaled = ["DequantizeLinear" if dtype == "int8" else "Mul", ["weights", "scale"], ["w"]]
    nodes = [helper.make_node(*scaled), helper.make_node("Conv", ["images", "w"], ["out"])]
    shapes = [value(name, TensorProto.FLOAT, [1, n, 8, 8]) for name, n in (("images", 3), ("out", count))]
    graph = helper.make_graph(nodes, "one", shapes[:1], shapes[1:], tensors)
    opsets = [helper.make_opsetid("", 13)]
    save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path))
    return path


PRECISIONS = [
    ("float32", 350_000, "auto", None),  # what the processor is made for
    ("float32", 350_000, "f32", "f32"),
    ("float32", 8, "auto", "f32"),  # small
    ("int8", 350_000, "auto", "f32"),  # quantised
]


@pytest.mark.parametrize(("dtype", "rows", "precision", "expected"), PRECISIONS)
def test_bf16_is_for_large_graphs_of_floats_where_the_processor_has_it(
    tmp_path, dtype, rows, precision, expected
):
    native = openvino.Core().get_property("CPU", "INFERENCE_PRECISION_HINT").get_type_name()
    path = convolution(tmp_path / "one.onnx", np.arange(3 * rows).reshape(rows, 3, 1, 1) % 5, dtype)
    engine = opened(path, precision=precision)
    assert f"on CPU, {expected or native}, " in engine.description
    found = engine.run({"images": np.ones((1, 3, 8, 8), np.float32)})["out"]
    np.testing.assert_allclose(found[0, :4, 0, 0], [1.5, 3.5, 3, 2.5])


def test_bf16_is_refused_where_the_processor_cannot(tmp_path):
    if "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        assert "on CPU, bf16, " in opened(onnx(tmp_path), precision="bf16").description
    else:
        with pytest.raises(ConfigError, match="precision=bf16: engine openvino computes in f32"):
            opened(onnx(tmp_path), precision="bf16")


def test_throughput_has_a_stream_for_each_thread_and_batches_of_one_row(tmp_path):
    threads = min(3, len(os.sched_getaffinity(0)))
    if threads == 1:
        pytest.skip("one processor: nothing overlaps")
    engine = opened(onnx(tmp_path), precision="f32", threads=threads)
    levels = np.linspace(0.1, 0.8, 8, dtype=np.float32)
    tensor = np.broadcast_to(levels[:, None, None, None], (8, 3, 32, 32))
    for streams, rows in (("1 stream", None), (f"{threads} streams", 1)):
        assert engine.description.endswith(streams)
        assert engine.graph.inputs[0].shape[0] == engine.rows == rows
        np.testing.assert_allclose(run_batch(engine, tensor)["output0"][:, 5, 3], levels, rtol=1e-5)
        settle(engine, live=False, pictures=1)


def test_metadata_beside_a_file_that_holds_none_is_read(tmp_path):
    path, beside = xml(tmp_path), tmp_path / "metadata.yaml"
    beside.write_text("names:\n  0: cat\n  1: dog\nimgsz: [32, 32]\n")
    assert opened(path).graph.metadata == {"names": "{0: 'cat', 1: 'dog'}", "imgsz": "[32, 32]"}
    beside.write_text("names: [")
    with pytest.raises(ModelError, match=r"metadata\.yaml beside the model cannot be read"):
        opened(path)


def test_what_drives_other_devices_is_not_loaded_for_a_cpu(tmp_path):
    program = (
        "import sys\nfrom headrace.infer.engines import EngineOptions, open_engine\n"
        f"open_engine({str(onnx(tmp_path))!r}, 'openvino', EngineOptions(device=sys.argv[1]))\n"
        "maps = open('/proc/self/maps').read()\n"
        "print([name for name in ('cpu', 'gpu', 'npu') if f'openvino_intel_{name}_plugin' in maps])"
    )
    for device in ("auto", "cpu"):
        done = subprocess.run([sys.executable, "-c", program, device], capture_output=True, text=True)
        assert done.stdout.strip() == "['cpu']", done.stderr


def test_memory_is_given_back_after_first_runs_and_not_after_others(tmp_path, monkeypatch):
    given: list[int] = []
    monkeypatch.setattr(openvino_engine, "return_unused_memory", lambda: given.append(1))
    engine = opened(onnx(tmp_path))
    for _ in range(5):
        run_batch(engine, np.zeros((1, 3, 32, 32), np.float32))
    assert len(given) == 1
