"""The examples in docstrings do what they say."""

import doctest
import importlib
import pkgutil

import pytest

import headrace

#: Folders of files that GStreamer's plugin loader and other programs import under names of their own.
NOT_OURS = ("headrace.plugins.python", "headrace.compat.path")
#: Libraries of engines, which need not be there.
OPTIONAL = {"grpc", "tensorrt", "torch", "triton", "tritonclient"}
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(headrace.__path__, "headrace.")
    if not module.name.startswith(NOT_OURS)
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as missing:
        if missing.name not in OPTIONAL:
            raise
        pytest.skip(f"{missing.name} is not installed")
    result = doctest.testmod(module)
    assert result.failed == 0
