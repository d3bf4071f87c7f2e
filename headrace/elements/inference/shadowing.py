"""Elements that run a candidate beside their model and tell how far the two agree."""

from __future__ import annotations

import json
from typing import Any

from gi.repository import Gst

from headrace.elements.inference.swapping import Swappable
from headrace.errors import ConfigError
from headrace.gst.face import describe
from headrace.infer import InferOptions
from headrace.infer.shadow import Shadow

#: Name of the element message; its field ``report`` is the report as JSON.
REPORT = "shadow-report"


class Shadowed(Swappable):
    """Mix-in of elements with the options ``shadow``, ``shadow_interval`` and ``shadow_report``.

    Reports come as element messages (`REPORT`): every ``shadow-interval`` seconds, at the end of the stream and when
    another candidate is set. The property ``shadow-report`` has the latest, also after the end.
    """

    _last_report = ""

    def shadow_options(self) -> InferOptions:
        """Options of the candidate's stage."""
        raise NotImplementedError

    def shadow_changed(self) -> None:
        """Begin, end, or begin anew, as the options say."""
        slot = None if self.inference is None else self.inference.slot
        if slot is None:
            return
        before, options = slot.shadow, self.options
        if before is not None and before.name == options.shadow:
            before.interval = options.shadow_interval
            return
        if before is not None:
            self.tell_shadow()
            slot.shadow = None
            before.close(0.0)
        if options.shadow:
            try:
                load, settings = self.loader(options.shadow), self.shadow_options()
            except ConfigError as error:
                self._shadow_told(error)
                return
            told = self.guarded(self._shadow_told)
            slot.shadow = Shadow(options.shadow, load, settings, options.shadow_interval, told)

    def model_told(self, model: str, error: BaseException | None) -> None:
        """A candidate is compared with one model at a time."""
        slot = None if self.inference is None else self.inference.slot
        if error is None and slot is not None and slot.shadow is not None:
            self.tell_shadow()
            slot.shadow.reset()

    def tell_shadow(self) -> None:
        """Post a report of what has been compared so far, if there is a candidate."""
        report = self.shadow_report()
        if report:
            structure = Gst.Structure.new_empty(REPORT)
            structure.set_value("report", report)
            self.post_message(Gst.Message.new_element(self, structure))

    def shadow_report(self) -> str:
        """The latest report as JSON; empty without a candidate."""
        slot = None if self.inference is None else self.inference.slot
        shadow = None if slot is None else slot.shadow
        if slot is not None and shadow is not None:
            mean = slot.mean_seconds
            about: dict[str, Any] = {"model": self.options.model}
            about["model_ms"] = None if mean is None else round(1000 * mean, 2)
            self._last_report = json.dumps({**about, **shadow.report()}, ensure_ascii=False)
        return self._last_report

    def _shadow_told(self, error: BaseException | None) -> None:
        if error is None:
            self.tell_shadow()
            return
        text, trace = describe(error)
        self.post_warning(f"shadow {self.options.shadow} is not compared any more: {text}", trace)
