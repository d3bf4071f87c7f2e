"""Stands in for PyTorch where it is not installed: the example needs nothing but from_dlpack."""
