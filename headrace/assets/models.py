"""Models below ``samples``: stand-ins for rendered scenes under the documented names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import headrace
from headrace.assets.detector import detector

_MODELS = Path(headrace.__file__).parent / "models"
_PERSON = 2


def files() -> dict[str, Callable[[], bytes]]:
    """What makes each file, by its place in the tree."""
    return {
        "samples/models/Primary_Detector/resnet18_trafficcamnet_pruned.onnx": detector,
        "samples/triton_model_repo/Primary_Detector/1/model.onnx": detector,
        "samples/models/tao_pretrained_models/peopleNet/resnet34_peoplenet_int8.onnx": _people,
        "samples/triton_model_repo/peoplenet/1/model.onnx": _people,
        "samples/models/Secondary_VehicleTypes/resnet18_vehicletypenet_pruned.onnx": (
            _MODELS / "vehicle_type.onnx"
        ).read_bytes,
        "samples/models/Secondary_VehicleMake/resnet18_vehiclemakenet_pruned.onnx": (
            _MODELS / "vehicle_paint.onnx"
        ).read_bytes,
    }


def _people() -> bytes:
    return detector((_PERSON, None, None))
