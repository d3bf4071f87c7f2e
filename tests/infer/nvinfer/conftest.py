"""Configurations beside tiny models."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def write(tmp_path) -> Callable[..., Path]:
    """Write a configuration file of ``[property]`` lines and further groups."""

    def make(*lines: str, name: str = "pgie.txt", **groups: str) -> Path:
        text = "[property]\n" + "\n".join(lines) + "\n"
        for group, keys in groups.items():
            text += f"[{group.replace('_', '-')}]\n{keys}\n"
        path = tmp_path / name
        path.write_text(text)
        return path

    return make
