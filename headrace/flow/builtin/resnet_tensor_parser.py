"""resnet_tensor_parser: objects from the raw outputs of DetectNet models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from headrace.errors import ModelError
from headrace.flow.objects.operators import BatchMetadataOperator, Probe
from headrace.infer.attributes import ClassAttributes
from headrace.infer.cluster import cluster
from headrace.infer.decoders import DecodeOptions
from headrace.infer.decoders.detectnet_decoder import DECODER
from headrace.meta import Detections
from headrace.meta.batch import BatchMetadata
from headrace.meta.outputs import TensorOutput

#: Classes in the order of DeepStream's traffic models.
_LABELS = ("Vehicle", "TwoWheeler", "Person", "RoadSign")
_NMS = 2


class TensorParser(BatchMetadataOperator):
    """Adds the objects that raw outputs stand for, for an inference element with ``output-tensor-meta``.

    Boxes are scaled from ``network-width`` × ``network-height`` to ``stream-width`` × ``stream-height``, the size of
    the muxer's frames.
    """

    PROPERTIES: ClassVar = {
        "network-width": 960, "network-height": 544, "stream-width": 960, "stream-height": 544, "num-classes": 4,
    }  # fmt: skip

    def handle_metadata(self, batch_meta: BatchMetadata) -> None:
        """Parse the outputs of one batch."""
        for frame in batch_meta.frame_items:
            for item in frame.tensor_items:
                output = item.as_tensor_output()
                if isinstance(output, TensorOutput):
                    frame.add_detections(self._found(output), self._labels(), output.unique_id)

    def _found(self, output: TensorOutput) -> Detections:
        network, stream = self._size("network"), self._size("stream")
        rules = [ClassAttributes()] * self.get_property("num-classes")
        options = DecodeOptions(min(rule.pre_cluster_threshold for rule in rules), *network)
        layers = {name: layer[None] for name, layer in output.layers.items()}
        try:
            boxes = DECODER.decode(layers, options).numpy()
        except ValueError as error:
            raise ModelError(f"resnet_tensor_parser cannot read the outputs: {error}") from error
        found = cluster(boxes.split(1)[0], rules, _NMS)
        scale = np.array([stream[0] / network[0], stream[1] / network[1]] * 2, np.float32)
        return Detections(found.xyxy * scale, found.confidence, found.class_id)

    def _size(self, of: str) -> tuple[int, int]:
        return self.get_property(f"{of}-width"), self.get_property(f"{of}-height")

    def _labels(self) -> Sequence[str]:
        return _LABELS if self.get_property("num-classes") <= len(_LABELS) else ()


def create(name: str) -> Probe:
    """The probe; properties as of `TensorParser`."""
    return Probe(name, TensorParser())
