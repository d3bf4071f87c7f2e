"""Models below ``samples``: stand-ins for rendered scenes under the documented names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import headrace
from headrace.assets.actions import action_classifier
from headrace.assets.detector import detector
from headrace.assets.ssd import ssd
from headrace.assets.surface import defect_network

_MODELS = Path(headrace.__file__).parent / "models"
_ACTIONS = "sources/apps/sample_apps/deepstream-3d-action-recognition"
_SSD = "ssd_inception_v2_coco_2018_01_28"
_PERSON = 2


def files() -> dict[str, Callable[[], bytes]]:
    """What makes each file, by its place in the tree."""
    place = "samples/models/{}.onnx".format
    served = "samples/triton_model_repo/{}/1/model.onnx".format
    types, paints = _shipped("vehicle_type"), _shipped("vehicle_paint")
    return {
        place("Primary_Detector/resnet18_trafficcamnet_pruned"): detector,
        place("Secondary_VehicleTypes/resnet18_vehicletypenet_pruned"): types,
        place("Secondary_VehicleMake/resnet18_vehiclemakenet_pruned"): paints,
        place("tao_pretrained_models/peopleNet/resnet34_peoplenet_int8"): _people,
        place("Segmentation/semantic/unetres18_v4_pruned0.65_800_data"): _shipped("segments"),
        place("Segmentation/industrial/unet_output_graph"): defect_network,
        f"{_ACTIONS}/resnet18_3d_rgb_hmdb5_32.onnx": action_classifier,
        served("Primary_Detector"): detector,
        served("Secondary_VehicleTypes"): types,
        served("Secondary_VehicleMake"): paints,
        served("peoplenet"): _people,
        served(_SSD): ssd,
        f"samples/trtis_model_repo/{_SSD}/1/model.onnx": ssd,
    }


def _shipped(name: str) -> Callable[[], bytes]:
    return (_MODELS / f"{name}.onnx").read_bytes


def _people() -> bytes:
    return detector((_PERSON, None, None))
