"""The examples in docstrings do what they say."""

import doctest
import importlib
import pkgutil

import pytest

import headrace

#: Folders of files that GStreamer's plugin loader and other programs import under names of their own.
NOT_OURS = ("headrace.plugins.python", "headrace.compat.path")
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(headrace.__path__, "headrace.")
    if not module.name.startswith(NOT_OURS)
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0
