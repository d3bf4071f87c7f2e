"""What the file beside a model changes, and what it may not hold."""

from dataclasses import replace

import pytest

from headrace.errors import ConfigError
from headrace.infer import InferOptions, PreprocessOptions, describe, load_model
from headrace.infer.decoders import BoxDecoder, Match, registry
from headrace.infer.files.sidecar import read_sidecar, write_sidecar

OPTIONS = InferOptions(engine="onnxruntime", threads=1)


@pytest.fixture
def model(make_onnx, yolov8_outputs):
    return make_onnx(yolov8_outputs)


@pytest.mark.parametrize("name", ["tiny.onnx.headrace.yaml", "tiny.headrace.yaml"])
def test_a_file_beside_the_model_overrides_the_guesses(model, name):
    model.with_name(name).write_text(
        "decoder: yolox\nlabels: [cat, dog]\npreprocess: {color: BGR, mean: [1, 2, 3]}\n"
    )
    info = describe(model, replace(OPTIONS, decoder="yolov8"))
    assert (info.decoder, info.labels) == ("yolov8", ("cat", "dog"))  # what the user says comes first
    assert info.preprocess == PreprocessOptions(color="BGR", mean=(1, 2, 3))
    assert any(name in reason for reason in info.reasons)
    assert load_model(model, replace(OPTIONS, decoder="yolov8", labels=("a", "b"))).labels == ("a", "b")


def test_single_steps_of_the_users_win_over_the_files(model):
    model.with_name("tiny.onnx.headrace.yaml").write_text("preprocess: {color: BGR, scale: 1}\n")
    options = replace(OPTIONS, preprocess={"scale": 0.5})
    assert describe(model, options).preprocess == PreprocessOptions(color="BGR", scale=0.5)


def test_labels_may_be_a_file_beside_it(model):
    model.with_name("names.txt").write_text("one\ntwo\n")
    model.with_name("tiny.onnx.headrace.yaml").write_text("labels: names.txt\n")
    assert describe(model, OPTIONS).labels == ("one", "two")


def test_what_was_saved_gives_the_same_model_again(model):
    options = replace(OPTIONS, labels=("cat", "dog"), preprocess={"resize": "stretch"})
    first = describe(model, options)
    written = write_sidecar(model, first.as_sidecar())
    assert written.name == "tiny.onnx.headrace.yaml"
    again = describe(model, OPTIONS)
    for field in ("decoder", "labels", "preprocess", "input_size"):
        assert getattr(again, field) == getattr(first, field)


def test_options_of_a_decoder_are_saved_too(model):
    options = replace(OPTIONS, decoder="yolox", decoder_options={"decoded": True})
    write_sidecar(model, describe(model, options).as_sidecar())
    assert describe(model, OPTIONS).decoder_options == {"decoded": True}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("decode: yolox", "'decode'.*decoder, labels"),
        ("- decoder", "list"),
        ("decoder: 5", "decoder is 5; expected a name"),
        ("labels: []", "labels is"),
        ("input_size: 640", r"input_size is 640; expected \[width, height\]"),
        ("preprocess: {colour: BGR}", "no 'colour', did you mean color"),
        ("preprocess: {color: PINK}", "color is 'PINK'"),
        ("preprocess: {scale: big}", "scale is 'big'; a number"),
        ("decoder: [", "cannot be read"),
        ("\xff", "cannot be read|expected|not known"),
    ],
)
def test_mistakes_are_named_with_the_file(tmp_path, text, said):
    path = tmp_path / "m.onnx.headrace.yaml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=said):
        read_sidecar(path)


class _Alike(BoxDecoder):
    task = "detect"

    def __init__(self, name, score):
        self.name, self._score = name, score

    def matches(self, graph):
        return Match(self._score, "looks like it")

    def decode(self, outputs, options):
        raise ValueError("never")


def test_a_graph_that_may_be_of_two_families_is_refused_with_both(model, monkeypatch):
    alike = [_Alike("first", 0.9), _Alike("second", 0.88), _Alike("third", 0.7)]
    monkeypatch.setattr(registry, "known_decoders", lambda: {one.name: one for one in alike})
    info = describe(model, OPTIONS)
    assert not info.decoder
    assert [candidate.split()[0] for candidate in info.candidates] == ["first", "second", "third"]
    assert "Name the decoder: first or second" in info.problem
    assert describe(model, replace(OPTIONS, decoder="second")).decoder == "second"
