"""A short tree, written once."""

from __future__ import annotations

import pytest

from headrace.assets.writer import write_assets


@pytest.fixture(scope="session")
def seconds():
    """Length of the clips in the tree."""
    return 0.4


@pytest.fixture(scope="session")
def tree(tmp_path_factory, seconds):
    """A tree with clips of a few frames, in a folder whose name is not made for command lines."""
    folder = tmp_path_factory.mktemp("tree") / 'deep "stream" ! 7.1'
    write_assets(folder, seconds)
    return folder
