"""What flows: streams by the element and pad they come out of, kinds of media, and names of elements."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any


class MediaType(str, Enum):
    """What a stream carries.

    Example:
        >>> MediaType("audio") is MediaType.AUDIO
        True
    """

    VIDEO = "video"
    AUDIO = "audio"


class RenderMode(IntEnum):
    """Where `Flow.render` puts pictures and sound (contract §10)."""

    DISPLAY = 1
    DISCARD = 2
    STREAM = 3


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """One stream of a flow.

    Attributes:
        originator: Name of the element that it comes out of.
        template: Name of the pad or pad template there; empty for any.
        media_type: ``video``, ``audio`` or ``generic``.

    Example:
        >>> str(StreamInfo("source", "vsrc_%u"))
        'source/vsrc_%u'
    """

    originator: str
    template: str = ""
    media_type: str = "generic"

    def __str__(self) -> str:
        return f"{self.originator}/{self.template}"

    @property
    def is_audio(self) -> bool:
        """Whether it carries sound."""
        return self.media_type == MediaType.AUDIO


def as_stream(stream: StreamInfo | str) -> StreamInfo:
    """A stream given by the user: an element's name stands for whatever comes out of it."""
    return StreamInfo(stream) if isinstance(stream, str) else stream


def as_media_types(given: MediaType | str | Iterable[MediaType | str]) -> list[MediaType]:
    """One kind of media, or several, as a list.

    Raises:
        ValueError: There is no such kind.

    Example:
        >>> as_media_types(MediaType.VIDEO), as_media_types(["audio"])
        ([<MediaType.VIDEO: 'video'>], [<MediaType.AUDIO: 'audio'>])
    """
    return [MediaType(one) for one in ([given] if isinstance(given, str) else given)]


_counters: defaultdict[str, Iterator[int]] = defaultdict(itertools.count)


def node_name(method: str, part: str) -> str:
    """A name for the next element that a method of `Flow` makes; counts in the whole process.

    Example:
        >>> node_name("example", "source"), node_name("example", "mux")
        ('example-source-0', 'example-mux-1')
    """
    return f"{method}-{part}-{next(_counters[method])}"


def element_properties(keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments as names of properties.

    Example:
        >>> element_properties({"unique_id": 4})
        {'unique-id': 4}
    """
    return {name.replace("_", "-"): value for name, value in keywords.items()}
