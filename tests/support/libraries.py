"""Outputs in the libraries and types that decoders work on."""

import numpy as np

KINDS = ("numpy-float32", "numpy-float16", "torch-float32", "torch-float16")


def in_kind(outputs, kind):
    """Floats of the kind's type, whole numbers as they are, in the kind's library."""
    library, dtype = kind.split("-")
    arrays = {
        name: np.ascontiguousarray(a, dtype if np.issubdtype(a.dtype, np.floating) else a.dtype)
        for name, a in outputs.items()
    }
    if library == "numpy":
        return arrays
    import pytest

    torch = pytest.importorskip("torch")
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
