"""lidar_feeder: belongs to 3D lidar, which is not offered."""

from __future__ import annotations

from typing import NoReturn

from headrace.errors import PipelineError


def create(name: str) -> NoReturn:
    """Refuse.

    Raises:
        PipelineError: Always.
    """
    raise PipelineError(
        f"lidar_feeder ({name!r}) belongs to 3D lidar pipelines, which Headrace does not offer"
    )
