"""Helpers that watch a pipeline that plays."""
