"""measure_latency_probe: prints how long each frame took from its source to here."""

from __future__ import annotations

from headrace.flow.objects.operators import BufferObserver, Probe
from headrace.flow.playing.manners import console
from headrace.meta.buffer import Buffer


class LatencyPrinter(BufferObserver):
    """Prints a line for each frame; only where ``NVDS_ENABLE_LATENCY_MEASUREMENT=1`` is set."""

    def handle_buffer(self, buffer: Buffer) -> None:
        """Print the latencies of one batch."""
        for frame in buffer.measure_latency():
            console(
                f"Source id = {frame['source_id']} Frame_num = {frame['frame_num']} "
                f"Frame latency = {frame['latency']} (ms)"
            )


def create(name: str) -> Probe:
    """The probe; it has no properties."""
    return Probe(name, LatencyPrinter())
