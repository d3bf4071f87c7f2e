"""Glue to GStreamer: buffers, payloads and pads on the data path; elements, options and errors.

Importing this package initialises GStreamer (no threads are started).
"""

import ctypes

# libgstreamer brings libunwind, whose stack unwinding clashes with libgcc's if NumPy or OpenCV were loaded before:
# the first C++ exception in the process, such as onnxruntime's for a damaged model, is then a segmentation fault.
# With libgcc found first by everybody, there is one unwinder.
ctypes.CDLL("libgcc_s.so.1", mode=ctypes.RTLD_GLOBAL)

import gi  # noqa: E402 - libgcc must come first

gi.require_version("Gst", "1.0")
gi.require_version("GstVideo", "1.0")
gi.require_version("GstBase", "1.0")

from gi.repository import Gst  # noqa: E402 - the versions must be chosen first

from headrace.gst import payload  # noqa: E402

if not Gst.is_initialized():
    Gst.init(None)
payload.register()
