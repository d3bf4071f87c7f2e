"""Checkpoints of RF-DETR, by the user's own installation of rfdetr (Apache-2.0)."""

from __future__ import annotations

import importlib
from typing import Any

from headrace.infer.engines.base import Engine, EngineKind, EngineOptions
from headrace.infer.engines.faults import cannot_load

#: The outputs in rfdetr's order; masks of segmentation models come last.
_OUTPUTS = ("pred_boxes", "pred_logits", "pred_masks")


def open_file(model: str, options: EngineOptions) -> Engine:
    """Load a checkpoint and run its network as rfdetr exports it.

    rfdetr tells the variant from the file's content, or from its name (``rf-detr-small.pth``).

    Raises:
        ModelError: rfdetr cannot read the file, or the network does not run.
        ConfigError: A device or precision that torch does not offer here.
    """
    from headrace.infer.engines.pytorch.files import LIBRARY, Named, pictures_program, reason
    from headrace.infer.engines.pytorch.module import TorchEngine

    rfdetr = importlib.import_module("rfdetr")
    try:
        detector = rfdetr.RFDETR.from_checkpoint(model, device="cpu")
        network = detector.model.model.float().eval()
        network.export()
    except Exception as error:  # rfdetr has no common base class for its errors
        raise cannot_load(model, f"rfdetr with {LIBRARY}", reason(error)) from error
    program = pictures_program(model, Named(network, _OUTPUTS), "images", _metadata(detector, network))
    return TorchEngine(program, options, ENGINE.name)


def _metadata(detector: Any, network: Any) -> dict[str, str]:
    count, names = network.class_embed.out_features, list(detector.class_names)
    table = dict(enumerate(names))
    if count > len(names) + 1:  # COCO's own numbers: 1 to 90, with gaps
        table = importlib.import_module("rfdetr.assets.coco_classes").COCO_CLASSES
    size = detector.model_config.resolution
    return {
        "names": str({number: table.get(number, f"class {number}") for number in range(count)}),
        "imgsz": str([size, size]),
        "task": "segment" if getattr(network, "segmentation_head", None) is not None else "detect",
    }


ENGINE = EngineKind(
    name="rfdetr",
    open=open_file,
    library="rfdetr",
    install="pip install rfdetr",
    on_request=(".pth", ".pt", ".ckpt"),
)
