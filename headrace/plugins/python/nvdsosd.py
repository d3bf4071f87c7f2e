"""Lets GStreamer's Python plugin loader find the element nvdsosd."""

from headrace.elements import loader_entry

__gstelementfactory__ = loader_entry("nvdsosd")
