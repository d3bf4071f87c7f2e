"""One tiny model in the file format of each engine: cell (5, 3) of its output is the brightness of the picture."""

import json
import warnings

import numpy as np


def parts():
    """For a picture of 32 pixels: a constant, and what the brightness is multiplied with."""
    constant = np.zeros((1, 6, 21), np.float32)
    constant[0, :4, 3] = 16, 12, 8, 4
    mask = np.zeros_like(constant)
    mask[0, 5, 3] = 1
    return constant, mask


def onnx(folder, batch="batch", size=32, half=False, metadata=None):
    from onnx import TensorProto
    from tiny_onnx import build

    dtype = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    return build(folder / "tiny.onnx", {"output0": parts()}, batch, size, dtype=dtype, metadata=metadata)


def xml(folder, **options):
    import openvino

    path = folder / "tiny.xml"
    openvino.save_model(openvino.Core().read_model(onnx(folder, **options)), path, compress_to_fp16=False)
    return path


def tiny(batch="batch", half=False):
    """The same as a module; a fixed batch is baked in as exporters do it."""
    import torch

    class Tiny(torch.nn.Module):
        def __init__(self):
            super().__init__()
            constant, mask = map(torch.from_numpy, parts())
            self.register_buffer("constant", constant)
            self.register_buffer("mask", mask)
            self.stem = torch.nn.Conv2d(3, 1, 1, bias=False)
            torch.nn.init.constant_(self.stem.weight, 1 / 3)
            if half:
                self.stem.half()

        def forward(self, images):
            bright = self.stem(images).float().mean((1, 2, 3))
            return self.constant + bright.reshape(-1 if batch == "batch" else batch, 1, 1) * self.mask

    return Tiny().eval()


def example(batch, size, half):
    import torch

    rows, side = (2 if batch == "batch" else batch), (32 if isinstance(size, str) else size)
    return torch.zeros(rows, 3, side, side, dtype=torch.float16 if half else torch.float32)


def script(path, module, pictures, metadata=None):
    """Trace a module into a TorchScript file."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        extra = {} if metadata is None else {"config.txt": json.dumps(metadata)}
        torch.jit.save(torch.jit.trace(module, pictures), path, _extra_files=extra)
    return path


def torchscript(folder, batch="batch", size=32, half=False, metadata=None):
    stored = {"imgsz": [32, 32], "batch": 1 if batch == "batch" else batch, **(metadata or {})}
    return script(folder / "tiny.torchscript", tiny(batch, half), example(batch, size, half), stored)


def pt2(folder, batch="batch", size=32, half=False, metadata=None):
    import torch

    axes = {0: torch.export.Dim("batch")} if batch == "batch" else {}
    if isinstance(size, str):
        axes |= {2: torch.export.Dim("height", min=8), 3: torch.export.Dim("width", min=8)}
    program = torch.export.export(
        tiny(batch, half), (example(batch, size, half),), dynamic_shapes={"images": axes}
    )
    path = folder / "tiny.pt2"
    torch.export.save(program, path, extra_files={"config.txt": json.dumps(metadata or {})})
    return path


#: Label: engine, what writes the file, libraries that are needed.
MAKERS = {
    "onnxruntime": ("onnxruntime", onnx, ("onnx", "onnxruntime")),
    "openvino": ("openvino", onnx, ("onnx", "openvino")),
    "openvino-xml": ("openvino", xml, ("onnx", "openvino")),
    "torchscript": ("torch", torchscript, ("torch",)),
    "torch-export": ("torch", pt2, ("torch",)),
}
