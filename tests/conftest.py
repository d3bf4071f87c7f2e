"""Makes GStreamer's version and Headrace's elements known before any test module is loaded."""

import gi

import headrace  # noqa: F401

# GLib's warnings are of a class that says it lives in a module which cannot be imported; a worker that tells of
# one would bring the whole run down.
gi._gi.Warning.__module__ = "gi._gi"
