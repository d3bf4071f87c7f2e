"""Lets GStreamer's Python plugin loader find the element nv3dsink."""

from headrace.elements import loader_entry

__gstelementfactory__ = loader_entry("nv3dsink")
