"""What tests of frames in CUDA memory share, with a GPU and with the stand-in for one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gi.repository import Gst

from headrace.gst import payload
from headrace.meta.batch import Batch

SINK = "fakesink name=sink sync=false"
MUX = "m.sink_0 nvstreammux name=m batch-size=1"
#: What fakesinks get is kept by the fixture.
FORGET = "appsink name=sink sync=false max-buffers=1 drop=true wait-on-eos=false"


def written(path: Path, pictures: str) -> str:
    """The path of a clip of H.264, written there."""
    line = f"{pictures} ! x264enc ! h264parse ! mp4mux ! filesink location={path}"
    pipeline = Gst.parse_launch(line)
    pipeline.set_state(Gst.State.PLAYING)
    pipeline.get_bus().timed_pop_filtered(30 * Gst.SECOND, Gst.MessageType.EOS)
    pipeline.set_state(Gst.State.NULL)
    return str(path)


def watch(one: Any, call: Callable[[int], Any], element: str = "sink") -> list[Any]:
    """What a function says of each buffer that comes to an element; an error stands for itself."""
    seen: list[Any] = []

    def probe(_pad: Any, info: Any) -> Any:
        try:
            seen.append(call(hash(info.get_buffer())))
        except Exception as error:  # noqa: BLE001 - C calls; the test compares
            seen.append(error)
        return Gst.PadProbeReturn.OK

    one[element].get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, probe)
    return seen


def first_surface(buffer: int) -> Any:
    """The first frame of a batch."""
    batch = payload.find(buffer)
    assert isinstance(batch, Batch)
    return batch.surfaces[0]
