"""``headrace demo``: four synthetic scenes detected, tracked and counted, and scored against their known truth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from headrace.bench.score import DetectionScore, TrackingScore, detection_score, identity_switches
from headrace.cli._progress import time_table
from headrace.cli._running import carry_out
from headrace.cli._terminal import errors_in_a_line, out, set_up_logging
from headrace.errors import HeadraceError
from headrace.flow import BatchMetadataOperator
from headrace.flow.run.config import RunConfig, make_config
from headrace.flow.run.report import RunReport
from headrace.flow.run.runner import Run
from headrace.meta import BatchMetadata, Detections
from headrace.meta.user import MetaType
from headrace.source.sim import Truth

MODEL = Path(__file__).parents[1] / "models" / "demo.onnx"
#: Scenes and seeds; the model was trained on others.
_SCENES = (("crossroad", 7), ("highway", 21), ("plaza", 33), ("crossroad", 58))
_WIDTH, _HEIGHT, _FPS = 640, 360, 30


class TruthKeeper(BatchMetadataOperator):
    """Keeps what was found in each frame beside the truth that rides on it.

    Attributes:
        found: Detections of each frame, by source.
        truth: Truth of the same frames, by source.
    """

    def __init__(self) -> None:
        self.found: dict[int, list[Detections]] = {}
        self.truth: dict[int, list[Truth]] = {}

    def handle_metadata(self, batch_meta: BatchMetadata) -> None:
        """Keep one batch."""
        for frame in batch_meta.frame_items:
            for meta in frame.user_meta_items(MetaType.SIM_TRUTH):
                self.found.setdefault(frame.source_id, []).append(frame.detections)
                self.truth.setdefault(frame.source_id, []).append(meta.data)

    def scores(self) -> tuple[DetectionScore, TrackingScore]:
        """Scores of all sources together, identities compared within each source."""
        detected = [detection_score(self.found[i], self.truth[i]) for i in sorted(self.found)]
        tracked = [identity_switches(self.found[i], self.truth[i]) for i in sorted(self.found)]
        return DetectionScore(*_sums(detected)), TrackingScore(
            *_sums(tracked), sum(s.switches for s in tracked)
        )


def _sums(scores: Sequence[DetectionScore]) -> tuple[int, int, int]:
    return (
        sum(score.hits for score in scores),
        sum(score.false_alarms for score in scores),
        sum(score.misses for score in scores),
    )


@dataclass(frozen=True, slots=True)
class _Outcome:
    report: RunReport
    detected: DetectionScore
    tracked: TrackingScore


def scenes(seconds: float) -> list[str]:
    """Addresses of the demo's scenes."""
    frames = max(math.ceil(seconds * _FPS), 1)
    size = f"width={_WIDTH}&height={_HEIGHT}&fps={_FPS}&frames={frames}"
    return [f"sim://{name}?seed={seed}&{size}" for name, seed in _SCENES]


def command(
    video: Annotated[Path, typer.Option("--out", help="Annotated video.")] = Path("demo.mp4"),
    events: Annotated[Path, typer.Option(help="Events, a JSON message on each line.")] = Path("demo.jsonl"),
    seconds: Annotated[float, typer.Option(min=0.1, max=3600, help="Length of the scenes.")] = 20.0,
    model: Annotated[str, typer.Option(help="Another model for these scenes.", show_default=False)] = str(
        MODEL
    ),
    confidence: Annotated[float, typer.Option(min=0, max=1, help="Detections below it are left out.")] = 0.4,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tracebacks.")] = False,
) -> None:
    """Render, detect, track, count, draw, publish and score; no download, GPU or display."""
    set_up_logging(verbose)
    with errors_in_a_line(verbose):
        if model == str(MODEL) and not MODEL.is_file():
            raise HeadraceError(
                f"{MODEL} is missing: this installation is incomplete; install headrace again"
            )
        config = make_config({
            "inputs": scenes(seconds), "model": model, "confidence": confidence, "out": video, "events": events,
            "tiles": "2x2@1280x720",
        })  # fmt: skip
        raise typer.Exit(_demonstrate(config, verbose))


def _demonstrate(config: RunConfig, verbose: bool) -> int:
    run, keeper = Run(config), TruthKeeper()
    run.watch("truth", keeper)
    report, code = carry_out(run, verbose)
    if report.error is None and report.frames:
        _show(config, _Outcome(report, *keeper.scores()))
    return code


def _show(config: RunConfig, outcome: _Outcome) -> None:
    report, detected, tracked = outcome.report, outcome.detected, outcome.tracked
    out.print("[bold]tracks[/bold]")
    for name, tally in zip(report.names, report.sources, strict=True):
        counts = ", ".join(f"{len(ids)} {label}" for label, ids in sorted(tally.tracks.items()))
        out.print(f"  {name.partition('&')[0]}: {counts or 'none'}", markup=False)
    out.print("[bold]against the truth[/bold] (objects at least 35 % visible and 8 pixels large, IoU 0.5)")
    out.print(f"  recall     {detected.recall:.3f}  ({detected.hits} of {detected.hits + detected.misses})")
    out.print(f"  precision  {detected.precision:.3f}  ({detected.false_alarms} false alarms)")
    out.print(f"  identity switches  {tracked.switches}  (MOTA {tracked.mota:.3f})")
    out.print("[bold]speed[/bold]")
    out.print(
        f"  {report.frames} frames in {report.seconds:.1f} s: {report.fps:.0f} frames/s, rendering and encoding "
        f"included; {report.dropped} dropped"
    )
    out.print(time_table(report))
    lines = sum(1 for _ in config.events.open("rb")) if config.events is not None else 0
    out.print(f"[bold]written[/bold]  {config.out}, {config.events} ({lines} events)")
