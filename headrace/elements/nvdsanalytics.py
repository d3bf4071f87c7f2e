"""nvdsanalytics: counts objects in regions and across lines, finds directions and crowds.

gst-launch-1.0 ... ! nvtracker ! nvdsanalytics config-file=analytics.txt ! nvmultistreamtiler ! nvdsosd ! ...
"""

from __future__ import annotations

import dataclasses

from headrace.analytics import AnalyticsConfig, is_settings, load_settings
from headrace.elements.analysis import StreamAnalysers
from headrace.elements.base.filter import ON_ERROR_HELP, Filter
from headrace.elements.rule_analysis import RuleAnalysis
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
        "",
        "file with regions, lines, directions, or the YAML of hranalytics; set again while playing, it is read again",
    )
    on_error: str = option("stop", ON_ERROR_HELP)


class AnalyticsFace(Filter):
    """What both elements have in common; the file says which rules there are."""

    analysers: StreamAnalysers | RuleAnalysis | None = None
    file_option: str

    def start(self) -> None:
        """Read the configuration."""
        self.analysers = self._load()

    def stop(self) -> None:
        """Forget the histories."""
        analysers, self.analysers = self.analysers, None
        if analysers is not None:
            analysers.close()

    def _load(self) -> StreamAnalysers | RuleAnalysis:
        path, unique_id = getattr(self.options, self.file_option), self.options.unique_id
        if not path:
            raise ConfigError(f"no configuration: set {self.file_option.replace('_', '-')}")
        if is_settings(path):
            return RuleAnalysis(load_settings(path), unique_id)
        return StreamAnalysers(AnalyticsConfig.load(path), unique_id)

    def option_changed(self, field: str) -> None:
        """A new configuration while playing takes effect with the next frame; a broken one changes nothing."""
        if field != self.file_option or self.analysers is None:
            return
        try:
            self.analysers = self._load()
        except HeadraceError as error:
            self.post_warning(f"{error}; the rules in force stay")

    def process(self, batch: Batch, buffer: int) -> None:
        """Analyse each frame."""
        if self.analysers is not None and self.options.enable:
            self.analysers.look(batch.meta)

    def source_event(self, what: str, index: int) -> None:
        """A source that went away takes its histories along."""
        if what == "pad-deleted" and self.analysers is not None:
            self.analysers.forget(index)


class AnalyticsElement(AnalyticsFace):
    """Face of the analytics: one analyser for each source, made with its first frame."""

    __gtype_name__ = "HeadraceAnalytics"
    factory = "nvdsanalytics"
    file_option = "config_file"
    options_type = AnalyticsOptions
    __gproperties__ = properties_of(AnalyticsOptions)
    __gstmetadata__ = (
        "Analytics",
        "Filter/Analyzer/Video",
        "Counts objects in regions and across lines, finds directions and crowds",
        "Headrace",
    )
