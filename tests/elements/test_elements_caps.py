"""Caps of frames, read by the threads of many sources at once."""

import subprocess
import sys

FIRST_READ = """
from headrace.elements.base.caps import layout_of
from gi.repository import Gst, GstVideo

def made():
    return {name for module in (Gst, GstVideo) for name in vars(module._introspection_module)}

before = made()
layout_of(Gst.Caps.from_string("video/x-raw,format=I420,width=64,height=48,framerate=25/1,colorimetry=bt709"))
print(sorted(made() - before))
"""


def test_the_binding_makes_no_classes_when_threads_read_their_first_caps() -> None:
    """It makes them without a lock, so that of two threads one may get half a class."""
    done = subprocess.run(
        [sys.executable, "-c", FIRST_READ], capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"
