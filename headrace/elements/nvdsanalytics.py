"""nvdsanalytics: counts objects in regions and across lines, finds directions and crowds.

gst-launch-1.0 ... ! nvtracker ! nvdsanalytics config-file=analytics.txt ! nvmultistreamtiler ! nvdsosd ! ...
"""

from __future__ import annotations

import dataclasses

from headrace.analytics import AnalyticsConfig
from headrace.elements.analysis import StreamAnalysers
from headrace.elements.base.filter import ON_ERROR_HELP, Filter
from headrace.errors import ConfigError, HeadraceError
from headrace.gst.face import properties_of
from headrace.gst.options import option
from headrace.meta.batch import Batch


@dataclasses.dataclass(frozen=True)
class AnalyticsOptions:
    """Options of nvdsanalytics."""

    unique_id: int = option(17, "component id written into the metadata")
    enable: bool = option(True, "whether anything is analysed")
    config_file: str = option(
        "", "file with regions, lines, directions; set again while playing, it is read again"
    )
    on_error: str = option("stop", ON_ERROR_HELP)


class AnalyticsElement(Filter):
    """Face of the analytics: one analyser for each source, made with its first frame."""

    __gtype_name__ = "HeadraceAnalytics"
    factory = "nvdsanalytics"
    options_type = AnalyticsOptions
    __gproperties__ = properties_of(AnalyticsOptions)
    __gstmetadata__ = (
        "Analytics",
        "Filter/Analyzer/Video",
        "Counts objects in regions and across lines, finds directions and crowds",
        "Headrace",
    )

    analysers: StreamAnalysers | None = None

    def start(self) -> None:
        """Read the configuration."""
        self.analysers = StreamAnalysers(self._load(), self.options.unique_id)

    def stop(self) -> None:
        """Forget the histories."""
        self.analysers = None

    def _load(self) -> AnalyticsConfig:
        if not self.options.config_file:
            raise ConfigError("no configuration: set config-file")
        return AnalyticsConfig.load(self.options.config_file)

    def option_changed(self, field: str) -> None:
        """A new configuration while playing takes effect with the next frame; a broken one changes nothing."""
        if field != "config_file" or self.analysers is None:
            return
        try:
            self.analysers = StreamAnalysers(self._load(), self.options.unique_id)
        except HeadraceError as error:
            self.post_warning(f"{error}; the rules in force stay")

    def process(self, batch: Batch, buffer: int) -> None:
        """Analyse each frame."""
        analysers = self.analysers
        if analysers is None or not self.options.enable:
            return
        for frame in batch.meta.frames:
            analysers.update(batch.meta, frame)
