"""nvdsvideotemplate: runs a class of your own on every batch.

gst-launch-1.0 ... ! nvdsvideotemplate customlib-name=ocr.py:Reader customlib-props=language:en ! nvdsosd ! ...

The class needs one method, ``process(buffer)``, which gets a `headrace.Buffer` and may read and write metadata and
pixels. ``set_property(key, value)`` gets what ``customlib-props`` says, in the order it was set; ``start(config_file)``
and ``stop()`` surround a run. Only ``process`` must be there.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from headrace.elements.base.filter import ON_ERROR_HELP, Filter
from headrace.errors import ConfigError
from headrace.gst.face import properties_of
from headrace.gst.options import option
from headrace.meta.batch import Batch
from headrace.meta.buffer import Buffer
from headrace.usercode import load_name

_TEST = "made for tests of DeepStream's own libraries"


@dataclasses.dataclass(frozen=True)
class VideoTemplateOptions:
    """Options of nvdsvideotemplate."""

    customlib_name: str = option("", "class that does the work, file.py:Class or package.module:Class")
    customlib_props: str = option("", "key:value for the class; set again, it adds another")
    config_file: str = option("", "handed to the class's start()")
    props_values: str = option("", "what was set so far, key:value, one in a line", read_only=True)
    gpu_id: int = option(0, "GPU", no_effect="the class decides where it computes")
    dummy_meta_insert: bool = option(False, "insert a test meta", no_effect=_TEST)
    fill_dummy_batch_meta: bool = option(False, "insert a test batch meta", no_effect=_TEST)
    on_error: str = option("stop", ON_ERROR_HELP)


class VideoTemplate(Filter):
    """Face of a user's class, which is made anew for each run."""

    __gtype_name__ = "HeadraceVideoTemplate"
    factory = "nvdsvideotemplate"
    options_type = VideoTemplateOptions
    __gproperties__ = properties_of(VideoTemplateOptions)
    __gstmetadata__ = (
        "Custom processing",
        "Filter/Effect/Video",
        "Runs a user's class on batches",
        "Headrace",
    )

    def __init__(self) -> None:
        super().__init__()
        self._properties: list[tuple[str, str]] = []
        self._library: Any = None

    def option_changed(self, field: str) -> None:
        """Each value of ``customlib-props`` adds to those before; while playing the class hears of it at once."""
        if field != "customlib_props" or not self.options.customlib_props:
            return
        key, colon, value = self.options.customlib_props.partition(":")
        if not colon:
            raise ConfigError(f"customlib-props={key!r}: write key:value")
        self._properties.append((key.strip(), value.strip()))
        values = "\n".join(f"{key}:{value}" for key, value in self._properties)
        self.options = dataclasses.replace(self.options, props_values=values)
        if self._library is not None:
            self._hand_over(self._properties[-1:])

    def start(self) -> None:
        """Make the user's object and tell it its properties."""
        library = self._load()()
        if not callable(getattr(library, "process", None)):
            raise ConfigError(
                f"customlib-name={self.options.customlib_name}: the class needs process(self, buffer)"
            )
        self._library = library
        self._hand_over(self._properties)
        if hasattr(library, "start"):
            library.start(self.options.config_file)

    def _load(self) -> Any:
        name = self.options.customlib_name
        if not name:
            raise ConfigError("no class: set customlib-name=file.py:Class")
        if ".so" in name:
            raise ConfigError(
                f"customlib-name={name}: compiled libraries cannot be used here; write a Python class with "
                "process(self, buffer) and name it file.py:Class"
            )
        return load_name(name, what="customlib-name")

    def _hand_over(self, properties: list[tuple[str, str]]) -> None:
        if properties and not hasattr(self._library, "set_property"):
            raise ConfigError(
                f"{type(self._library).__name__} takes no customlib-props: it has no set_property(self, key, value)"
            )
        for key, value in properties:
            self._library.set_property(key, value)

    def stop(self) -> None:
        """Let the user's object go."""
        library, self._library = self._library, None
        if library is not None and hasattr(library, "stop"):
            library.stop()

    def process(self, batch: Batch, buffer: int) -> None:
        """Hand the batch to the user's object."""
        self._library.process(Buffer.at(buffer))
