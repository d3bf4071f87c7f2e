"""Elements by the names of their factories."""

from __future__ import annotations

from gi.repository import Gst

from headrace.errors import PipelineError
from headrace.suggestion import did_you_mean


def make_element(factory: str, name: str) -> Gst.Element:
    """Make an element.

    Args:
        factory: What it is.
        name: What it is called.

    Raises:
        PipelineError: There is no such factory; names the one that is most like it.

    Example:
        >>> make_element("videotestsrc", "camera").get_name()
        'camera'
    """
    element = Gst.ElementFactory.make(factory, name)
    if element is None:
        text = f"Element creation failed: no element {factory!r} for {name!r}{_hint(factory)}"
        raise PipelineError(text, name)
    return element


def _hint(factory: str) -> str:
    if Gst.ElementFactory.find(factory) is not None:
        return "; it is known, but cannot be made: GST_DEBUG=3 says why"
    known = (one.get_name() for one in Gst.Registry.get().get_feature_list(Gst.ElementFactory))
    return did_you_mean(factory, known, "; run: headrace doctor", "; did you mean {!r}?", 0.75)
