"""hranalytics: zones, lines and rules of a YAML file; what happens becomes events and messages.

gst-launch-1.0 ... ! nvtracker ! hranalytics config-file-path=rules.yaml ! nvmsgconv payload-type=1 ! nvmsgbroker ...

The same rules work in nvdsanalytics; this name is there beside DeepStream's own elements, too.
"""

from __future__ import annotations

import dataclasses

from headrace.elements.base.filter import ON_ERROR_HELP
from headrace.elements.nvdsanalytics import AnalyticsFace
from headrace.gst.face import properties_of
from headrace.gst.options import option


@dataclasses.dataclass(frozen=True)
class RuleOptions:
    """Options of hranalytics."""

    config_file_path: str = option(
        "",
        "YAML file with zones, lines and rules, or a file of nvdsanalytics; set again while playing, it is read again",
    )
    enable: bool = option(True, "whether anything is analysed")
    unique_id: int = option(17, "component id written into the metadata")
    on_error: str = option("stop", ON_ERROR_HELP)


class RuleElement(AnalyticsFace):
    """Face of the rules: one analysis for each source, made with its first frame."""

    __gtype_name__ = "HeadraceRules"
    factory = "hranalytics"
    file_option = "config_file_path"
    options_type = RuleOptions
    __gproperties__ = properties_of(RuleOptions)
    __gstmetadata__ = (
        "Rules",
        "Filter/Analyzer/Video",
        "Zones, lines, queues, speed: rules of a YAML file",
        "Headrace",
    )
