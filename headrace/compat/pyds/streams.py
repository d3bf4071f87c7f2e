"""Latency, clocks and events of streams (pyds, §1.5)."""

from __future__ import annotations

import ctypes
import logging
from itertools import count

from gi.repository import Gst

from headrace.compat.pyds.addresses import buffer_at, element_at
from headrace.compat.pyds.fields import text, whole
from headrace.gst import payload
from headrace.gst.native import gst
from headrace.gst.reference_time import note_sender_times
from headrace.meta.batch import Batch
from headrace.meta.latency import frame_latencies

_log = logging.getLogger(__name__)
_batches = count()

gst.gst_element_send_event.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
gst.gst_mini_object_ref.argtypes = [ctypes.c_void_p]

#: Names of the events' structures.
STREAM_RESET, INTERVAL_UPDATE = "nv-stream-reset", "nv-infer-interval-update"


def nvds_measure_buffer_latency(gst_buffer: int) -> int:
    """Print how long each frame of a batch has been on its way, if ``NVDS_ENABLE_LATENCY_MEASUREMENT=1``.

    Returns:
        The number of frames that were measured; 0 when measuring is off.
    """
    batch = payload.find(buffer_at(gst_buffer))
    found = frame_latencies(batch.meta) if isinstance(batch, Batch) else []
    if found:
        # The contract's console text.
        print(f"************BATCH-NUM = {next(_batches)}**************")  # noqa: T201
        for frame in found:
            print(  # noqa: T201
                f"Source id = {frame['source_id']} Frame_num = {frame['frame_num']} "
                f"Frame latency = {frame['latency']:f} (ms) "
            )
    return len(found)


def configure_source_for_ntp_sync(src_elem: int) -> None:
    """Frames of an rtspsrc get the time of their camera's clock, where the muxer's ``attach-sys-ts`` is off.

    Raises:
        ValueError: No element lives at the address.
    """
    note_sender_times(element_at(src_elem))


def gst_element_send_nvevent_new_stream_reset(element: int, source_id: int) -> bool:
    """Tell the elements behind an element that a source begins anew.

    Returns:
        Whether somebody took the event.
    """
    structure = Gst.Structure.new_empty(STREAM_RESET)
    structure.set_value("source-id", whole(source_id))
    return _send(element, structure)


def gst_element_send_nvevent_interval_update(element: int, stream_id: str, interval: int) -> bool:
    """Ask the models behind an element to skip this many batches of a stream between two that they look at.

    Returns:
        Whether somebody took the event.
    """
    structure = Gst.Structure.new_empty(INTERVAL_UPDATE)
    structure.set_value("stream-id", text(stream_id))
    structure.set_value("interval", whole(interval))
    return _send(element, structure)


def _send(element: int, structure: Gst.Structure) -> bool:
    address = element_at(element)
    event = Gst.Event.new_custom(Gst.EventType.CUSTOM_DOWNSTREAM, structure)
    gst.gst_mini_object_ref(hash(event))  # sending takes a reference over, and Python keeps its own
    return bool(gst.gst_element_send_event(address, hash(event)))
