"""The kernels compile for GPUs of several generations; none has to be there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("triton")


@pytest.mark.parametrize("capability", ["75", "80", "90"])
def test_kernels_compile_without_a_gpu(capability: str, tmp_path: Path) -> None:
    """In a process of its own: here Triton may have been told to interpret kernels instead."""
    script = Path(__file__).parents[1] / "support" / "compiled_kernels.py"
    environment = {**os.environ, "TRITON_INTERPRET": "0", "TRITON_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, str(script), capability],
        capture_output=True, text=True, timeout=170, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == {"candidates_kernel", "suppression_kernel", "nv12_kernel"}
