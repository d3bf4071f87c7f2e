"""Prompts: placeholders filled in, mistakes named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import ConfigError
from headrace.vlm.config import SegmentConfig, VlmConfig
from headrace.vlm.prompts import PLACEHOLDERS, Prompt
from headrace.vlm.rules import FUNCTIONS, NAMES

VALUES = {name: f"<{name}>" for name in PLACEHOLDERS}


def test_placeholders_are_filled_in():
    prompt = Prompt(
        'Is {object.label} {object.id} on {source} waving after {dwell} s? As {{"waving": true}}.'
    )
    assert prompt.placeholders == {"object.label", "object.id", "source", "dwell"}
    assert prompt.render(VALUES) == (
        'Is <object.label> <object.id> on <source> waving after <dwell> s? As {"waving": true}.'
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("What is {object.lable}?", "did you mean {object.label}?"),
        ("{tiem}", "did you mean {time}?"),
        ("{}", "unknown placeholder {}"),
        ("{dwell:.1f}", "{dwell} takes no format"),
        ("{dwell!r}", "{dwell} takes no format"),
        ('Answer as {"a": 1}', "written {{ and }}"),
        ("a } b", "written {{ or }}"),
        ("{object.__class__}", "unknown placeholder"),
    ],
)
def test_what_is_wrong_is_said(text, says):
    with pytest.raises(ConfigError) as caught:
        Prompt(text)
    assert says in str(caught.value)


@given(st.text(alphabet="{}a.[]!:dwel\n", max_size=20))
def test_no_text_does_anything_but_render_or_be_refused(text):
    try:
        prompt = Prompt(text)
    except ConfigError:
        return
    assert isinstance(prompt.render(VALUES), str)


def test_the_page_has_every_placeholder_name_and_key():
    page = (Path(__file__).resolve().parents[2] / "docs/vlm.md").read_text()
    names = [*(f"{{{name}}}" for name in PLACEHOLDERS), *NAMES]
    keys = [key for model in (VlmConfig, SegmentConfig) for key in model.model_fields]
    missing = [name for name in (*names, *(key.replace("_", "-") for key in keys)) if f"`{name}`" not in page]
    assert missing == []
    assert [name for name in FUNCTIONS if f"`{name}(" not in page] == []
