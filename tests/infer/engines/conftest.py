"""The same tiny model for every engine."""

import importlib.util
import sys
import types
from pathlib import Path

import pytest

if importlib.util.find_spec("gi") is None:
    # On a machine without GStreamer the engines alone can be tested: they need nothing else of the package.
    infer = types.ModuleType("headrace.infer")
    infer.__path__ = [str(Path(__file__).parents[3] / "headrace" / "infer")]
    sys.modules["headrace.infer"] = infer

from engine_models import MAKERS


@pytest.fixture(params=sorted(MAKERS))
def make(request, tmp_path):
    """For each engine and kind of file: ``make(**options)`` writes the tiny model and opens it."""
    engine, maker, libraries = MAKERS[request.param]
    for library in libraries:
        pytest.importorskip(library)
    from headrace.infer.engines import EngineOptions, open_engine

    def open_tiny(batch="batch", size=32, half=False, metadata=None, **options):
        path = maker(tmp_path, batch=batch, size=size, half=half, metadata=metadata)
        return open_engine(path, engine, EngineOptions(**{"precision": "f32", "threads": 2, **options}))

    open_tiny.label, open_tiny.engine, open_tiny.write = request.param, engine, maker
    return open_tiny
