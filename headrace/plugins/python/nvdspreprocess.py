"""Lets GStreamer's Python plugin loader find the element nvdspreprocess."""

from headrace.elements import loader_entry

__gstelementfactory__ = loader_entry("nvdspreprocess")
