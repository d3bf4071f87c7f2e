"""How many threads a decoder is given."""

from __future__ import annotations

import os
from collections.abc import Iterator

from gi.repository import GObject, Gst

#: More do not pay for one stream, and each holds frames of its own.
_MOST = 8


def decoder_threads(element: Gst.Element) -> int:
    """Threads of a decoder: the cores that this process may use, shared by the sources of its pipeline.

    Each thread of a decoder works on a frame of its own and so keeps about five; more threads than cores only keep
    frames. Of live sources libav's decoders work on slices instead, as each such thread would be late by a frame.

    Args:
        element: The decoder, in its pipeline.

    Example:
        >>> Gst.init(None) and None
        >>> pipeline = Gst.parse_launch("fakesrc ! fakesink fakesrc ! fakesink name=end")
        >>> decoder_threads(pipeline.get_by_name("end")) == min(max(len(os.sched_getaffinity(0)) // 2, 1), 8)
        True
    """
    top = element
    while top.get_parent() is not None:
        top = top.get_parent()
    sources = sum(1 for _ in _sources(top)) if isinstance(top, Gst.Bin) else 1
    return min(max(len(os.sched_getaffinity(0)) // max(sources, 1), 1), _MOST)


def _sources(parent: Gst.Bin) -> Iterator[Gst.Element]:
    """The sources in a bin: what opens an address or makes frames, not the parts that it is made of."""
    for source in _direct_sources(parent):
        opens = GObject.type_is_a(source.__gtype__, Gst.URIHandler.__gtype__)
        inner = list(_sources(source)) if isinstance(source, Gst.Bin) and not opens else []
        yield from inner or [source]


def _direct_sources(parent: Gst.Bin) -> list[Gst.Element]:
    """Also while parts come and go."""
    sources = parent.iterate_sources()
    found: list[Gst.Element] = []
    while True:
        result, source = sources.next()
        if result == Gst.IteratorResult.OK:
            found.append(source)
        elif result == Gst.IteratorResult.RESYNC:
            sources.resync()
            found.clear()
        else:
            return found
