"""Lets GStreamer's Python plugin loader find the element nvimagedec."""

from headrace.elements import loader_entry

__gstelementfactory__ = loader_entry("nvimagedec")
