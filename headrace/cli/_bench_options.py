"""The options of ``headrace bench``, by subject: each the type of an argument of the command."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer


class Part(str, Enum):
    """What can be measured."""

    elements = "elements"
    memory = "memory"
    startup = "startup"
    views = "views"
    swap = "swap"
    decoders = "decoders"
    secondary = "secondary"
    analytics = "analytics"
    live = "live"
    gpu = "gpu"
    cpu = "cpu"
    peers = "peers"
    track = "track"


#: Parts that take long, or need what is not there everywhere.
ASKED_FOR = {Part.gpu, Part.cpu, Part.peers, Part.track}

# Of all parts.
Parts = Annotated[
    list[Part] | None,
    typer.Argument(
        metavar="PART...",
        help="elements, memory, startup, views, swap, decoders, secondary, analytics, live; all if left out. "
        "cpu, gpu, peers, track.",
    ),
]
Repeats = Annotated[int, typer.Option(min=1, help="Rounds.")]
Cores = Annotated[int, typer.Option(min=0, help="Processor cores to use; 0 for all.")]
Text = Annotated[Path | None, typer.Option(metavar="FILE.md", help="Write the report as Markdown, too.")]
Json = Annotated[
    Path | None, typer.Option("--json", metavar="FILE.json", help="Write the report as JSON, too.")
]

# Of elements, memory, startup, swap and decoders.
BatchSizes = Annotated[str, typer.Option(help="Batch sizes, and numbers of sources, to measure.")]
Frames = Annotated[int, typer.Option(min=1, help="Frames of a run, over all sources.")]
Swaps = Annotated[int, typer.Option(min=1, help="How often a model is replaced.")]
Live = Annotated[
    bool,
    typer.Option(
        help="elements: sources at 30 frames a second, not as fast as possible; gpu: 64 such besides."
    ),
]

# Of pipelines: live, gpu, cpu, peers.
Model = Annotated[
    str,
    typer.Option(
        help="startup: model whose start is measured; live: model in place of a timed one; cpu, peers: an ONNX "
        "file like YOLOv8's, one is made if left out."
    ),
]
Streams = Annotated[
    str,
    typer.Option(help="Sources. live: 8 if left out; gpu: of each run, 32,64; cpu: 1,4,8; peers: 1,4."),
]
Batch = Annotated[int, typer.Option(min=1, help="gpu: frames in a batch.")]
Clip = Annotated[
    Path | None,
    typer.Option(metavar="FILE.mp4", help="gpu, cpu, peers: a clip; one is rendered if left out."),
]
Fps = Annotated[int, typer.Option(min=1, help="live: frames a second of each.")]
Seconds = Annotated[
    int, typer.Option(min=0, help="How long a run is measured; live, gpu: 10 if left out; cpu, peers: 3.")
]
ModelMs = Annotated[float, typer.Option(min=0, help="live: milliseconds of a call of the timed model.")]
Sizes = Annotated[
    str, typer.Option(help="cpu: sizes of the network's input; 640x640,640x384,320x320 if left out.")
]
Precision = Annotated[str, typer.Option(help="cpu: f32,bf16, or one of the two.")]
Engine = Annotated[str, typer.Option(help="cpu: openvino or onnxruntime, of both sides.")]
Work = Annotated[Path | None, typer.Option(metavar="DIR", help="cpu, peers: where clip and model are kept.")]
Peer = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=PYTHON", help="peers: Python that has this library; may be repeated."),
]
PeersDir = Annotated[
    Path | None, typer.Option(metavar="DIR", help="peers: virtual environments, named as the peers.")
]
Chart = Annotated[
    Path | None, typer.Option(metavar="FILE.png", help="cpu, peers: draw frames a second as bars.")
]

# Of recorded detections: track.
Detections = Annotated[
    Path | None, typer.Option(metavar="DIR", help="track: detections in MOT format, a SEQ.txt for each.")
]
Results = Annotated[
    Path | None, typer.Option(metavar="DIR", help="track: where the results go, a SEQ.txt for each.")
]
Truth = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="track: known truth, SEQ/gt/gt.txt; without it no scores."),
]
Tracker = Annotated[str, typer.Option(help="track: name of the tracker.")]
Config = Annotated[Path | None, typer.Option(metavar="FILE.yml", help="track: the tracker's settings.")]
