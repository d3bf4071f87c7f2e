from __future__ import annotations

from pathlib import Path

import pytest

from headrace.errors import ConfigError
from headrace.keyfile import read_groups


def _file(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_both_forms_give_the_same(tmp_path: Path) -> None:
    key = _file(tmp_path, "a.txt", "# top\n[property]\n  batch-size=4\noffsets=1;2;3\nenable=1\n[empty]\n")
    yml = _file(
        tmp_path, "a.yml", "property:\n  batch-size: 4\n  offsets: [1, 2, 3]\n  enable: true\nempty:\n"
    )
    assert read_groups(key) == read_groups(yml) == {
        "property": {"batch-size": "4", "offsets": "1;2;3", "enable": "1"},
        "empty": {},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.txt", "batch-size=4\n", "not a key file"),
        ("a.yml", "property: [1", "not YAML"),
        ("a.yml", "- 1\n", "groups of keys expected"),
        ("a.yml", "property: 3\n", r"\[property\] must hold keys"),
    ],
)
def test_malformed_files_name_the_file(tmp_path: Path, name: str, text: str, says: str) -> None:
    path = _file(tmp_path, name, text)
    with pytest.raises(ConfigError, match=says) as caught:
        read_groups(path)
    assert str(path) in str(caught.value)


def test_missing_file_says_what_it_was_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"tracker configuration .*none.txt cannot be read"):
        read_groups(tmp_path / "none.txt", "tracker configuration")
