"""Stands in for NVIDIA's ``cuda`` package, of which programs ask what machine they are on; a real one goes first.

Since version 13 the real one, which torch brings along, has no ``cuda.cuda`` any more: it comes from here then.
"""

from headrace.compat import elsewhere

_real = elsewhere("cuda")
if _real is not None and _real.submodule_search_locations:
    __path__ = [*_real.submodule_search_locations, *__path__]
