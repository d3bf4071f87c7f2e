"""Latency or throughput: one run on all processors, or several runs on one each."""

from __future__ import annotations

import logging
import threading
from typing import Literal, cast

from headrace.infer.engines.base import EngineOptions, ModelGraph

Mode = Literal["latency", "throughput"]
_log = logging.getLogger(__name__)


class TwoModes:
    """Mix-in of engines that load a model either for one run at a time or for several.

    Attributes:
        mode: The mode at present.
        at_once: Runs that overlap in throughput mode; 1 where that gains nothing.
    """

    graph: ModelGraph
    mode: Mode = "latency"
    at_once = 1
    _settled = True

    @property
    def description(self) -> str:
        """See `Engine.description`."""
        raise NotImplementedError

    def load(self, mode: Mode) -> None:
        """Load the model for a mode, in place of what is loaded; runs that are under way end as they began."""
        raise NotImplementedError

    def begin(self, options: EngineOptions, at_once: int) -> None:
        """Load the model as the options say; in ``auto`` for latency, until `settle` knows more."""
        self.at_once = at_once
        self._deciding = threading.Lock()
        self._settled = options.mode != "auto" or at_once == 1
        self.mode = "latency" if options.mode == "auto" else cast(Mode, options.mode)
        self.load(self.mode)

    def settle(self, live: bool, pictures: int) -> None:
        """See `headrace.infer.engines.base.settle`."""
        with self._deciding:
            if self._settled:
                return
            self._settled = True
            if not live or pictures >= self.at_once:
                self.load("throughput")
                self.mode = "throughput"
        _log.info("%s: mode %s (%s)", self.graph.path, self.mode, self.description)

    @property
    def concurrency(self) -> int:
        """See `Engine.concurrency`."""
        return self.at_once if self.mode == "throughput" else 1

    @property
    def rows(self) -> int | None:
        """See `Engine.rows`."""
        return 1 if self.concurrency > 1 else None
