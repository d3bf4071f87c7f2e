"""What hangs on a batch, frame or object besides boxes: classifications, tensors, the user's own."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.frames.tensor import Tensor


class MetaType:
    """Values of `UserMetadata.meta_type` (contract: NvDsMetaType).

    Elements of DeepStream that have no counterpart here are left out.
    """

    USER = 7
    PAYLOAD = 8
    EVENT_MSG = 9
    OPTICAL_FLOW = 10
    LATENCY_MEASUREMENT = 11
    TENSOR_OUTPUT = 12
    SEGMENTATION = 13
    CROP_IMAGE = 14
    TRACKER_PAST_FRAME = 15
    TRACKER_BATCH_REID = 16
    TRACKER_OBJ_REID = 17
    TRACKER_TERMINATED_LIST = 18
    TRACKER_SHADOW_LIST = 19
    OBJ_VISIBILITY = 20
    OBJ_IMAGE_FOOT_LOCATION = 21
    OBJ_WORLD_FOOT_LOCATION = 22
    OBJ_CONVEX_HULL = 23
    OBJ_3D_BBOX = 24
    PREPROCESS_FRAME = 27
    PREPROCESS_BATCH = 28
    CUSTOM_MSG_BLOB = 29
    ROI = 30
    FRAME_ANALYTICS = 32
    OBJ_ANALYTICS = 33
    #: Free for users from here on.
    START_USER = 8193
    #: Truth of a synthetic scene, a `headrace.source.sim` Truth.
    SIM_TRUTH = START_USER + 4000


@dataclass(slots=True)
class Label:
    """One result of a classifier."""

    label: str
    class_id: int = 0
    prob: float = 0.0
    label_id: int = 0
    num_classes: int = 0


class ClassifierMetadata:
    """Labels that a classifier gave one object (contract §4.5).

    Attributes:
        unique_component_id: The element that classified.
        classifier_type: What is classified, for example ``colour``.
        labels: The results, one for each output of the classifier.

    Example:
        >>> meta = ClassifierMetadata(4, "colour", [Label("red", 3, 0.9)])
        >>> meta.n_labels, meta.get_n_label(0), meta.get_n_label(7)
        (1, 'red', '')
    """

    __slots__ = ("classifier_type", "labels", "unique_component_id")

    def __init__(
        self, unique_component_id: int, classifier_type: str = "", labels: list[Label] | None = None
    ) -> None:
        self.unique_component_id = unique_component_id
        self.classifier_type = classifier_type
        self.labels: list[Label] = labels or []

    def copy(self) -> ClassifierMetadata:
        """An independent copy."""
        labels = [replace(label) for label in self.labels]
        return ClassifierMetadata(self.unique_component_id, self.classifier_type, labels)

    @property
    def n_labels(self) -> int:
        """Number of labels."""
        return len(self.labels)

    def get_n_label(self, index: int) -> str:
        """The label at an index, empty when there is none."""
        return self.labels[index].label if 0 <= index < len(self.labels) else ""

    def get_label_info(self, index: int) -> dict[str, Any]:
        """Label, class id, probability, label id and number of classes; empty when there is none."""
        if not 0 <= index < len(self.labels):
            return {}
        info = self.labels[index]
        return {
            "label": info.label,
            "class_id": info.class_id,
            "prob": info.prob,
            "label_id": info.label_id,
            "num_classes": info.num_classes,
        }


@dataclass(slots=True)
class TensorOutput:
    """Raw outputs of a model for one frame or object.

    Attributes:
        unique_id: The element that ran the model.
        layers: Output name to array, without the batch dimension.
    """

    unique_id: int
    layers: Mapping[str, NDArray[Any]]

    def get_layers(self) -> dict[str, Tensor]:
        """The layers as a fresh dictionary of tensors that share memory with the arrays."""
        return {name: Tensor(array) for name, array in self.layers.items()}


@dataclass(slots=True)
class Segmentation:
    """Class of each pixel.

    Attributes:
        unique_id: The element that segmented.
        class_map: ``(h, w)`` int32 class of each pixel, -1 for none.
        class_probabilities_map: ``(h, w, classes)`` float32, or an empty array.
    """

    unique_id: int
    class_map: NDArray[np.int32]
    class_probabilities_map: NDArray[np.float32] = field(
        default_factory=lambda: np.empty((0, 0, 0), np.float32)
    )

    @property
    def height(self) -> int:
        """Rows of the map."""
        return int(self.class_map.shape[0])

    @property
    def width(self) -> int:
        """Columns of the map."""
        return int(self.class_map.shape[1])

    @property
    def classes(self) -> int:
        """Number of classes; 0 when there are no probabilities."""
        return int(self.class_probabilities_map.shape[2])


class _Nothing:
    """What a wrong cast gives: false, with no attributes."""

    def __bool__(self) -> bool:
        return False


NOTHING = _Nothing()


class UserMetadata:
    """Anything attached to a batch, frame or object, told apart by `meta_type` (contract §4.5).

    The data is shared, not copied, when a buffer is copied: replace it rather than change it.

    Attributes:
        meta_type: An int; 8193 (`MetaType.START_USER`) and above are free for users.
        data: The object itself.

    Example:
        >>> meta = UserMetadata(MetaType.START_USER, {"speed": 3})
        >>> meta.data["speed"], bool(meta.as_segmentation())
        (3, False)
    """

    __slots__ = ("data", "meta_type")

    def __init__(self, meta_type: int = MetaType.USER, data: Any = None) -> None:
        self.meta_type = meta_type
        self.data = data

    def copy(self) -> UserMetadata:
        """A meta of its own over the same data."""
        return copy.copy(self)

    def set_user_data_json(self, text: str, meta_type: int) -> None:
        """Store a JSON document.

        Raises:
            ValueError: The text is not JSON.
        """
        self.data, self.meta_type = json.loads(text), meta_type

    def get_user_data_json(self) -> str:
        """The data as JSON text."""
        return json.dumps(self.data)

    def as_tensor_output(self) -> TensorOutput | _Nothing:
        """The raw model outputs, or something false."""
        return self.data if isinstance(self.data, TensorOutput) else NOTHING

    def as_segmentation(self) -> Segmentation | _Nothing:
        """The segmentation, or something false."""
        return self.data if isinstance(self.data, Segmentation) else NOTHING


def of_type(items: list[UserMetadata], meta_type: int) -> Iterator[UserMetadata]:
    """The metas of one type, in order."""
    return iter([item for item in items if item.meta_type == meta_type])
