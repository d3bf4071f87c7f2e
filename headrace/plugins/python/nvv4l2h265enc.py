"""Lets GStreamer's Python plugin loader find the element nvv4l2h265enc."""

from headrace.elements import loader_entry

__gstelementfactory__ = loader_entry("nvv4l2h265enc")
