"""What the engine uses of TensorRT 10's Python API, on the processor: a "plan" doubles its input."""

import ctypes
import json
from enum import Enum

import numpy as np

__version__ = "10.9"
built = []


class TensorIOMode(Enum):
    INPUT, OUTPUT = 1, 2


class BuilderFlag(Enum):
    FP16, BF16 = 1, 2


def nptype(dtype):
    return {"FLOAT": np.float32, "HALF": np.float16}[dtype] if dtype != "FP8" else _no_type(dtype)


def _no_type(dtype):
    raise TypeError(f"Could not resolve TensorRT datatype {dtype} to an equivalent numpy datatype.")


class Logger:
    ERROR = 1

    def __init__(self, severity):
        self.severity = severity


class Runtime:
    def __init__(self, logger):
        self.logger = logger

    def deserialize_cuda_engine(self, plan):
        return _Engine(json.loads(plan)) if plan[:1] == b"[" else None


class _Engine:
    """Of a plan ``[number type, least, usual, most shape, shape with -1]``."""

    def __init__(self, plan):
        self.dtype, *self.profile, self.shape = plan
        self.num_io_tensors = 2

    def get_tensor_name(self, index):
        return ("images", "doubled")[index]

    def get_tensor_mode(self, name):
        return TensorIOMode.INPUT if name == "images" else TensorIOMode.OUTPUT

    def get_tensor_shape(self, name):
        return tuple(self.shape)

    def get_tensor_dtype(self, name):
        return self.dtype

    def get_tensor_profile_shape(self, name, profile):
        return [tuple(shape) for shape in self.profile]

    def create_execution_context(self):
        return _Context(self)


class _Context:
    def __init__(self, engine):
        self.engine, self.addresses, self.shape = engine, {}, None

    def set_input_shape(self, name, shape):
        least, _, most = self.engine.profile
        self.shape = shape
        return all(low <= n <= high for low, n, high in zip(least, shape, most, strict=True))

    def get_tensor_shape(self, name):
        return self.shape

    def set_tensor_address(self, name, address):
        self.addresses[name] = address
        return True

    def execute_async_v3(self, stream):
        count = int(np.prod(self.shape))
        taken, given = (
            np.ctypeslib.as_array((ctypes.c_float * count).from_address(self.addresses[name]))
            for name in ("images", "doubled")
        )
        given[:] = taken * 2
        return True


class _Tensor:
    name = "images"

    def __init__(self, shape):
        self.shape = shape


class _Network:
    num_inputs = 1

    def get_input(self, index):
        return _Tensor(self.shape)


class _Error:
    def desc(self):
        return "No importer registered for op: Warp, unsupported operator"


class OnnxParser:
    num_errors = 1

    def __init__(self, network, logger):
        self.network = network

    def parse_from_file(self, path):
        import onnx

        (taken,) = onnx.load(path).graph.input
        self.network.shape = tuple(axis.dim_value or -1 for axis in taken.type.tensor_type.shape.dim)
        return "warp" not in path

    def get_error(self, index):
        return _Error()


class _Profile:
    def set_shape(self, name, *shapes):
        self.shapes = shapes


class _Config:
    flags = ()

    def set_flag(self, flag):
        self.flags = (*self.flags, flag)

    def add_optimization_profile(self, profile):
        self.profile = profile


class Builder:
    def __init__(self, logger):
        self.logger = logger

    def create_network(self, flags):
        return _Network()

    def create_builder_config(self):
        return _Config()

    def create_optimization_profile(self):
        return _Profile()

    def build_serialized_network(self, network, config):
        built.append(config.flags)
        shape = [-1 if low != high else low for low, _, high in zip(*config.profile.shapes, strict=True)]
        return json.dumps(["FLOAT", *config.profile.shapes, shape]).encode()
