"""A short tree, written once."""

from __future__ import annotations

import pytest

from headrace.assets.writer import write_assets

SECONDS = 0.4


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    """A tree with clips of a few frames."""
    folder = tmp_path_factory.mktemp("deepstream")
    write_assets(folder, SECONDS)
    return folder
