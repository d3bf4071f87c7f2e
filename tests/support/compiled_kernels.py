"""Compiles every kernel for a GPU of a kind, which need not be there, and prints their names."""

import sys

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from headrace.infer import cuda_boxes_kernel as boxes
from headrace.infer.preprocess import cuda_kernel as preprocess

#: Kernel, types of pointers, and constants; all else is a whole number.
VARIANTS = [
    (
        boxes.candidates_kernel,
        {"scores": scores, "objectness": scores, "least": "*fp32", "keys": "*i64", "counts": "*i32"},
        {"CLASSES": 80, "OBJECTNESS": objectness, "ROOM": 512, "HIGHEST": 1.05, "BLOCK": 256},
    )
    for scores in ("*fp16", "*fp32")
    for objectness in (True, False)
]
VARIANTS += [
    (
        boxes.suppression_kernel,
        {
            "boxes": corners,
            "keys": "*i64",
            "counts": "*i32",
            "limits": "*fp32",
            "ordered": "*fp32",
            "out": "*fp32",
        },
        {"CENTRES": centres, "ROOM": 512},
    )
    for corners in ("*fp16", "*fp32")
    for centres in (True, False)
]
VARIANTS += [
    (
        preprocess.nv12_kernel,
        {"table": "*i64", "numbers": "*fp64", "out": out},
        {"CHANNELS": channels, "ENTRIES": 38, "BLOCK": 256},
    )
    for out in ("*fp16", "*fp32")
    for channels in (1, 3)
]


def main(capability):
    for kernel, pointers, constants in VARIANTS:
        types = {
            name: pointers.get(name, "constexpr" if name in constants else "i32") for name in kernel.arg_names
        }
        source = ASTSource(kernel, types, constants)
        compiled = triton.compile(source, target=GPUTarget("cuda", capability, 32))
        assert compiled.asm["cubin"]
        print(kernel.__name__)


if __name__ == "__main__":
    main(int(sys.argv[1]))
