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

    _shadow: Shadow | None = None
    _last_report = ""

    @property
    def at_work(self) -> str:
        """What the user calls the model at work."""
        raise NotImplementedError

    def shadow_options(self) -> InferOptions:
        """Options of the candidate's stage."""
        raise NotImplementedError

    def begin_shadow(self) -> None:
        """Begin as the options say; call when the model is there."""
        options, inference = self.options, self.inference
        if not options.shadow or inference is None:
            return
        try:
            load, settings = self.loader(options.shadow), self.shadow_options()
        except ConfigError as error:
            self._shadow_told(error)
            return
        told = self.guarded(self._shadow_told)
        self._shadow = Shadow(options.shadow, load, settings, options.shadow_interval, told)
        inference.slot.shadow = self._shadow

    def end_shadow(self, patience: float = 0.0) -> None:
        """Compare no more; the latest report stays."""
        self.shadow_report()
        shadow, self._shadow, inference = self._shadow, None, self.inference
        if shadow is None:
            return
        if inference is not None and inference.slot.shadow is shadow:
            inference.slot.shadow = None
        shadow.close(patience)

    def shadow_changed(self) -> None:
        """End, or begin anew, as the options say."""
        if self._shadow is not None and self._shadow.name == self.options.shadow:
            self._shadow.interval = self.options.shadow_interval
            return
        self.tell_shadow()
        self.end_shadow()
        self.begin_shadow()

    def tell_shadow(self) -> None:
        """Post a report of what has been compared so far, if there is a candidate."""
        if self._shadow is not None:
            structure = Gst.Structure.new_empty(REPORT)
            structure.set_value("report", self.shadow_report())
            self.post_message(Gst.Message.new_element(self, structure))

    def shadow_report(self) -> str:
        """The latest report as JSON; empty before there was a candidate."""
        shadow, inference = self._shadow, self.inference
        if shadow is not None and inference is not None:
            mean = inference.slot.mean_seconds
            about: dict[str, Any] = {"model": self.at_work}
            about["model_ms"] = None if mean is None else round(1000 * mean, 2)
            self._last_report = json.dumps({**about, **shadow.report()}, ensure_ascii=False)
        return self._last_report

    def _shadow_told(self, error: BaseException | None) -> None:
        if error is None:
            self.tell_shadow()
            return
        text, trace = describe(error)
        self.post_warning(f"shadow {self.options.shadow} is not compared any more: {text}", trace)
