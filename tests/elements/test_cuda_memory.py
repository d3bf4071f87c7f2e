"""Frames in CUDA memory: `cuda_memory_cases.py`, run by a process that finds a stand-in for driver and decoder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import standin_cuda
from gi.repository import Gst

CASES = Path(__file__).with_name("cuda_memory_cases.py")


def test_frames_of_the_nvcodec_plugin(tmp_path: Path) -> None:
    environment = standin_cuda.environment(tmp_path)
    if environment is None:
        pytest.skip("no C compiler")
    if Gst.Registry.get().find_plugin("nvcodec") is None:
        pytest.skip("GStreamer's nvcodec plugin is not installed")
    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(CASES)]
    done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "skipped" not in done.stdout.splitlines()[-1], done.stdout
