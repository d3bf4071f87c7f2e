"""Makes GStreamer's version and Headrace's elements known before any test module is loaded."""

import os
from pathlib import Path

import gi
from hypothesis import HealthCheck, settings

import headrace  # noqa: F401

# GLib's warnings are of a class that says it lives in a module which cannot be imported; a worker that tells of
# one would bring the whole run down.
gi._gi.Warning.__module__ = "gi._gi"

# Without an NVIDIA driver Triton's interpreter runs the kernels; it looks at this when it is imported, by whomever.
if not Path("/dev/nvidiactl").exists():
    os.environ.setdefault("TRITON_INTERPRET", "1")

# On a machine that others use, the time that an example takes says nothing about it.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")
