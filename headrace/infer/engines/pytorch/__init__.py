"""Modules of PyTorch: read from files, run, recorded as CUDA graphs."""
