"""What nvinfer and nvinferserver share: a configuration file, properties over it, the model behind it."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from gi.repository import GObject

from headrace.elements.base.filter import parse_ids
from headrace.elements.inference.model_filter import ModelFilter
from headrace.elements.inference.model_slot import ModelSlot
from headrace.elements.inference.results import ResultSettings
from headrace.elements.inference.running import Inference
from headrace.elements.inference.settings import InferenceSettings
from headrace.errors import ConfigError, HeadraceError, ModelError
from headrace.gst import payload
from headrace.gst.native import FLOW_ERROR
from headrace.infer import InferOptions
from headrace.infer.nvinfer import NvInferConfig, NvInferNetwork, checked
from headrace.infer.nvinfer.config import CLASSIFIER
from headrace.meta.batch import Batch

#: Properties whose fields in the configuration have other names.
_FIELDS = {
    "unique_id": "gie_unique_id",
    "infer_on_gie_id": "operate_on_gie_id",
    "infer_on_class_ids": "operate_on_class_ids",
    "input_tensor_meta": "input_tensor_from_meta",
}
#: Properties that take effect while playing.
_WHILE_PLAYING = (
    "filter_out_class_ids",
    "interval",
    "infer_on_gie_id",
    "infer_on_class_ids",
    "clip_object_outside_roi",
    "crop_objects_to_roi_boundary",
)
_CONFIG_FIELDS = {field.name for field in dataclasses.fields(NvInferConfig)}
_LISTS = {"infer_on_class_ids": ":", "filter_out_class_ids": ";"}


class ConfiguredInfer(ModelFilter):
    """Face of a model that a file configures; properties that were set win over the file.

    The file is read when its path is set, so that the properties tell what it says.
    """

    #: Values of properties that stand for "not set", beside never having been set.
    unset: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        super().__init__()
        self._set: set[str] = set()
        self._file: NvInferConfig | None = None
        self.inference: Inference | None = None

    def read(self, path: str) -> NvInferConfig:
        """Read a configuration file.

        Raises:
            ConfigError: It cannot be used.
        """
        raise NotImplementedError

    def option_changed(self, field: str) -> None:
        """Note what the user set; the file is read at once."""
        self._set.add(field)
        if field == "config_file_path":
            try:
                self._file = self.read(self.options.config_file_path)
            except ConfigError:
                self._file = None  # said when the element starts
        elif field in _WHILE_PLAYING and self.inference is not None and self._file is not None:
            self.inference.settings = self._settings(checked(self._config(self._file)))

    def do_get_property(self, spec: GObject.ParamSpec) -> Any:
        """GObject vmethod; what was not set is told as the file has it."""
        field = spec.name.replace("-", "_")
        config_field = _FIELDS.get(field, field)
        if self._file is None or self._is_set(field) or config_field not in _CONFIG_FIELDS:
            return super().do_get_property(spec)
        value = getattr(self._file, config_field)
        return _LISTS[field].join(map(str, value)) if field in _LISTS else value

    def _is_set(self, field: str) -> bool:
        return field in self._set and getattr(self.options, field) != self.unset.get(field, _NEVER)

    def start(self) -> None:
        """Read the file again and load the model."""
        path = self.options.config_file_path
        if not path:
            raise ConfigError("Configuration file not provided: set config-file-path")
        try:
            self._file = self.read(path)
            config = checked(self._config(self._file))
        except ConfigError as error:
            raise ConfigError(f"Configuration file parsing failed: {error}") from error
        try:
            network = NvInferNetwork(config)
        except HeadraceError as error:
            kind = ConfigError if isinstance(error, ConfigError) else ModelError
            raise kind(f"Failed to create NvDsInferContext instance: {error}") from error
        slot = ModelSlot(network, InferOptions(model=path, batch_size=config.batch_size))
        slot.told = self.guarded(self.post_warning)
        self.inference = Inference(slot, self._settings(config))
        super().start()

    def _config(self, config: NvInferConfig) -> NvInferConfig:
        """The file's configuration with the properties that were set."""
        values: dict[str, Any] = {}
        for field in self._set:
            name = _FIELDS.get(field, field)
            if name in _CONFIG_FIELDS and self._is_set(field):
                value = getattr(self.options, field)
                values[name] = (parse_ids(value) or ()) if field in _LISTS else value
        return config.with_values(**values)

    def _settings(self, config: NvInferConfig) -> InferenceSettings:
        secondary = config.process_mode == 2
        # The labels of tracked objects are kept; other results only where that was asked for.
        kept = config.network_type == CLASSIFIER or "secondary_reinfer_interval" in config.given
        kept = kept and secondary and not config.input_tensor_from_meta
        return InferenceSettings(
            results=ResultSettings(
                config.gie_unique_id, config.attributes, config.crop_objects_to_roi_boundary,
                config.filter_out_class_ids or None, config.classifier_type, config.segmentation_threshold,
            ),
            secondary=secondary,
            interval=0 if secondary else config.interval,
            operate_on_component=config.operate_on_gie_id,
            operate_on_classes=config.operate_on_class_ids or None,
            least_size=(config.input_object_min_width, config.input_object_min_height),
            greatest_size=(config.input_object_max_width, config.input_object_max_height),
            reinfer_interval=config.secondary_reinfer_interval if kept else None,
            asynchronous=config.classifier_async_mode and secondary and config.network_type == CLASSIFIER,
            prepared=config.input_tensor_from_meta,
            clip=getattr(self.options, "clip_object_outside_roi", True),
        )  # fmt: skip

    def stop(self) -> None:
        """Free the model."""
        super().stop()
        inference, self.inference = self.inference, None
        if inference is not None:
            inference.close()

    def _chain(self, pad: Any, buffer: int) -> int:
        if not isinstance(payload.find(buffer), Batch):
            self.drop(buffer)
            self.post_error(
                ModelError("NvDsBatchMeta not found for input buffer. Put nvstreammux before this element")
            )
            return FLOW_ERROR
        return super()._chain(pad, buffer)


_NEVER = object()
