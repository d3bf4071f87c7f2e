"""The graph of a run: sources, muxer, model, tracker and what stands behind them."""

from __future__ import annotations

from pathlib import Path

from gi.repository import Gst

from headrace.errors import HeadraceError, PipelineError
from headrace.flow.pipeline import Pipeline
from headrace.flow.run.config import NO_TRACKER, RunConfig, is_live
from headrace.flow.run.events import Presence
from headrace.flow.run.output import add_events, add_video
from headrace.source.batcher import file_batch
from headrace.source.sim import parse_sim_uri
from headrace.source.uri import to_uri
from headrace.usercode import names_code

#: Microseconds after which a batch of live sources goes out although it is not full.
_LIVE_TIMEOUT = 40_000


def add_sources(pipeline: Pipeline, config: RunConfig) -> None:
    """Add muxer and sources; source ``i`` is the muxer's pad ``i``, whichever is opened first.

    Raises:
        PipelineError: An input does not exist; its element names it.
    """
    # No width and height: frames keep their size, and boxes are in source pixels.
    pipeline.add("nvstreammux", "mux", {
        "batch-size": _batch_size(config), "drop-late": config.paced,
        "batched-push-timeout": _LIVE_TIMEOUT if config.paced else -1,
    })  # fmt: skip
    for index, name in enumerate(config.inputs):
        pipeline["mux"].element.request_pad_simple(f"sink_{index}")
        _add_source(pipeline, config, index, name)


def _batch_size(config: RunConfig) -> int:
    """Frames of a batch; 0 is one of each source that has not ended.

    Files are put into batches of four at least, but not where a batch means more than its frames: tiles show one frame
    of each source, ``interval`` counts batches, and a class in Python that fails should fail for one frame.
    """
    alone = config.out is not None or "interval" in config.set or config.on_error != "stop"
    if config.batch_size or config.paced or alone or names_code(config.model):
        return config.batch_size
    return file_batch(len(config.inputs))


def end_inputs(pipeline: Pipeline) -> None:
    """End the stream at the muxer: what has arrived goes through, what sources have read ahead is given up."""
    for pad in pipeline["mux"].element.sinkpads:
        pad.send_event(Gst.Event.new_eos())


def _add_source(pipeline: Pipeline, config: RunConfig, index: int, name: str) -> None:
    element = f"source{index}"
    try:
        uri = to_uri(name)
        if uri.startswith("sim://"):
            parse_sim_uri(uri)
    except HeadraceError as error:
        raise PipelineError(str(error), element) from error
    if uri.startswith("sim://"):
        pipeline.add("hrsimsrc", element, {"scene": uri})
        out = "src"
    else:
        pipeline.add("nvurisrcbin", element, {"uri": uri, "decoder-threads": config.decoder_threads})
        out = "vsrc_%u"
    if config.paced and not is_live(name):  # plays a camera's part: frames come in real time
        pipeline.add("clocksync", f"{element}_clock")
        pipeline.link((element, f"{element}_clock"), (out, "sink"))
        element, out = f"{element}_clock", "src"
    pipeline.link((element, "mux"), (out, f"sink_{index}"))


def add_model(pipeline: Pipeline, config: RunConfig) -> str:
    """Add model and tracker behind the muxer; returns the name of the last element."""
    pipeline.add("hrinfer", "infer", {
        "model": config.model, "labels": config.labels, "confidence": config.confidence, "nms": config.nms,
        "engine": config.engine, "decoder": config.decoder, "preprocess": config.preprocess,
        "input-size": config.input_size, "on-error": config.on_error, **config.set,
    })  # fmt: skip
    pipeline.link("mux", "infer")
    if config.tracker == NO_TRACKER:
        return "infer"
    # Detections that no track claims are results too.
    pipeline.add("nvtracker", "tracker", {"tracker": config.tracker, "keep-untracked": True})
    pipeline.link("infer", "tracker")
    return "tracker"


def add_outputs(
    pipeline: Pipeline, config: RunConfig, last: str, presence: Presence | None, sensors: Path | None
) -> None:
    """Add what stands behind the tracker: video, events, both, or a sink that takes all.

    Args:
        pipeline: What to add to.
        config: Which outputs.
        last: Name of the element in front.
        presence: Makes the events, where they are wanted.
        sensors: Configuration of their converter.
    """
    ends = []
    if config.out is not None:
        ends.append(add_video(pipeline, config, config.out))
    if config.events is not None and presence is not None and sensors is not None:
        ends.append(add_events(pipeline, config.events, sensors, presence.finish))
    if not ends:
        pipeline.add("fakesink", "end", {"sync": False, "async": False, "enable-last-sample": False})
        ends.append("end")
    if len(ends) == 1:
        pipeline.link(last, ends[0])
        return
    pipeline.add("tee", "tee").link(last, "tee")
    for end in ends:
        pipeline.link("tee", end)
