"""Linking of elements by name, with request pads and pads that appear later (contract §1.3)."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Iterator

from gi.repository import Gst

from headrace.errors import PipelineError
from headrace.flow.playing.manners import OWN, Manners

_log = logging.getLogger(__name__)
#: Held from choosing a pad to linking it: pads appear on threads of their own, and two must not choose the same one.
_choosing = threading.RLock()


def link(
    source: Gst.Element,
    target: Gst.Element,
    source_hint: str = "",
    target_hint: str = "",
    manners: Manners = OWN,
) -> None:
    """Link two elements.

    Args:
        source: Upstream element.
        target: Downstream element.
        source_hint: Pad or template name at the source, empty for any.
        target_hint: Pad or template name at the target, empty for any.
        manners: Where it is told.

    Raises:
        PipelineError: No pads fit; the text names both elements and their caps.
    """
    manners.say(f"LINKING: Source: {source.get_name()} Target: {target.get_name()}")
    for template in _templates(source, Gst.PadDirection.SRC, source_hint):
        if template.presence == Gst.PadPresence.SOMETIMES and not _existing(source, template.name_template):
            _link_later(source, target, source_hint, target_hint, manners)
            return
    if _link_now(source, target, source_hint, target_hint):
        return
    raise PipelineError(
        f"Elements linking  failed: {_why(source, target, source_hint, target_hint)}", source.get_name()
    )


def _why(source: Gst.Element, target: Gst.Element, source_hint: str, target_hint: str) -> str:
    """Why two elements could not be linked."""
    ends = (source, Gst.PadDirection.SRC, source_hint), (target, Gst.PadDirection.SINK, target_hint)
    reason = next(filter(None, (_no_free_pad(*end) for end in ends)), "")
    if reason:
        return reason
    offers = [f"{element.get_name()} ({_offers(element, direction)})" for element, direction, _ in ends]
    return f"{' -> '.join(offers)} have no pads with common caps"


def _no_free_pad(element: Gst.Element, direction: Gst.PadDirection, hint: str) -> str:
    """Why an element has no pad to link, empty where it has one."""
    name, side = element.get_name(), direction.value_nick
    if not _templates(element, direction, ""):
        return f"{name} ({element.get_factory().get_name()}) has no {side} pads"
    fitting = [pad for pad in pads_of(element) if pad.direction == direction and _is_meant(pad, hint)]
    wanted = _templates(element, direction, hint)
    if not wanted and not fitting:
        known = ", ".join(one.name_template for one in _templates(element, direction, ""))
        return f"{name} has no {side} pad {hint!r}, but {known}"
    more = any(one.presence == Gst.PadPresence.REQUEST for one in wanted)
    if more or not fitting or not all(pad.is_linked() for pad in fitting):
        return ""
    other = fitting[0].get_peer().get_parent_element()
    return (
        f"pad {fitting[0].get_name()!r} of {name} is linked already, to {other.get_name() if other else 'a pad'}; "
        "a tee has several targets"
    )


def _templates(element: Gst.Element, direction: Gst.PadDirection, hint: str) -> list[Gst.PadTemplate]:
    found = [t for t in element.get_pad_template_list() if t.direction == direction]
    if not hint:
        return found
    return [t for t in found if t.name_template == hint or _is_instance(hint, t.name_template)]


def _is_instance(name: str, template: str) -> bool:
    prefix, _, kind = template.partition("%")
    return bool(kind) and name.startswith(prefix) and name[len(prefix) :].isdigit()


def _existing(element: Gst.Element, template: str) -> bool:
    return any(_is_meant(pad, template) for pad in pads_of(element))


def _pads(element: Gst.Element, direction: Gst.PadDirection, hint: str) -> list[Gst.Pad]:
    """Free pads that fit a hint, then requested ones."""
    free = (pad for pad in pads_of(element) if pad.direction == direction and not pad.is_linked())
    return [pad for pad in free if _is_meant(pad, hint)]


def pads_of(element: Gst.Element) -> list[Gst.Pad]:
    """The pads of an element, safely while other threads add some (its attribute ``pads`` is not)."""
    iterator = element.iterate_pads()
    found: list[Gst.Pad] = []
    while True:
        result, pad = iterator.next()
        if result == Gst.IteratorResult.RESYNC:
            iterator.resync()
            found = []
        elif result != Gst.IteratorResult.OK:
            return found
        else:
            found.append(pad)


def _link_now(source: Gst.Element, target: Gst.Element, source_hint: str, target_hint: str) -> bool:
    for source_pad, asked in _candidates(source, Gst.PadDirection.SRC, source_hint, Gst.Caps.new_any()):
        if link_pad(source_pad, target, target_hint):
            return True
        if asked:
            source.release_request_pad(source_pad)
    return False


def _candidates(
    element: Gst.Element, direction: Gst.PadDirection, hint: str, caps: Gst.Caps
) -> Iterator[tuple[Gst.Pad, bool]]:
    """Pads to try, with whether they were requested for it: free ones, or one of each template for the caps.

    Only of templates that fit, because mp4mux writes a broken file if a pad was requested and given back.
    """
    ready = _pads(element, direction, hint)
    if ready:
        yield from ((pad, False) for pad in ready)
        return
    for template in _templates(element, direction, hint):
        if template.presence == Gst.PadPresence.REQUEST and template.get_caps().can_intersect(caps):
            name = hint if hint and hint != template.name_template else None
            pad = element.request_pad(template, name, None)
            if pad is not None:
                yield pad, True


def link_pad(source_pad: Gst.Pad, target: Gst.Element, target_hint: str = "") -> bool:
    """Link a pad to a fitting pad of an element; returns whether there was one."""
    caps = source_pad.query_caps(None)
    with _choosing:
        for pad, asked in _candidates(target, Gst.PadDirection.SINK, target_hint, caps):
            if source_pad.can_link(pad) and source_pad.link(pad) == Gst.PadLinkReturn.OK:
                return True
            if asked:
                target.release_request_pad(pad)
    return False


def _link_later(
    source: Gst.Element, target: Gst.Element, source_hint: str, target_hint: str, manners: Manners
) -> None:
    weak_target = weakref.ref(target)

    def added(owner: Gst.Element, pad: Gst.Pad) -> None:
        element = weak_target()
        if element is None or pad.direction != Gst.PadDirection.SRC or not _is_meant(pad, source_hint):
            return
        manners.say(f"*** Inside cb_newpad name={pad.get_name()}")
        if not link_pad(pad, element, target_hint):
            _log.debug("pad %s of %s does not fit %s", pad.get_name(), owner.get_name(), element.get_name())

    source.connect("pad-added", added)


def _is_meant(pad: Gst.Pad, hint: str) -> bool:
    template = pad.get_pad_template()
    return not hint or pad.get_name() == hint or (template is not None and template.name_template == hint)


def _offers(element: Gst.Element, direction: Gst.PadDirection) -> str:
    templates = _templates(element, direction, "")
    return ", ".join(f"{t.name_template}: {t.get_caps().to_string()[:80]}" for t in templates) or "no pads"
