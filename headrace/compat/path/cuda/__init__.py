"""Stands in for NVIDIA's ``cuda`` package, of which programs ask what machine they are on; a real one goes first."""

from headrace.compat import elsewhere

_real = elsewhere("cuda")
if _real is not None and _real.submodule_search_locations:
    __path__ = list(_real.submodule_search_locations)
