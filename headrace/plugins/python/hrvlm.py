"""Lets GStreamer's Python plugin loader find the element hrvlm."""

from headrace.elements import loader_entry

__gstelementfactory__ = loader_entry("hrvlm")
