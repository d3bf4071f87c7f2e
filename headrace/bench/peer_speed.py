"""Headrace beside other software, each in its own virtual environment."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from headrace.bench.comparison import Aim, Comparison, Plan, compare
from headrace.bench.cpu import PEERS, CpuOptions, Makers
from headrace.bench.rounds import Contender
from headrace.errors import ConfigError

_OURS = "Headrace, defaults"
_SIZE = (640, 640)


@dataclass(frozen=True)
class Peer:
    """Software to compare with.

    Attributes:
        name: As in ``--peer NAME=PYTHON``.
        script: Its program, below ``peers``.
        ways: What it can do, with the least ratio that Headrace aims at; ``None`` for no aim.
        builtin: Whether Headrace's own Python has all that it needs.
    """

    name: str
    script: str
    ways: Mapping[str, float | None]
    builtin: bool = False


PEER_LIST = (
    Peer("opencv", "opencv_loop.py", {"onnxruntime": None}, True),
    Peer("basetransform", "base_transform.py", {"full-size RGB": None}, True),
    Peer("ultralytics", "ultralytics_predict.py", {"onnx": 5.0, "openvino": 2.5, "openvino, track": 2.5}),
    Peer("roboflow", "roboflow_pipeline.py", {"InferencePipeline": 5.0}),
    Peer("supervision", "supervision_loop.py", {"ByteTrack": None}),
)


def peer_speed(
    options: CpuOptions,
    pythons: Mapping[str, Path],
    folder: Path | None = None,
    progress: Callable[[str], None] = lambda text: None,
) -> list[Comparison]:
    """Measure Headrace's defaults and all peers that are there, in one interleaved run for each number of streams.

    Args:
        options: Model, clip, streams, rounds and seconds; the rest does not matter.
        pythons: Python of each peer, by name.
        folder: Virtual environments named as the peers; those in ``pythons`` win.
        progress: Told what comes next.

    Raises:
        ConfigError: There is no such peer.
    """
    found = {**_found(folder), **pythons}
    unknown = sorted(set(found) - {peer.name for peer in PEER_LIST})
    if unknown:
        known = ", ".join(peer.name for peer in PEER_LIST)
        raise ConfigError(f"no peer {', '.join(unknown)}; there are {known}")
    makers = Makers(*options.files(), options.chosen_engine())
    plans = [_plan(makers, streams, found) for streams in options.streams]
    return [compare(plan, options.repeats, options.seconds, progress) for plan in plans]


def _found(folder: Path | None) -> dict[str, Path]:
    places = {peer.name: (folder or Path()) / peer.name / "bin" / "python" for peer in PEER_LIST}
    return {name: python for name, python in places.items() if folder is not None and python.exists()}


def _plan(makers: Makers, streams: int, pythons: Mapping[str, Path]) -> Plan:
    contenders = [
        makers.play(_OURS, streams, "infer"),
        makers.play("Headrace, defaults, tracker, messages", streams, "events"),
    ]
    aims = {}
    for peer in PEER_LIST:
        python = pythons.get(peer.name, Path(sys.executable) if peer.builtin else None)
        for way, least in peer.ways.items() if python is not None else ():
            name = f"{peer.name}: {way}"
            job = {"clip": str(makers.clip), "model": str(makers.model), "streams": streams}
            text = json.dumps({**job, "size": _SIZE, "way": way})
            contenders.append(Contender(name, [str(python), str(PEERS / peer.script), text]))
            aims[name] = Aim(_OURS, least, inverse=True)
    return Plan(f"{streams} stream{'s' if streams != 1 else ''}, beside other software", contenders, aims)
