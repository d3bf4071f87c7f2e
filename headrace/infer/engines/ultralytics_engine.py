"""Checkpoints of ultralytics, by the user's own installation of it.

ultralytics is under the AGPL-3.0: Headrace neither depends on it nor imports it unless the user names this engine.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from headrace.infer.engines.base import Engine, EngineKind, EngineOptions
from headrace.infer.engines.faults import cannot_load


def open_file(model: str, options: EngineOptions) -> Engine:
    """Load a checkpoint and run its network as ultralytics exports it: outputs, names and size as in its ONNX files.

    Loading unpickles the file, which runs whatever code is in it: name this engine for files that you trust.

    Raises:
        ModelError: ultralytics cannot read the file, or the network does not run.
        ConfigError: A device or precision that torch does not offer here.
    """
    from headrace.infer.engines.pytorch.files import pictures_program, reason
    from headrace.infer.engines.pytorch.module import TorchEngine

    ultralytics = importlib.import_module("ultralytics")
    try:
        network = ultralytics.YOLO(model).model.float().eval().fuse(verbose=False)
    except Exception as error:  # whatever is in the file may raise anything
        raise cannot_load(model, f"ultralytics {ultralytics.__version__}", reason(error)) from error
    for part in network.modules():
        if hasattr(part, "export"):  # heads give training outputs beside the results until they are told
            part.export, part.format = True, "torchscript"
    program = pictures_program(model, network, "images", metadata_of(network))
    return TorchEngine(program, options, ENGINE.name)


def metadata_of(network: Any) -> dict[str, str]:
    """What ultralytics' exporters store: task, names, size (640 where the checkpoint tells none), stride, channels.

    Example:
        >>> from types import SimpleNamespace
        >>> metadata_of(SimpleNamespace(names={0: "cat"}, task="detect", args={"imgsz": 320}))["imgsz"]
        '[320, 320]'
    """
    arguments = getattr(network, "args", None) or {}
    size = (arguments if isinstance(arguments, Mapping) else vars(arguments)).get("imgsz", 640)
    yaml = getattr(network, "yaml", None) or {}
    stored = {
        "task": getattr(network, "task", ""),
        "names": getattr(network, "names", ""),
        "imgsz": list(size) if isinstance(size, list | tuple) else [size, size],
        "stride": int(max(getattr(network, "stride", [32]))),
        "channels": yaml.get("channels", yaml.get("ch", 3)),
    }
    return {key: str(value) for key, value in stored.items() if value != ""}


ENGINE = EngineKind(
    name="ultralytics",
    open=open_file,
    library="ultralytics",
    install="pip install ultralytics (under the AGPL-3.0)",
    on_request=(".pt", ".pth"),
)
