"""Tensors of regions of frames, made ahead of a model: what nvdspreprocess does (contract: configs §5)."""

from headrace.infer.roi.config import PreprocessConfig, RegionGroup, read_preprocess_config
from headrace.infer.roi.pictures import Picture, Placed, Preparation, Prepared
from headrace.infer.roi.preparation import PythonPreparation, TensorPreparation, make_preparation
from headrace.infer.roi.regions import Region, RegionFinder
from headrace.infer.roi.sequences import SequencePreparation

__all__ = [
    "Picture",
    "Placed",
    "Preparation",
    "Prepared",
    "PreprocessConfig",
    "PythonPreparation",
    "Region",
    "RegionFinder",
    "RegionGroup",
    "SequencePreparation",
    "TensorPreparation",
    "make_preparation",
    "read_preprocess_config",
]
