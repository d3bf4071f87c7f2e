"""DeepStream's nvinfer: its configuration files, and models run as they say."""

from headrace.infer.nvinfer.config import NvInferConfig
from headrace.infer.nvinfer.model_file import find_model
from headrace.infer.nvinfer.network import NvInferNetwork
from headrace.infer.nvinfer.reading import CLASS_KEYS, PROPERTY_KEYS, checked, read_config
from headrace.infer.nvinfer.server_reading import read_server_config

__all__ = [
    "CLASS_KEYS",
    "PROPERTY_KEYS",
    "NvInferConfig",
    "NvInferNetwork",
    "checked",
    "find_model",
    "read_config",
    "read_server_config",
]
