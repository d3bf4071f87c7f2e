"""torch: TorchScript and exported programs, on CPUs and NVIDIA's GPUs."""

from __future__ import annotations

from typing import Any

from headrace.infer.engines.base import Engine, EngineKind, EngineOptions


def open_file(model: str, options: EngineOptions) -> Engine:
    """Load a file; errors as for `TorchEngine` and `headrace.infer.engines.pytorch.files.read`."""
    from headrace.infer.engines.pytorch.files import read
    from headrace.infer.engines.pytorch.module import TorchEngine

    return TorchEngine(read(model), options)


def open_module(module: Any, name: str, options: EngineOptions) -> Engine:
    """An engine for a module of the user's own, which takes one batch of pictures.

    Args:
        module: A ``torch.nn.Module``; it is put into evaluation mode and belongs to the engine from then on.
        name: What messages call it, such as ``net.py:Net``.
        options: ``input_size`` is needed unless the module has an attribute ``metadata``, a mapping with ``imgsz``
            (height and width); ``names`` and ``channels`` are read from it too.

    Raises:
        ModelError: The module fails on zeros, or the size of its input is not known.
        ConfigError: A device or precision that torch does not offer here.
    """
    from headrace.infer.engines.pytorch.files import pictures_program
    from headrace.infer.engines.pytorch.module import TorchEngine

    metadata = {str(key): str(value) for key, value in getattr(module, "metadata", {}).items()}
    return TorchEngine(pictures_program(name, module.eval(), "images", metadata), options)


ENGINE = EngineKind(
    name="torch",
    open=open_file,
    library="torch",
    install="pip install 'headrace[torch]'",
    suffixes=(".torchscript", ".pt2", ".pt", ".pth", ".ts"),
    devices={"cuda": 2, "cpu": 2},
)
