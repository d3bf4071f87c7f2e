"""A detector that works at any size, its cells apart from each other, in the file format of each engine.

It finds what is bright: each cell of strides 8, 16 and 32 tells the mean of its own pixels as objectness, in YOLOX's
raw layout. No cell sees another's pixels, so a box does not depend on what lies around it, but on the grid: where that
moves by a pixel, scores change.
"""

import json
from pathlib import Path

import numpy as np

STRIDES = (8, 16, 32)
#: Offset of the centre in its cell, logarithm of the size, objectness, and a score for each of two classes.
_BIAS = (0.5, 0.5, 0.0, 0.0, 0.0, 0.4, 1.0)
_OBJECTNESS = 4


def kernel(stride):
    """Weights and biases of the convolution that makes a map: brightness 0-1 of a cell from pixels 0-255."""
    weights = np.zeros((len(_BIAS), 3, stride, stride), np.float32)
    weights[_OBJECTNESS] = 1 / (3 * stride * stride * 255)
    return weights, np.array(_BIAS, np.float32)


def onnx(folder, size=None, batch="batch", cells=None, metadata=None, name="open.onnx"):
    """Write the model.

    Args:
        folder: Where.
        size: Width and height, ``None`` leaves them open.
        batch: Number of rows.
        cells: Numbers of cells that are baked in, one for each stride; ``None`` follows the size.
        metadata: What an exporter would store.
        name: Of the file.
    """
    from onnx import TensorProto, helper, numpy_helper, save

    nodes, initializers, rows = [], [], []
    for index, stride in enumerate(STRIDES):
        weights, bias = kernel(stride)
        count = cells[index] if cells else -1
        initializers += [
            numpy_helper.from_array(weights, f"w{stride}"),
            numpy_helper.from_array(bias, f"b{stride}"),
            numpy_helper.from_array(np.array([0, len(_BIAS), count]), f"s{stride}"),
        ]
        conv = {"kernel_shape": [stride] * 2, "strides": [stride] * 2}
        nodes += [
            helper.make_node("Conv", ["images", f"w{stride}", f"b{stride}"], [f"m{stride}"], **conv),
            helper.make_node("Reshape", [f"m{stride}", f"s{stride}"], [f"r{stride}"]),
        ]
        rows.append(f"r{stride}")
    nodes.append(helper.make_node("Concat", rows, ["columns"], axis=2))
    nodes.append(helper.make_node("Transpose", ["columns"], ["output"], perm=[0, 2, 1]))
    width, height = size or ("width", "height")
    known = sum(cells) if cells else "cells" if size is None else cells_of(size)
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, [batch, 3, height, width])
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, [batch, known, len(_BIAS)])
    graph = helper.make_graph(nodes, "open", [images], [output], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    for key, value in (metadata or {}).items():
        model.metadata_props.add(key=key, value=value)
    save(model, str(folder / name))
    return Path(folder / name)


def cells_of(size):
    """Number of cells for an input of a width and height."""
    return sum((size[0] // stride) * (size[1] // stride) for stride in STRIDES)


def torchscript(folder, size=(320, 320), baked=False):
    """Write the same as TorchScript, which takes any size unless the number of cells is baked in."""
    from engine_models import script

    path = folder / "open.torchscript"
    stored = {"imgsz": [size[1], size[0]]}
    return script(path, _module(baked and cells_of(size)), _example(size), stored)


def pt2(folder, size=(320, 320)):
    """Write the same as an exported program with open axes."""
    import torch

    # Multiples of 32, as torch sees that the maps fit.
    axes = {
        0: torch.export.Dim("batch"),
        2: 32 * torch.export.Dim("h", min=1),
        3: 32 * torch.export.Dim("w", min=1),
    }
    program = torch.export.export(_module(0), (_example(size),), dynamic_shapes={"images": axes})
    path = folder / "open.pt2"
    torch.export.save(program, path, extra_files={"config.txt": json.dumps({"imgsz": [size[1], size[0]]})})
    return path


def _example(size):
    import torch

    return torch.zeros(2, 3, size[1], size[0])


def _module(cells):
    import torch

    class Open(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.maps = torch.nn.ModuleList(
                torch.nn.Conv2d(3, len(_BIAS), stride, stride) for stride in STRIDES
            )
            for conv, stride in zip(self.maps, STRIDES, strict=True):
                conv.weight.data, conv.bias.data = map(torch.from_numpy, kernel(stride))

        def forward(self, images):
            rows = torch.cat([conv(images).flatten(2) for conv in self.maps], 2).transpose(1, 2)
            return rows.reshape(-1, cells, len(_BIAS)) if cells else rows

    return Open().eval()
