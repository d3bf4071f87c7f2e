"""Models below ``samples``: stand-ins for rendered scenes under the documented names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import headrace
from headrace.assets.detector import detector
from headrace.assets.surface import defect_network

_MODELS = Path(headrace.__file__).parent / "models"
_PERSON = 2


def files() -> dict[str, Callable[[], bytes]]:
    """What makes each file, by its place in the tree."""
    place = "samples/models/{}.onnx".format
    return {
        place("Primary_Detector/resnet18_trafficcamnet_pruned"): detector,
        place("Secondary_VehicleTypes/resnet18_vehicletypenet_pruned"): _shipped("vehicle_type"),
        place("Secondary_VehicleMake/resnet18_vehiclemakenet_pruned"): _shipped("vehicle_paint"),
        place("tao_pretrained_models/peopleNet/resnet34_peoplenet_int8"): _people,
        place("Segmentation/semantic/unetres18_v4_pruned0.65_800_data"): _shipped("segments"),
        place("Segmentation/industrial/unet_output_graph"): defect_network,
        "samples/triton_model_repo/Primary_Detector/1/model.onnx": detector,
        "samples/triton_model_repo/peoplenet/1/model.onnx": _people,
    }


def _shipped(name: str) -> Callable[[], bytes]:
    return (_MODELS / f"{name}.onnx").read_bytes


def _people() -> bytes:
    return detector((_PERSON, None, None))
