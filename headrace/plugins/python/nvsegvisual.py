"""Lets GStreamer's Python plugin loader find the element nvsegvisual."""

from headrace.elements import loader_entry

__gstelementfactory__ = loader_entry("nvsegvisual")
