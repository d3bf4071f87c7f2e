"""Makes GStreamer's version and Headrace's elements known before any test module is loaded."""

import headrace  # noqa: F401
