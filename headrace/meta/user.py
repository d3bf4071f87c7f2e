"""What hangs on a batch, frame or object besides boxes: classifications, model outputs, the user's own."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import TensorError
from headrace.meta.analytics import AnalyticsFrameMeta, AnalyticsObjInfo
from headrace.meta.outputs import Segmentation, TensorOutput

if TYPE_CHECKING:
    from headrace.meta.batch import BatchMetadata
    from headrace.meta.preprocess import PreprocessBatchUserMetadata


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
    #: Answer of a vision-language model, a `headrace.vlm` VlmResult.
    VLM_RESULT = START_USER + 4001
    #: Where models are to look in a frame, a `headrace.meta.RegionsOfInterest`.
    REGIONS_OF_INTEREST = START_USER + 4002
    #: Something that happened, a `headrace.meta.analytics` AnalyticsEvent.
    ANALYTICS_EVENT = START_USER + 4003
    #: Where objects have been, a `headrace.meta.analytics` Trajectories.
    TRAJECTORIES = START_USER + 4004


@dataclass(slots=True)
class Label:
    """One result of a classifier (contract §4.5, ``get_label_info``); fields can be read by key, too.

    Example:
        >>> info = Label("red", 3, 0.9)
        >>> info.prob, info["prob"], dict(info)["class_id"]
        (0.9, 0.9, 3)
    """

    label: str
    class_id: int = 0
    prob: float = 0.0
    label_id: int = 0
    num_classes: int = 0

    def __getitem__(self, name: str) -> Any:
        if name not in _LABEL_FIELDS:
            raise KeyError(name)
        return getattr(self, name)

    def keys(self) -> tuple[str, ...]:
        """Names of the fields."""
        return _LABEL_FIELDS


_LABEL_FIELDS = ("label", "class_id", "prob", "label_id", "num_classes")


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

    def get_label_info(self, index: int) -> Label:
        """The result at an index, an empty one when there is none."""
        return self.labels[index] if 0 <= index < len(self.labels) else Label("")


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

    def onto(
        self,
        batch: BatchMetadata,
        frames: Sequence[int] | None = None,
        rows: NDArray[np.intp] | None = None,
    ) -> UserMetadata:
        """A meta of its own for a copy of the batch that it hangs on.

        Args:
            batch: The copy.
            frames: Frames that the only frame of the copy is made of; ``None`` where the copy has the same frames.
            rows: Rows of objects that the copy has, rising; ``None`` for all rows.
        """
        return self.copy()

    def set_user_data_json(self, data: Any, meta_type: int) -> None:
        """Store a copy of plain data: whatever JSON can express, texts included.

        Raises:
            TypeError: JSON cannot express it.
        """
        self.data, self.meta_type = json.loads(json.dumps(data)), meta_type

    def get_user_data_json(self) -> Any:
        """A copy of the plain data, ``None`` when the meta holds none or something that JSON cannot express."""
        try:
            return json.loads(json.dumps(self.data))
        except TypeError:
            return None

    def as_tensor_output(self) -> TensorOutput | _Nothing:
        """The raw model outputs, or something false."""
        return self.data if isinstance(self.data, TensorOutput) else NOTHING

    def as_segmentation(self) -> Segmentation | _Nothing:
        """The segmentation, or something false."""
        return self.data if isinstance(self.data, Segmentation) else NOTHING

    def as_preprocess_batch(self) -> PreprocessBatchUserMetadata | _Nothing:
        """A tensor made ahead with its regions, or something false."""
        return NOTHING

    def as_nvdsanalytics_frame(self) -> AnalyticsFrameMeta | _Nothing:
        """What the analytics element found out about the frame, or something false."""
        return self.data if isinstance(self.data, AnalyticsFrameMeta) else NOTHING

    def as_nvdsanalytics_obj(self) -> AnalyticsObjInfo | _Nothing:
        """What the analytics element found out about the object, or something false."""
        return self.data if isinstance(self.data, AnalyticsObjInfo) else NOTHING

    def as_obj_reid(self) -> ObjectReidUserMetadata | _Nothing:
        """The re-identification vector, or something false."""
        return NOTHING

    def as_structure_str(self) -> str:
        """The serialised ``GstStructure`` that the meta holds as text, empty when it holds something else."""
        return self.data if isinstance(self.data, str) else ""


class ObjectReidUserMetadata(UserMetadata):
    """The vector by which a tracker knows an object again (contract §4.5).

    From `BatchMetadata.acquire_obj_reid_meta`, to be appended to an object.

    Example:
        >>> meta = ObjectReidUserMetadata([0.6, 0.8])
        >>> meta.as_obj_reid().feature_size, meta.feature_vector.dtype.name
        (2, 'float32')
    """

    __slots__ = ()

    def __init__(self, features: Any = ()) -> None:
        super().__init__(MetaType.TRACKER_OBJ_REID)
        self.set_feature_vector(features)

    @property
    def feature_size(self) -> int:
        """Number of elements; 0 when nobody has set the vector."""
        return int(self.data.size)

    @property
    def feature_vector(self) -> NDArray[np.float32]:
        """The vector, ``(feature_size,)`` float32."""
        vector: NDArray[np.float32] = self.data
        return vector

    def set_feature_vector(self, features: Any) -> None:
        """Store a copy of a vector.

        Raises:
            RuntimeError: It is not 1-dimensional (`TensorError`).
        """
        vector = np.array(features, np.float32)
        if vector.ndim != 1:
            raise TensorError(f"a feature vector has one dimension, this has the shape {vector.shape}")
        self.data = vector

    def as_obj_reid(self) -> ObjectReidUserMetadata:
        """This meta itself."""
        return self


def of_type(items: list[UserMetadata], meta_type: int) -> Iterator[UserMetadata]:
    """The metas of one type, in order."""
    return iter([item for item in items if item.meta_type == meta_type])


def embedding_of(items: list[UserMetadata]) -> NDArray[np.float32] | None:
    """The latest vector of what a frame or an object looks like or means, ``None`` without."""
    vectors = [item.feature_vector for item in items if isinstance(item, ObjectReidUserMetadata)]
    return vectors[-1] if vectors else None


def structure_of(items: list[UserMetadata], name: str) -> str:
    """The first serialised ``GstStructure`` of this name among user metas, empty when there is none."""
    texts = (item.as_structure_str() for item in items)
    return next((text for text in texts if text.partition(",")[0].strip(" ;") == name), "")
