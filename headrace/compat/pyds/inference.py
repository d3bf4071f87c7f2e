"""What models give: tensors, segmentations, classes of attributes (pyds, §2.3)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.compat.pyds.enums import NvDsInferDataType
from headrace.compat.pyds.fields import Struct, number_field, unsigned, whole_field
from headrace.compat.pyds.handles import Capsule, Handle
from headrace.meta.outputs import Segmentation, TensorOutput

_MAX_DIMS = 8
_TYPES = {
    np.dtype(np.float32): NvDsInferDataType.FLOAT,
    np.dtype(np.float16): NvDsInferDataType.HALF,
    np.dtype(np.int8): NvDsInferDataType.INT8,
    np.dtype(np.int32): NvDsInferDataType.INT32,
}


class NvDsInferDims(Handle):
    """Sizes of a tensor, the batch left out."""

    __slots__ = ("_shape",)

    def __init__(self, shape: tuple[int, ...] = ()) -> None:
        self._shape = shape

    @property
    def numDims(self) -> int:
        """Number of axes."""
        return len(self._shape)

    @property
    def numElements(self) -> int:
        """Number of elements."""
        return int(np.prod(self._shape)) if self._shape else 0

    @property
    def d(self) -> NDArray[np.uint32]:
        """Eight numbers, of which the first ``numDims`` are the sizes."""
        sizes = np.zeros(_MAX_DIMS, np.uint32)
        sizes[: len(self._shape)] = self._shape
        return sizes


class NvDsInferDimsCHW(Handle):
    """Channels, rows and columns."""

    __slots__ = ("c", "h", "w")

    def __init__(self, c: int = 0, h: int = 0, w: int = 0) -> None:
        self.c, self.h, self.w = c, h, w


class NvDsInferLayerInfo(Handle):
    """One output of a model for one frame or object."""

    __slots__ = ("_array", "bindingIndex", "isInput", "layerName")

    def __init__(self, name: str = "", index: int = 0, array: NDArray[Any] | None = None) -> None:
        self.layerName, self.bindingIndex, self.isInput = name, index, False
        self._array = array

    @property
    def dataType(self) -> NvDsInferDataType:
        """Type of the elements."""
        return NvDsInferDataType.FLOAT if self._array is None else _TYPES[self._array.dtype]

    @property
    def inferDims(self) -> NvDsInferDims:
        """Sizes, the batch left out."""
        return NvDsInferDims(() if self._array is None else self._array.shape)

    dims = inferDims

    @property
    def buffer(self) -> Capsule | None:
        """The data in host memory, for `get_ptr`."""
        return None if self._array is None else Capsule(self._array)


class NvDsInferNetworkInfo(Struct):
    """Size of a network's input."""

    __slots__ = ()
    width, height, channels = whole_field(), whole_field(), whole_field()


class NvDsInferObjectDetectionInfo(Struct):
    """One detection of a parser: box in pixels of the network's input."""

    __slots__ = ()
    classId = whole_field()
    left, top, width, height = number_field(), number_field(), number_field(), number_field()
    detectionConfidence = number_field()


class NvDsInferAttribute(Handle):
    """One attribute that a classifier found."""

    __slots__ = ("attributeConfidence", "attributeIndex", "attributeLabel", "attributeValue")

    def __init__(self, index: int = 0, value: int = 0, confidence: float = 0.0, label: str = "") -> None:
        self.attributeIndex, self.attributeValue = index, value
        self.attributeConfidence, self.attributeLabel = confidence, label

    @property
    def atttributeIndex(self) -> int:
        """The index by its misspelt name, which the contract has too."""
        return self.attributeIndex


class NvDsInferTensorMeta(Handle):
    """The raw outputs of a model (`headrace.meta.TensorOutput`)."""

    __slots__ = ("_output",)

    def __init__(self, output: TensorOutput | None = None) -> None:
        self._output = TensorOutput(0, {}) if output is None else output

    @classmethod
    def _seen_in(cls, thing: Any) -> NvDsInferTensorMeta | None:
        return cls(thing) if isinstance(thing, TensorOutput) else None

    def _stored(self) -> TensorOutput:
        return self._output

    gpu_id = property(lambda _self: 0, doc="Device; outputs are in host memory.")
    priv_data = out_buf_ptrs_dev = property(lambda _self: None, doc="Nothing is kept on a device.")

    @property
    def unique_id(self) -> int:
        """The element that ran the model."""
        return self._output.unique_id

    @property
    def num_output_layers(self) -> int:
        """Number of outputs."""
        return len(self._output.layers)

    @property
    def network_info(self) -> NvDsInferNetworkInfo:
        """Size of the network's input, zero when it is not known."""
        info = NvDsInferNetworkInfo()
        info.width, info.height, info.channels = self._output.network_size
        return info

    @property
    def out_buf_ptrs_host(self) -> Capsule:
        """The outputs in host memory; use `get_nvds_LayerInfo`."""
        return Capsule(self._output)

    def output_layers_info(self, j: int) -> NvDsInferLayerInfo:
        """Output number `j`.

        Raises:
            IndexError: There are fewer.
        """
        names = list(self._output.layers)
        if not 0 <= unsigned(j) < len(names):
            raise IndexError(f"output {j} of {len(names)}")
        return NvDsInferLayerInfo(names[j], j, _host_array(self._output, names[j]))


def get_nvds_LayerInfo(tensor_meta: Any, index: int) -> NvDsInferLayerInfo:
    """Output number `index` of a tensor meta, its buffer in host memory."""
    return NvDsInferTensorMeta.cast(tensor_meta).output_layers_info(index)


def _host_array(output: TensorOutput, name: str) -> NDArray[Any]:
    """A layer as dense memory of a type that the contract knows.

    What had to be converted takes the layer's place, so that its address lives as long as the output does.
    """
    array = output.layers[name]
    if array.dtype in _TYPES and array.flags.c_contiguous:
        return array
    wanted = array.dtype if array.dtype in _TYPES else np.int32 if array.dtype.kind in "iub" else np.float32
    dense: NDArray[Any] = np.array(array, wanted, order="C")
    output.layers = {**output.layers, name: dense}
    return dense


class NvDsInferSegmentationMeta(Handle):
    """The class of each pixel (`headrace.meta.Segmentation`)."""

    __slots__ = ("_p",)

    def __init__(self, result: Segmentation | None = None) -> None:
        self._p = Segmentation(0, np.empty((0, 0), np.int32)) if result is None else result

    @classmethod
    def _seen_in(cls, thing: Any) -> NvDsInferSegmentationMeta | None:
        return cls(thing) if isinstance(thing, Segmentation) else None

    def _stored(self) -> Segmentation:
        return self._p

    priv_data = property(lambda _self: None, doc="Nothing private.")
    classes = property(
        lambda self: self._p.classes, doc="Number of classes; 0 when the model gives only the best."
    )
    width = property(lambda self: self._p.width, doc="Columns of the map.")
    height = property(lambda self: self._p.height, doc="Rows of the map.")
    class_map = property(lambda self: Capsule(_map_of(self._p)), doc="The map, for `get_ptr`.")

    @property
    def class_probabilities_map(self) -> Capsule | None:
        """Probabilities of each class, ``None`` when there are none."""
        maps = self._p.class_probabilities_map
        return Capsule(maps) if maps.size else None


def get_segmentation_masks(data: Any) -> NDArray[np.int32]:
    """The map of classes ``(height, width)`` int32, a view; -1 where no class is."""
    return _map_of(NvDsInferSegmentationMeta.cast(data)._p)


def _map_of(result: Segmentation) -> NDArray[np.int32]:
    dense = np.ascontiguousarray(result.class_map, np.int32)
    if dense is not result.class_map:
        result.class_map = dense
    return dense
