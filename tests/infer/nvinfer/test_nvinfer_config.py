"""nvinfer's configuration files: every key, its type and default, and what is said of mistakes."""

import logging

import pytest

from headrace.errors import ConfigError
from headrace.infer.attributes import ClassAttributes
from headrace.infer.nvinfer import CLASS_KEYS, PROPERTY_KEYS, NvInferConfig, checked, read_config
from headrace.infer.nvinfer.model_file import find_model
from headrace.infer.nvinfer.reading import finished

INT_MAX = 2**31 - 1
#: Key, text in a file, value, default (contract: configs §1.1).
KEYS = [
    ("gie-unique-id", "4", 4, 15),
    ("process-mode", "2", 2, 1),
    ("interval", "3", 3, 0),
    ("gpu-id", "1", 1, 0),
    ("batch-size", "30", 30, 1),
    ("network-type", "100", 100, 0),
    ("is-classifier", "1", True, False),
    ("network-mode", "2", 2, 0),
    ("model-color-format", "1", 1, 0),
    ("net-scale-factor", "0.0039215697906911373", 0.0039215697906911373, 1.0),
    ("offsets", "124;116.5;104", (124.0, 116.5, 104.0), ()),
    ("infer-dims", "3;544;960", (3, 544, 960), ()),
    ("input-dims", "3;544;960;0", (3, 544, 960, 0), ()),
    ("network-input-order", "1", 1, 0),
    ("maintain-aspect-ratio", "1", True, False),
    ("symmetric-padding", "1", True, False),
    ("scaling-filter", "1", 1, 6),
    ("scaling-compute-hw", "1", 1, 0),
    ("workspace-size", "2000", 2000, 0),
    ("force-implicit-batch-dim", "1", True, False),
    ("output-io-formats", "out:fp32:chw", "out:fp32:chw", ""),
    ("layer-device-precision", "a:fp32:gpu", "a:fp32:gpu", ""),
    ("strongly-typed", "1", True, False),
    ("dynamic-properties", "a=1;b=2", "a=1;b=2", ""),
    ("warmup-engine", "1", True, False),
    ("stabilize-buffer-count", "4", 4, 0),
    ("enable-dla", "1", True, False),
    ("use-dla-core", "1", 1, 0),
    ("output-blob-names", "cov;bbox", ("cov", "bbox"), ()),
    ("num-detected-classes", "4", 4, 0),
    ("cluster-mode", "2", 2, 0),
    ("enable-dbscan", "1", True, False),
    ("parse-bbox-func-name", "p.py:f", "p.py:f", ""),
    ("parse-bbox-instance-mask-func-name", "f", "f", ""),
    ("parse-segmentation-func-name", "f", "f", ""),
    ("parse-classifier-func-name", "f", "f", ""),
    ("engine-create-func-name", "f", "f", ""),
    ("output-tensor-meta", "1", True, False),
    ("output-instance-mask", "1", True, False),
    ("input-tensor-from-meta", "1", True, False),
    ("disable-output-host-copy", "1", 1, 0),
    ("tensor-meta-pool-size", "6", 6, 2),
    ("auto-inc-mem", "0", 0, 1),
    ("max-gpu-mem-per", "50", 50, 99),
    ("classifier-threshold", "0.51", 0.51, 0.0),
    ("classifier-type", "vehicletype", "vehicletype", ""),
    ("classifier-async-mode", "1", True, False),
    ("secondary-reinfer-interval", "90", 90, INT_MAX),
    ("segmentation-threshold", "0.5", 0.5, 0.0),
    ("segmentation-output-order", "1", 1, 0),
    ("operate-on-gie-id", "1", 1, -1),
    ("operate-on-class-ids", "0;2;", (0, 2), ()),
    ("filter-out-class-ids", "1;2", (1, 2), ()),
    ("input-object-min-width", "64", 64, 1),
    ("input-object-min-height", "64", 64, 1),
    ("input-object-max-width", "640", 640, 0),
    ("input-object-max-height", "640", 640, 0),
    ("crop-objects-to-roi-boundary", "1", True, False),
    ("dump-input-tensor", "1", True, False),
    ("dump-output-tensor", "1", True, False),
    ("overwrite-input-tensor", "1", True, False),
    ("overwrite-output-tensor", "1", True, False),
    ("op-tensor-files", "a;b", "a;b", ""),
    ("raw-output-file-write", "1", True, False),
    ("tlt-model-key", "nvidia_tlt", "nvidia_tlt", ""),
    ("uff-input-blob-name", "Input", "Input", ""),
]
PATHS = [
    "labelfile-path", "mean-file", "onnx-file", "model-file", "proto-file", "uff-file", "tlt-encoded-model",
    "model-engine-file", "int8-calib-file", "custom-lib-path", "custom-network-config", "ip-tensor-file",
]  # fmt: skip
#: Key, text, value, default (contract: configs §1.2).
CLASS_ATTRIBUTES = [
    ("pre-cluster-threshold", "0.4", 0.4, 0.2),
    ("post-cluster-threshold", "0.5", 0.5, 0.0),
    ("eps", "0.2", 0.2, 0.0),
    ("group-threshold", "1", 1, 0),
    ("minBoxes", "3", 3, 0),
    ("dbscan-min-score", "0.7", 0.7, 0.0),
    ("nms-iou-threshold", "0.5", 0.5, 0.3),
    ("topk", "20", 20, -1),
    ("roi-top-offset", "10", 10, 0),
    ("roi-bottom-offset", "11", 11, 0),
    ("detected-min-w", "12", 12, 0),
    ("detected-min-h", "13", 13, 0),
    ("detected-max-w", "14", 14, 0),
    ("detected-max-h", "15", 15, 0),
    ("border-color", "0;1;0;0.5", (0.0, 1.0, 0.0, 0.5), (1.0, 0.0, 0.0, 1.0)),
    ("bg-color", "0;0;1;0.5", (0.0, 0.0, 1.0, 0.5), None),
]


def test_the_tables_here_are_all_keys():
    assert {row[0] for row in KEYS} | set(PATHS) == set(PROPERTY_KEYS)
    assert {row[0] for row in CLASS_ATTRIBUTES} == set(CLASS_KEYS)


@pytest.mark.parametrize("suffix", ["txt", "yml"])
@pytest.mark.parametrize(("key", "text", "value", "default"), KEYS, ids=[row[0] for row in KEYS])
def test_a_key_has_its_type_and_default_in_both_forms(tmp_path, suffix, key, text, value, default):
    field = PROPERTY_KEYS[key].field
    assert getattr(NvInferConfig(), field) == default
    path = tmp_path / f"pgie.{suffix}"
    path.write_text(f"[property]\n{key}={text}\n" if suffix == "txt" else f"property:\n  {key}: {text}\n")
    found = getattr(read_config(path), field)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("key", PATHS)
def test_paths_start_from_the_configuration(write, tmp_path, key):
    config = read_config(write(f"{key}=models/it.bin"))
    assert getattr(config, PROPERTY_KEYS[key].field) == str(tmp_path / "models/it.bin")


@pytest.mark.parametrize(
    ("key", "text", "value", "default"), CLASS_ATTRIBUTES, ids=[row[0] for row in CLASS_ATTRIBUTES]
)
def test_a_class_overrides_single_keys_of_all(write, key, text, value, default):
    field = CLASS_KEYS[key].field
    other = "border-color=0;0;0;1" if key != "border-color" else "eps=0.1"
    path = write("num-detected-classes=3", class_attrs_all=other, class_attrs_1=f"{key}={text}")
    attributes = read_config(path).attributes
    assert [getattr(one, field) for one in attributes] == [default, value, default]
    shared = "border_color" if key != "border-color" else "eps"
    assert len({getattr(one, shared) for one in attributes}) == 1
    everywhere = read_config(write("num-detected-classes=2", class_attrs_all=f"{key}={text}")).attributes
    assert [getattr(one, field) for one in everywhere] == [value, value]


def test_older_keys_mean_the_new_ones(write):
    config = finished(read_config(write("is-classifier=1", "input-dims=3;10;20;1", "enable-dbscan=1")))
    assert (config.network_type, config.infer_dims, config.network_input_order) == (1, (3, 10, 20), 1)
    assert config.cluster_mode == 1
    both = finished(
        read_config(write("is-classifier=1", "network-type=2", "enable-dbscan=1", "cluster-mode=2"))
    )
    assert (both.network_type, both.cluster_mode) == (2, 2)
    (attributes,) = read_config(write("num-detected-classes=1", class_attrs_all="threshold=0.6")).attributes
    assert attributes == ClassAttributes(pre_cluster_threshold=0.6)


def test_unknown_keys_are_named_once_with_the_nearest(write, caplog):
    path = write("num-detected-clases=3", "batch-size=2", class_attrs_all="top-k=3", property_2="x=1")
    with caplog.at_level(logging.WARNING):
        assert read_config(path).batch_size == 2
        read_config(path)
    assert [record.getMessage().removeprefix(str(path)) for record in caplog.records] == [
        ": [property] has an unknown key num-detected-clases; did you mean 'num-detected-classes'?",
        ": [property-2] is an unknown group",
        ": [class-attrs-all] has an unknown key top-k; did you mean 'topk'?",
    ]


def test_hints_for_the_backend_are_listed_as_idle(write, caplog):
    path = write("network-type=100", "gpu-id=0", "workspace-size=100", "batch-size=2")
    with caplog.at_level(logging.INFO):
        checked(read_config(path))
    assert "without effect here: gpu-id, workspace-size" in caplog.text


@pytest.mark.parametrize(
    ("lines", "groups", "expected"),
    [
        (["batch-size=many"], {}, r"\[property\] batch-size='many' cannot be used: give a whole number, 1 to 1024"),
        (["batch-size=0"], {}, "batch-size='0' cannot be used"),
        (["net-scale-factor=1/255"], {}, "net-scale-factor='1/255' cannot be used: give a number"),
        (["offsets=1,2,3"], {}, "offsets='1,2,3' cannot be used: give numbers separated by ;"),
        (["maintain-aspect-ratio=maybe"], {}, "maintain-aspect-ratio='maybe' cannot be used: give 0 or 1"),
        (["cluster-mode=7"], {}, "cluster-mode='7' cannot be used: give a whole number, 0 to 4"),
        (["network-type=5"], {}, "network-type=5 is not known; use 0, 1, 2, 3 or 100"),
        ([], {}, "num-detected-classes is not set"),
        (["num-detected-classes=2"], {"class_attrs_2": "eps=0.1"}, r"\[class-attrs-2\] is no class: num-det.*=2"),
        (["num-detected-classes=2"], {"class_attrs_x": "eps=0.1"}, r"\[class-attrs-x\] is no class"),
        (["num-detected-classes=2"], {"class_attrs_all": "topk=-2"}, r"\[class-attrs-all\] topk='-2'"),
        (["num-detected-classes=2"], {"class_attrs_1": "eps=x"}, r"\[class-attrs-1\] eps='x'"),
        (["num-detected-classes=2"], {"class_attrs_1": "bg-color=1;1"}, r"\[class-attrs-1\] bg-color is"),
        (["num-detected-classes=2", "output-instance-mask=1"], {}, "output-instance-mask=1 needs cluster-mode=4"),
        (["network-type=100", "infer-dims=3;4"], {}, "infer-dims=3;4 is not c;h;w"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_clear_error(write, lines, groups, expected):
    path = write(*lines, **groups)
    with pytest.raises(ConfigError, match=expected) as caught:
        checked(read_config(path))
    assert str(path) in str(caught.value)


def test_files_that_are_no_configuration(tmp_path, write):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_config(tmp_path / "missing.txt")
    other = tmp_path / "other.txt"
    other.write_text("[tracker]\nenable=1\n")
    with pytest.raises(ConfigError, match=r"group \[property\] with onnx-file expected, found \[tracker\]"):
        read_config(other)


ENGINE_KEYS = [
    ("model-engine-file=net.onnx_b4_gpu0_fp16.engine", "net.onnx"),
    ("model-engine-file=net.onnx_b1_gpu0_int8.engine", "net.onnx"),
    ("model-engine-file=net.etlt_b1_gpu0_fp16.engine", "net.onnx"),
    ("model-engine-file=net.engine", "net.onnx"),
    ("model-engine-file=my_best_net.plan", "my_best_net.onnx"),
    ("model-engine-file=net.onnx", "net.onnx"),
    ("tlt-encoded-model=net.etlt", "net.onnx"),
    ("tlt-encoded-model=net.etlt", "net.etlt.onnx"),
    ("uff-file=net.uff", "net.onnx"),
    ("model-file=net.caffemodel", "net.onnx"),
]


@pytest.mark.parametrize(("line", "onnx"), ENGINE_KEYS)
def test_the_onnx_file_beside_other_formats_is_run(write, tmp_path, caplog, line, onnx):
    (tmp_path / onnx).write_bytes(b"x")
    with caplog.at_level(logging.INFO):
        assert find_model(read_config(write(line))) == tmp_path / onnx
    said = [record for record in caplog.records if "is used instead" in record.getMessage()]
    assert len(said) == (0 if line.endswith(".onnx") else 1)


def test_the_onnx_file_may_lie_beside_any_of_the_files_or_among_the_assets(write, tmp_path, monkeypatch):
    lines = ["model-engine-file=../samples/models/a/net.uff_b1_gpu0_fp32.engine", "uff-file=models/other.uff"]
    path = write(*lines)
    assets = tmp_path / "assets/samples/models/a"
    assets.mkdir(parents=True)
    monkeypatch.setenv("HEADRACE_ASSETS", str(tmp_path / "assets"))
    with pytest.raises(ConfigError, match=r"uff-file=.*other\.uff is a UFF model"):
        find_model(read_config(path))
    (tmp_path / "models").mkdir()
    (tmp_path / "models/other.onnx").touch()
    assert find_model(read_config(path)).name == "other.onnx"
    (assets / "net.onnx").touch()
    assert find_model(read_config(path)) == assets / "net.onnx"


def test_the_onnx_file_is_used_whatever_the_engine_is_called(write, tmp_path, caplog):
    (tmp_path / "b.onnx").write_bytes(b"x")
    path = write("onnx-file=b.onnx", "model-engine-file=other.onnx_b1_gpu0_fp16.engine")
    with caplog.at_level(logging.INFO):
        assert find_model(read_config(path)) == tmp_path / "b.onnx"
    assert caplog.text.count("TensorRT engines cannot be used here") == 1


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("batch-size=1", "onnx-file is not set; give the ONNX file of the model"),
        ("onnx-file=gone.onnx", "onnx-file=.*gone.onnx does not exist"),
        ("model-engine-file=a.onnx_b1_gpu0_fp16.engine", "TensorRT engine.*set onnx-file.*beside as a.onnx"),
        ("model-file=a.caffemodel", "Caffe model.*set onnx-file.*beside as a.caffemodel.onnx or a.onnx"),
        ("uff-file=a.uff", "UFF model.*set onnx-file"),
        ("tlt-encoded-model=a.etlt", "encrypted TAO model.*set onnx-file"),
    ],
)
def test_a_model_that_cannot_be_run_says_what_to_give(write, line, expected):
    path = write(line)
    with pytest.raises(ConfigError, match=expected) as caught:
        find_model(read_config(path))
    assert f"{path}: [property]" in str(caught.value)
