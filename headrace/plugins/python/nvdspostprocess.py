"""Lets GStreamer's Python plugin loader find the element nvdspostprocess."""

from headrace.elements import loader_entry

__gstelementfactory__ = loader_entry("nvdspostprocess")
