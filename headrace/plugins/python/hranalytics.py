"""Lets GStreamer's Python plugin loader find the element hranalytics."""

from headrace.elements import loader_entry

__gstelementfactory__ = loader_entry("hranalytics")
