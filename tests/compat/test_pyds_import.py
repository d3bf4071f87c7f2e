"""Programs find ``pyds`` and ``cuda`` by name, and never instead of real ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from headrace import compat

ROOT = Path(compat.PATH).parents[2]


def told(code, *folders):
    """What a program prints that has our modules in its path, and these folders behind them."""
    path = os.pathsep.join(map(str, (ROOT, compat.PATH, *folders)))
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True,
        timeout=150, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_pyds_is_found_by_name():
    assert told("import pyds; print(pyds.NvDsMetaType.NVDS_EVENT_MSG_META == 9, pyds.__version__)") == [
        "True",
        "1.2.0",
    ]


@pytest.mark.parametrize("kind", ["pyds.py", "pyds/__init__.py"])
def test_a_real_pyds_goes_first(tmp_path, kind):
    place = tmp_path / kind
    place.parent.mkdir(exist_ok=True)
    place.write_text("real = True\n")
    assert told("import pyds; print(pyds.real, hasattr(pyds, 'NvDsMetaType'))", tmp_path) == ["True", "False"]


def test_the_machine_has_one_device_that_cannot_compute():
    code = """
from cuda import cuda, cudart
(error,) = cuda.cuInit(0)
error_count, count = cuda.cuDeviceGetCount()
error_device, device = cudart.cudaGetDeviceProperties(0)
print(error == cuda.CUresult.CUDA_SUCCESS, count, device.integrated)
try:
    cuda.cuMemAlloc(16)
except AttributeError as told:
    print("there is no CUDA here" in str(told))
"""
    assert told(code) == ["True", "1", "0", "True"]


def test_a_real_cuda_goes_first(tmp_path):
    (tmp_path / "cuda").mkdir()
    (tmp_path / "cuda/cudart.py").write_text("real = True\n")
    assert told("from cuda import cudart; print(cudart.real)", tmp_path) == ["True"]
