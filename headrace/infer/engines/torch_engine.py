"""torch: TorchScript and exported programs, on CPUs and NVIDIA's GPUs."""

from __future__ import annotations

from headrace.infer.engines.base import Engine, EngineKind, EngineOptions


def open_file(model: str, options: EngineOptions) -> Engine:
    """Load a file; errors as for `TorchEngine` and `headrace.infer.engines.torch_files.read`."""
    from headrace.infer.engines.torch_files import read
    from headrace.infer.engines.torch_module import TorchEngine

    return TorchEngine(read(model), options)


ENGINE = EngineKind(
    name="torch",
    open=open_file,
    library="torch",
    install="pip install 'headrace[torch]'",
    suffixes=(".torchscript", ".pt2", ".pt", ".pth", ".ts"),
    devices={"cuda": 2, "cpu": 2},
)
