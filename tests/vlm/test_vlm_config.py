"""The configuration: read whole, checked whole, mistakes named."""

import json
import sys

import pytest

from headrace.errors import ConfigError, ModelError
from headrace.vlm import load_config
from headrace.vlm.config import Question, SegmentConfig, VlmConfig
from headrace.vlm.loader import load_model

BASE = "model: qwen\nbase-url: http://localhost:8000/v1\nprompt: What is there?\n"


def config(folder, text, **overrides):
    path = folder / "questions.yaml"
    path.write_text(text)
    return load_config(path, overrides)


def test_a_file_with_all_parts(tmp_path):
    pytest.importorskip("jsonschema")
    (tmp_path / "answer.json").write_text('{\n\t"type": "object"\n}')
    read = config(
        tmp_path,
        BASE + "segment: {length: 4, max-frames: 2, fps: 2}\nanswer-schema: answer.json\nsources:\n"
        "  2: {prompt: 'Who is {object.label}?', subject: object, when: dwell > 3, segment: {overlap: 1}}\n"
        "  3: {answer_schema: null, draw_time: 3}\n",
    )
    assert read.question(0).prompt == "What is there?"
    assert read.question(0).segment.interval == 2.0
    assert read.question(0).pause == 0.0
    two = read.question(2)
    assert (two.subject, two.when, two.pause, two.crops) == ("object", "dwell > 3", 10.0, True)
    assert (two.segment.length, two.segment.overlap) == (4.0, 1.0)
    assert two.answer_schema == {"type": "object"}
    assert read.question(3).answer_schema is None
    assert read.question(3).draw_time == 3


def test_properties_win(tmp_path):
    read = config(tmp_path, BASE, model="other", when="count(person) > 2", prompt="")
    assert (read.model, read.when, read.prompt) == ("other", "count(person) > 2", "What is there?")


def test_a_schema_with_underscores_and_dashes_stays_as_it_is(tmp_path):
    pytest.importorskip("jsonschema")
    schema = {"type": "object", "properties": {"is_open": {"type": "boolean"}, "a-b": {}}}
    assert config(tmp_path, BASE + f"answer-schema: {json.dumps(schema)}").answer_schema == schema


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("prompt: x", "no model: set model"),
        ("model: m", "prompt is missing"),
        (BASE + "promt: x", "unknown key 'promt', did you mean 'prompt'?"),
        (BASE + "segment: {lenght: 1}", "unknown key 'segment.lenght', did you mean 'length'?"),
        (BASE + "segment: {length: 2, overlap: 2}", "overlap 2 must be less than length 2"),
        (
            BASE + "when: dwel > 3",
            "when: rule 'dwel > 3', column 1: unknown name 'dwel'; did you mean dwell?",
        ),
        (BASE + "sources: {4: {when: dwel > 3}}", "sources.4: when: rule"),
        (BASE + "sources: {4: {model: x}}", "sources.4: unknown key 'model'"),
        (BASE + "sources: {front: {}}", "sources.front"),
        (BASE + "pictures: crops", "pictures: crops needs subject: object"),
        ("model: m\nprompt: 'who is {object.id}?'", "{object.id} needs subject: object"),
        ("model: m\nprompt: '{tim}'", "did you mean {time}?"),
        (BASE.replace("http:", "ftp:"), "write http://HOST:PORT/v1"),
        (BASE.replace("8000", "80000"), "write http://HOST:PORT/v1"),
        (BASE.replace("localhost", "user:secret@localhost"), "api-key-env"),
        (BASE + "timeout: 0", "timeout: input should be greater than 0"),
        (BASE + "answer-schema: nowhere.json", "nowhere.json cannot be read"),
        ("[1]", "must be 'key: value' lines"),
        ("a: [", "is neither YAML nor JSON"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, says):
    with pytest.raises(ConfigError) as caught:
        config(tmp_path, text)
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_schema_that_is_none_is_said(tmp_path):
    pytest.importorskip("jsonschema")
    with pytest.raises(ConfigError, match="answer-schema is no JSON schema"):
        config(tmp_path, BASE + "answer-schema: {type: nonsense}")


def test_a_schema_without_the_library_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(ConfigError, match="pip install jsonschema"):
        config(tmp_path, BASE + "answer-schema: {type: object}")


def test_every_field_is_described():
    for model in (VlmConfig, Question, SegmentConfig):
        assert [name for name, field in model.model_fields.items() if not field.description] == []


def test_a_class_is_found_beside_the_file(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from headrace.vlm import VisionLanguageModel\n"
        "class Mine(VisionLanguageModel):\n"
        "    def load(self): self.loaded = True\n"
        "    def answer(self, request): return 'mine'\n"
        "class Other: pass\n"
    )
    path = tmp_path / "questions.yaml"
    path.write_text("model: mine.py:Mine\nprompt: x")
    assert load_model(load_config(path), tmp_path).loaded
    with pytest.raises(ModelError, match="a class derived from"):
        load_model(load_config(path, {"model": "mine.py:Other"}), tmp_path)
    with pytest.raises(ModelError, match="names nothing in Python"):
        load_model(load_config(path, {"model": "qwen2.5vl"}), tmp_path)


def test_a_key_that_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(ConfigError, match="environment variable MY_KEY is not set"):
        load_model(config(tmp_path, BASE + "api-key-env: MY_KEY"))
