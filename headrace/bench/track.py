"""Trackers over recorded detections: results in MOT format, scores against known truth, time of the update alone.

Detections are files ``SEQ.txt`` (frame from 1, -1, left, top, width, height, confidence), or MOTChallenge folders
that hold ``SEQ/det/det.txt``; truth is ``SEQ/gt/gt.txt``. Scores are TrackEval's (Luiten et al., 2020), an extra.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headrace.errors import ConfigError
from headrace.meta import Detections
from headrace.track import Sightings, Tracker, TrackerOptions, Tracks, make_tracker

#: Columns of a score, as TrackEval names them.
SCORES = ("HOTA", "DetA", "AssA", "MOTA", "IDF1", "IDSW")
#: Name of the row that stands for all sequences together.
TOGETHER = "all"
#: Rounds of a timing; the quickest counts, as whatever else the machine does only takes time away.
ROUNDS = 3
#: TrackEval's settings for output, all switched off; and names that it still spells and NumPy 1.24 dropped.
_TALK = ("PRINT_RESULTS", "PRINT_CONFIG", "TIME_PROGRESS", "OUTPUT_SUMMARY", "OUTPUT_DETAILED", "PLOT_CURVES")
_OLD_NAMES = {"float": float, "int": int, "bool": bool}


@dataclass(frozen=True)
class TrackReport:
    """What `bench_track` found out.

    Attributes:
        tracker: Name of the tracker.
        frames: Number of frames of each sequence.
        rates: Frames per second on one stream, by sequence and together.
        streams: Number of streams of the last figure.
        together: Frames per second over all streams where each call takes a batch of them.
        scores: By sequence and together: `SCORES` by name, empty without truth.
    """

    tracker: str
    frames: Mapping[str, int]
    rates: Mapping[str, float]
    streams: int
    together: float
    scores: Mapping[str, Mapping[str, float]]

    def text(self) -> str:
        """A table in Markdown."""
        names = SCORES if self.scores else ()
        lines = [
            f"| {self.tracker} | frames | frames/s |" + "".join(f" {name} |" for name in names),
            "|---|---|---|" + "---|" * len(names),
        ]
        for name in (*self.frames, TOGETHER):
            frames = self.frames.get(name, sum(self.frames.values()))
            cells = [f"{value:.1f}" if key != "IDSW" else str(int(value)) for key, value in self._of(name)]
            lines.append("| " + " | ".join([name, str(frames), f"{self.rates[name]:,.0f}", *cells]) + " |")
        lines.append(f"\n{self.streams} streams in a batch: {self.together:,.0f} frames/s in all")
        return "\n".join(lines) + "\n"

    def _of(self, name: str) -> list[tuple[str, float]]:
        row = self.scores.get(name, {})
        return [(key, row[key]) for key in SCORES if key in row]


def bench_track(
    detections: Path, results: Path, tracker: str, options: TrackerOptions, gt: Path | None, streams: int = 32
) -> TrackReport:
    """Track every sequence, write its results, measure and score.

    Args:
        detections: A file, or a folder, see the module.
        results: Folder that gets a ``SEQ.txt`` for each; made if need be.
        tracker: Name of the tracker.
        options: Its settings.
        gt: Folder with the truth, or ``None``: no scores.
        streams: Streams of the timing with batches.

    Raises:
        ConfigError: A file is missing or is not in the format, or TrackEval is not installed.
    """
    sequences = read_sequences(detections)
    results.mkdir(parents=True, exist_ok=True)
    rates, spent = {}, 0.0
    for name, frames in sequences.items():
        tracks, seconds = run(make_tracker(tracker, options), frames)
        (results / f"{name}.txt").write_text(mot_text(tracks), encoding="utf-8")
        for _ in range(ROUNDS - 1):
            seconds = min(seconds, run(make_tracker(tracker, options), frames)[1])
        rates[name], spent = len(frames) / seconds, spent + seconds
    rates[TOGETHER] = sum(map(len, sequences.values())) / spent
    batch = max(together(make_tracker(tracker, options), sequences, streams) for _ in range(ROUNDS))
    counts = {name: len(frames) for name, frames in sequences.items()}
    return TrackReport(
        tracker, counts, rates, streams, batch, {} if gt is None else score(results, gt, tuple(sequences))
    )


def read_sequences(path: Path) -> dict[str, list[Detections]]:
    """Detections of every sequence by name: of each frame from 1 to the last that has any.

    Raises:
        ConfigError: There is none, or a file is not in the format.
    """
    files = {path.stem: path} if path.is_file() else {file.stem: file for file in sorted(path.glob("*.txt"))}
    files |= {file.parent.parent.name: file for file in sorted(path.glob("**/det/det.txt"))}
    if not files:
        raise ConfigError(f"{path}: no SEQ.txt and no SEQ/det/det.txt; give detections in MOT format")
    return {name: _frames(file) for name, file in files.items()}


def _frames(path: Path) -> list[Detections]:
    try:
        table = np.loadtxt(path, delimiter=",", ndmin=2, usecols=range(7))
    except (ValueError, OSError) as error:
        raise ConfigError(f"{path} is not in MOT format (frame,-1,x,y,w,h,confidence): {error}") from error
    if not len(table):
        return []
    if not (table[:, 0] >= 1).all():
        raise ConfigError(f"{path}: frames are numbered from 1, got {table[:, 0].min():g}")
    table = table[table[:, 0].argsort(kind="stable")]
    ends = np.searchsorted(table[:, 0], np.arange(1, int(table[-1, 0]) + 2))
    return [_found(table[start:end]) for start, end in itertools.pairwise(ends.tolist())]


def _found(rows: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Detections:
    return Detections(np.hstack((rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6])), rows[:, 6])  # type: ignore[arg-type]


def run(tracker: Tracker, frames: Sequence[Detections]) -> tuple[list[Tracks], float]:
    """Tracks of every frame of one stream, and the seconds that the tracker took."""
    started = time.perf_counter()
    tracks = [tracker.update(found) for found in frames]
    return tracks, time.perf_counter() - started


def together(tracker: Tracker, sequences: Mapping[str, Sequence[Detections]], streams: int) -> float:
    """Frames per second over that many streams in one batch, each a sequence from another frame on, in circles."""
    known = [frames for frames in sequences.values() if frames]
    if not known:
        return 0.0
    batches = []
    for number in range(200):
        lists = ((stream, known[stream % len(known)]) for stream in range(streams))
        batches.append(
            Sightings.of({stream: one[(number + 37 * stream) % len(one)] for stream, one in lists})
        )
    started = time.perf_counter()
    for batch in batches:
        tracker.follow(batch)
    return streams * len(batches) / (time.perf_counter() - started)


def mot_text(frames: Sequence[Tracks]) -> str:
    """Results of a sequence in MOT format."""
    return "".join(line for number, tracks in enumerate(frames, 1) for line in _lines(number, tracks))


def _lines(number: int, tracks: Tracks) -> Iterator[str]:
    columns = zip(tracks.track_id.tolist(), tracks.xyxy.tolist(), tracks.confidence.tolist(), strict=True)
    for track, (left, top, right, bottom), sure in columns:
        yield f"{number},{track},{left:.2f},{top:.2f},{right - left:.2f},{bottom - top:.2f},{sure:.3f},-1,-1,-1\n"


def score(results: Path, gt: Path, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """`SCORES` of result files against the truth, by TrackEval and with the benchmarks' own preprocessing.

    Args:
        results: Folder of ``SEQ.txt``.
        gt: Folder that holds ``SEQ/gt/gt.txt``, at any depth.
        names: The sequences; those without truth are left out.

    Raises:
        ConfigError: No sequence has truth, or TrackEval is not installed.
    """
    folders = {file.parent.parent.name: file.parent.parent for file in gt.glob("**/gt/gt.txt")}
    folders = {name: folders[name] for name in names if name in folders}
    if not folders:
        raise ConfigError(f"{gt}: no SEQ/gt/gt.txt for any of {', '.join(names)}")
    out: dict[str, dict[str, float]] = {}
    with _trackeval() as (evaluator, dataset, metrics), tempfile.TemporaryDirectory() as empty:
        for root in {folder.parent for folder in folders.values()}:
            mine = {name: _length(folder) for name, folder in folders.items() if folder.parent == root}
            config = {
                "GT_FOLDER": str(root), "TRACKERS_FOLDER": str(results.parent), "TRACKERS_TO_EVAL": [results.name],
                "TRACKER_SUB_FOLDER": "", "OUTPUT_FOLDER": empty, "SKIP_SPLIT_FOL": True, "PRINT_CONFIG": False,
                "BENCHMARK": _benchmark(root / next(iter(mine))), "SEQ_INFO": mine,
            }  # fmt: skip
            found = evaluator.evaluate([dataset(config)], metrics)[0]["MotChallenge2DBox"][results.name]
            out |= {name: _row(found[name]["pedestrian"]) for name in mine}
            out[TOGETHER] = _row(found["COMBINED_SEQ"]["pedestrian"])
    return out


def _length(folder: Path) -> int:
    info = ConfigParser()
    if info.read(folder / "seqinfo.ini"):
        return info.getint("Sequence", "seqLength")
    return int(np.loadtxt(folder / "gt" / "gt.txt", delimiter=",", ndmin=2, usecols=0).max())


def _benchmark(folder: Path) -> str:
    """Truth with classes is scored as MOT17 does, that of MOT15 has none."""
    first = (folder / "gt" / "gt.txt").read_text(encoding="utf-8").partition("\n")[0].split(",")
    return "MOT17" if len(first) == 9 and float(first[7]) > 0 else "MOT15"


def _row(found: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    flat = {name: value for family in ("HOTA", "CLEAR", "Identity") for name, value in found[family].items()}
    row = {name: float(np.mean(flat[name])) for name in SCORES}
    return {name: value if name == "IDSW" else 100 * value for name, value in row.items()}


@contextlib.contextmanager
def _trackeval() -> Iterator[tuple[Any, Any, Any]]:
    """TrackEval's evaluator, data set and metrics, silenced, with the names that it expects of NumPy."""
    added = {name: kind for name, kind in _OLD_NAMES.items() if name not in np.__dict__}
    for name, kind in added.items():
        setattr(np, name, kind)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            try:
                import trackeval
            except ImportError as error:
                raise ConfigError(f"scores need TrackEval: pip install headrace[eval] ({error})") from error
            quiet = (
                "PRINT_RESULTS",
                "PRINT_CONFIG",
                "TIME_PROGRESS",
                "OUTPUT_SUMMARY",
                "OUTPUT_DETAILED",
                "PLOT_CURVES",
            )
            settings = {**dict.fromkeys(quiet, False), "BREAK_ON_ERROR": True, "LOG_ON_ERROR": None}
            metrics = [trackeval.metrics.HOTA({}), trackeval.metrics.CLEAR({"PRINT_CONFIG": False}),
                       trackeval.metrics.Identity({"PRINT_CONFIG": False})]  # fmt: skip
            yield trackeval.Evaluator(settings), trackeval.datasets.MotChallenge2DBox, metrics
    finally:
        for name in added:
            delattr(np, name)
