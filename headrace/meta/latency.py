"""How long frames have been on their way."""

from __future__ import annotations

import os
import time

from headrace.meta.batch import BatchMetadata

_SWITCH = "NVDS_ENABLE_LATENCY_MEASUREMENT"


def latency_enabled() -> bool:
    """Whether the environment asks for measurements: ``NVDS_ENABLE_LATENCY_MEASUREMENT=1``."""
    return os.environ.get(_SWITCH) == "1"


def frame_latencies(meta: BatchMetadata) -> list[dict[str, int | float]]:
    """For each frame ``source_id``, ``frame_num`` and ``latency``: ms since the muxer got it.

    Empty unless `latency_enabled`. Frames whose arrival nobody noted are left out.
    """
    if not latency_enabled():
        return []
    now = time.monotonic_ns()
    return [
        {
            "source_id": frame.source_id,
            "frame_num": frame.frame_number,
            "latency": (now - frame.arrival) / 1e6,
        }
        for frame in meta.frames
        if frame.arrival
    ]
