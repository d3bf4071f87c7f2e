"""Glue to GStreamer: buffers, payloads and pads on the data path; elements, options and errors.

Importing this package initialises GStreamer (no threads are started).
"""

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstVideo", "1.0")
gi.require_version("GstBase", "1.0")

from gi.repository import Gst  # noqa: E402 - the versions must be chosen first

from headrace.gst import payload  # noqa: E402

if not Gst.is_initialized():
    Gst.init(None)
payload.register()
