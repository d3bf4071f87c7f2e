"""The examples on the page about flows run."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs/flow.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    "example", EXAMPLES, ids=lambda text: re.findall(r"Pipeline\(\"(\w+)|$", text)[0] or "media"
)
def test_examples_run(example, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(example, str(PAGE), "exec"), {"__name__": "example"})
    if "print(" in example:
        assert capsys.readouterr().out
