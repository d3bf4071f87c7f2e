"""nvinferserver's configuration: the text format, what becomes of each field, and what is said of mistakes."""

import logging
from pathlib import Path

import pytest

from headrace.errors import ConfigError
from headrace.infer.attributes import ClassAttributes
from headrace.infer.nvinfer import checked, find_model, read_server_config
from headrace.infer.nvinfer.prototext import Message, parse_prototext

PLACE = Path("c.txt")


def plain(message):
    """A message as lists and dictionaries."""
    return {
        name: [plain(value) if isinstance(value, Message) else value for value in values]
        for name, values in message.fields.items()
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("# nothing\n\n", {}),
        ("a: 1", {"a": ["1"]}),
        ("a:1 b :-2.5e3; c: WORD, d: true", {"a": ["1"], "b": ["-2.5e3"], "c": ["WORD"], "d": ["true"]}),
        ("a { b: 1 }\nc: { b: 2 } d < b: 3 >", {"a": [{"b": ["1"]}], "c": [{"b": ["2"]}], "d": [{"b": ["3"]}]}),
        ("a: [1, 2, 3] b: [] c: [{x: 1}, {x: 2}]", {"a": ["1", "2", "3"], "b": [], "c": [{"x": ["1"]}, {"x": ["2"]}]}),
        ("a: 1 a: 2 a: [3]", {"a": ["1", "2", "3"]}),
        ("a [ { x: 1 } ]", {"a": [{"x": ["1"]}]}),
        (r"""a: "x\n\"#y" 'z' # end""", {"a": ['x\n"#yz']}),
        ("a: 0x1F b: .5 c: 1f d: inf e: -inf", {"a": ["0x1F"], "b": [".5"], "c": ["1f"], "d": ["inf"], "e": ["-inf"]}),
    ],
)  # fmt: skip
def test_the_text_format(text, expected):
    assert plain(parse_prototext(text, PLACE)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: ?", "c.txt, line 2: '\\?' is not understood"),
        ("a: {\n b: 1\n", "line 3: a field's name or '}' expected, got the end of the file"),
        ("a: [1, 2", "line 1: a value expected, got the end"),
        ("a 1", "line 1: ':' or '{' expected, got '1'"),
        ("a: }", "line 1: a value expected, got '}'"),
        ("}", "line 1: a field's name expected, got '}'"),
        ("a: 'x", 'line 1: "\'x" is not understood'),
        ("1: 2", "a field's name expected, got '1'"),
    ],
)
def test_malformed_text_is_placed(text, expected):
    with pytest.raises(ConfigError, match=expected):
        parse_prototext(text, PLACE)


@pytest.mark.parametrize(
    ("text", "read", "expected"),
    [
        ("n: x", lambda m: m.number("n", 0), "c.txt: n is 'x'; give whole numbers"),
        ("n: x", lambda m: m.decimal("n", 0), "n is 'x'; give numbers"),
        ("n: 3", lambda m: m.flag("n"), "n is '3'; give true or false"),
        ("n: C", lambda m: m.choice("n", {"A": 0, "B": 1}), "n is 'C'; use one of A, B"),
        ("n: 3", lambda m: m.child("n"), "n is '3'; write n { ... }"),
        ("n {}", lambda m: m.text("n"), "n holds a message; write n: value"),
        ("a { b: x }", lambda m: m.child("a").number("b", 0), "c.txt: a: b is 'x'"),
        ("a { b { c: x } }", lambda m: m.child("a").child("b").number("c", 0), "c.txt: a.b: c is 'x'"),
    ],
)
def test_values_of_another_kind_are_named(text, read, expected):
    with pytest.raises(ConfigError) as caught:
        read(parse_prototext(text, PLACE))
    assert expected in str(caught.value)


@pytest.fixture
def server(tmp_path):
    """Write a configuration around a repository with versions 1 and 3 of one model."""
    for version in (1, 3):
        folder = tmp_path / "repo/net" / str(version)
        folder.mkdir(parents=True)
        (folder / "model.onnx").write_bytes(b"x")

    def write(infer="", rest="", triton='model_name: "net" version: -1 model_repo { root: "repo" }'):
        path = tmp_path / "server.txt"
        path.write_text(f"infer_config {{ backend {{ triton {{ {triton} }} }} {infer} }}\n{rest}")
        return path

    return write


FIELDS = [
    ("", "", "batch_size", 1),
    ("unique_id: 5", "", "gie_unique_id", 5),
    ("gpu_ids: [0] max_batch_size: 4", "", "batch_size", 4),
    ("", "", "process_mode", 1),
    ("", "input_control { process_mode: PROCESS_MODE_CLIP_OBJECTS }", "process_mode", 2),
    ("", "input_control { process_mode: PROCESS_MODE_FULL_FRAME }", "process_mode", 1),
    ("", "input_control { operate_on_gie_id: 3 }", "operate_on_gie_id", 3),
    ("", "input_control { operate_on_class_ids: [0, 2] }", "operate_on_class_ids", (0, 2)),
    ("", "input_control { interval: 2 }", "interval", 2),
    ("", "input_control { secondary_reinfer_interval: 9 }", "secondary_reinfer_interval", 9),
    ("", "", "secondary_reinfer_interval", 2**31 - 1),
    ("", "input_control { async_mode: true }", "classifier_async_mode", True),
    ("", "input_control { object_control { bbox_filter { min_width: 64 } } }", "input_object_min_width", 64),
    ("preprocess { network_format: IMAGE_FORMAT_BGR }", "", "model_color_format", 1),
    ("preprocess { tensor_order: TENSOR_ORDER_NHWC }", "", "network_input_order", 1),
    ("preprocess { maintain_aspect_ratio: 1 }", "", "maintain_aspect_ratio", True),
    ("preprocess { symmetric_padding: 1 }", "", "symmetric_padding", True),
    ("preprocess { normalize { scale_factor: 0.5 } }", "", "net_scale_factor", 0.5),
    ("preprocess { normalize { } }", "", "net_scale_factor", 1.0),
    ("preprocess { normalize { channel_offsets: [1, 2, 3.5] } }", "", "offsets", (1.0, 2.0, 3.5)),
    ("", "", "network_type", 100),
    ("postprocess { other {} }", "", "network_type", 100),
    ("postprocess { classification { threshold: 0.4 } }", "", "network_type", 1),
    ("postprocess { classification { threshold: 0.4 } }", "", "classifier_threshold", 0.4),
    ("postprocess { segmentation { threshold: 0.3 } }", "", "network_type", 2),
    ("postprocess { segmentation { threshold: 0.3 } }", "", "segmentation_threshold", 0.3),
    ("postprocess { detection { num_detected_classes: 4 nms {} } }", "", "num_detected_classes", 4),
    ("postprocess { detection { num_detected_classes: 4 nms {} } }", "", "cluster_mode", 2),
    ("postprocess { detection { num_detected_classes: 4 dbscan {} } }", "", "cluster_mode", 1),
    ("postprocess { detection { num_detected_classes: 4 group_rectangle {} } }", "", "cluster_mode", 0),
    ("postprocess { detection { num_detected_classes: 4 } }", "", "cluster_mode", 4),
    ('postprocess { detection { custom_parse_bbox_func: "p.py:f" } }', "", "parse_bbox_func_name", "p.py:f"),
    ("input_tensor_from_meta { is_first_dim_batch: true }", "", "input_tensor_from_meta", True),
    ("", "output_control { output_tensor_meta: true }", "output_tensor_meta", True),
    ("", 'output_control { classifier_type: "kind" }', "classifier_type", "kind"),
    ("", "output_control { detect_control { filter_out_class_ids: [1] } }", "filter_out_class_ids", (1,)),
]


@pytest.mark.parametrize(("infer", "rest", "field", "value"), FIELDS)
def test_fields_become_the_settings_of_nvinfer(server, infer, rest, field, value):
    assert getattr(read_server_config(server(infer, rest)), field) == value


def test_paths_and_layers(server, tmp_path):
    config = read_server_config(
        server(
            'postprocess { labelfile_path: "l.txt" } custom_lib { path: "p.py" } '
            'preprocess { normalize { mean_file: "m.ppm" } }'
        )
    )
    assert config.onnx_file == str(tmp_path / "repo/net/3/model.onnx")
    assert config.labelfile_path == str(tmp_path / "l.txt")
    assert config.custom_lib_path == str(tmp_path / "p.py")
    assert config.mean_file == str(tmp_path / "m.ppm")
    path = server()
    layers = (
        'backend { inputs: [{name: "in" dims: [3, 300, 200]}] outputs: [{name: "a"}, {name: "b"}] triton {'
    )
    path.write_text(path.read_text().replace("backend { triton {", layers))
    config = read_server_config(path)
    assert (config.infer_dims, config.output_blob_names) == ((3, 300, 200), ("a", "b"))


def test_classes_get_the_clusterings_values_and_then_their_own(server):
    detection = (
        "postprocess { detection { num_detected_classes: 3"
        " nms { confidence_threshold: 0.2 iou_threshold: 0.5 topk: 20 }"
        " per_class_params { key: 1 value { pre_threshold: 0.4 } } } }"
    )
    filters = (
        "output_control { detect_control { default_filter { bbox_filter { min_width: 32 } border_color { g: 1 a: 1 } }"
        " specific_class_filters { key: 2 value { roi_top_offset: 7 } } } }"
    )
    common = ClassAttributes(
        pre_cluster_threshold=0.2,
        nms_iou_threshold=0.5,
        topk=20,
        detected_min_w=32,
        border_color=(0, 1, 0, 1),
    )
    found = read_server_config(server(detection, filters)).attributes
    assert found[0] == common
    assert found[1].pre_cluster_threshold == 0.4
    assert found[2].roi_top_offset == 7


def test_unknown_fields_are_warned_about_with_their_place(server, caplog):
    path = server("postprocess { detection { num_detected_class: 3 } }", "output_controll { }")
    with caplog.at_level(logging.WARNING):
        read_server_config(path)
    assert (
        "infer_config.postprocess.detection has an unknown field num_detected_class; did you mean"
        in caplog.text
    )
    assert "has an unknown field output_controll; did you mean 'output_control'?" in caplog.text


ROOT = 'model_repo { root: "repo" }'


@pytest.mark.parametrize(
    ("triton", "expected"),
    [
        ('model_name: "net" grpc { }', r"names no model on a server; set model_name and grpc.url"),
        ('grpc { url: "host:8001" }', r"names no model on a server; set model_name and grpc.url"),
        (ROOT, "names no model; set model_name, and model_repo.root or grpc.url"),
        (f'model_name: "gone" {ROOT}', "there is no model gone in .*repo"),
        (f'model_name: "net" version: 2 {ROOT}', "has no version 2; versions: 1, 3"),
        (
            f'model_name: "tf" {ROOT}',
            r"tf/1/model.onnx does not exist .*holds model.graphdef.*only ONNX models",
        ),
        (f'model_name: "none" {ROOT}', "has no version -1; versions: none"),
    ],
)
def test_models_that_cannot_be_run(server, tmp_path, triton, expected):
    path = server(triton=triton)
    (tmp_path / "repo/tf/1").mkdir(parents=True)
    (tmp_path / "repo/tf/1/model.graphdef").touch()
    (tmp_path / "repo/none").mkdir()
    with pytest.raises(ConfigError, match=expected) as caught:
        read_server_config(path)
    assert "infer_config.backend.triton" in str(caught.value)


@pytest.mark.parametrize(
    ("triton", "expected"),
    [
        ('model_name: "net" grpc { url: "host:8001" }', "grpc://host:8001/net"),
        ('model_name: "a b" version: -1 grpc { url: "host:8001" enable_cuda_buffer_sharing: true }',
         "grpc://host:8001/a%20b"),
        ('model_name: "net" version: 2 grpc { url: "grpcs://host/" }', "grpcs://host/net/2"),
        ('model_name: "net" grpc { url: "http://host:8000" }', "http://host:8000/net"),
    ],
)  # fmt: skip
def test_models_on_servers(server, triton, expected):
    config = read_server_config(server(triton=triton))
    assert find_model(checked(config)) == expected


@pytest.mark.parametrize(
    ("infer", "triton"),
    [
        ('postprocess { triton_classification { threshold: 0.5 tensor_name: "prob" } }', ""),
        ("", 'class_params { threshold: 0.5 tensor_name: "prob" }'),
        ("postprocess { }", 'class_params { threshold: 0.5 tensor_name: "prob" topk: 1 }'),
    ],
)
def test_tritons_own_classification(server, infer, triton):
    config = read_server_config(server(infer, triton=f'model_name: "net" grpc {{ url: "h:1" }} {triton}'))
    assert (config.network_type, config.classifier_threshold) == (1, 0.5)
    assert config.output_blob_names == ("prob",)


def test_one_class_is_all_that_is_used_of_tritons_classification(server, caplog):
    read_server_config(server("postprocess { triton_classification { topk: 3 } }"))
    assert "triton_classification.topk=3 has no effect" in caplog.text


def test_the_repository_may_name_the_file(server, tmp_path):
    path = server(triton=f'model_name: "net" version: 1 {ROOT}')
    (tmp_path / "repo/net/1/best.onnx").touch()
    (tmp_path / "repo/net/config.pbtxt").write_text('name: "net" default_model_filename: "best.onnx"')
    assert read_server_config(path).onnx_file == str(tmp_path / "repo/net/1/best.onnx")


@pytest.mark.parametrize(
    ("infer", "expected"),
    [
        (
            "postprocess { detection { nms {} } }",
            "infer_config.postprocess.detection.num_detected_classes is not set",
        ),
        ("max_batch_size: many", "infer_config: max_batch_size is 'many'; give whole numbers"),
        (
            "preprocess { network_format: RGB }",
            "infer_config.preprocess: network_format is 'RGB'; use one of IMAGE_",
        ),
        (
            "postprocess { detection { num_detected_classes: 1 per_class_params { key: 1 } } }",
            "key 1 is no class",
        ),
        (
            "postprocess { detection { num_detected_classes: 1 nms { iou_threshold: 3 } } }",
            "nms_iou_threshold is 3",
        ),
    ],
)
def test_mistakes_are_named_as_the_file_has_them(server, infer, expected):
    with pytest.raises(ConfigError, match=expected) as caught:
        checked(read_server_config(server(infer)))
    assert "server.txt: " in str(caught.value)


def test_files_that_are_no_configuration(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_server_config(tmp_path / "gone.txt")
    (tmp_path / "x.txt").write_text("input_control { }")
    with pytest.raises(ConfigError, match="has no infer_config"):
        read_server_config(tmp_path / "x.txt")
