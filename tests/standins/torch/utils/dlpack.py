"""NumPy takes DLPack capsules over just as PyTorch does."""

from numpy import from_dlpack

__all__ = ["from_dlpack"]
