#!/usr/bin/env python3
"""Run a tracker over detections in MOT format and write its results in the same format.

python tools/track_mot.py DETECTIONS... --out RESULTS [--tracker cascade] [--set probation_age=1]

DETECTIONS are files or folders of ``SEQUENCE.txt`` (frame, -1, x, y, w, h, confidence), or MOTChallenge
folders that hold ``SEQUENCE/det/det.txt``. Prints the frames per second of the tracker's update alone.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from headrace.meta import Detections
from headrace.track import TrackerOptions, Tracks, make_tracker


def sequences(paths: list[Path]) -> Iterator[tuple[str, Path]]:
    """Name and detection file of every sequence under the given paths."""
    for path in paths:
        if path.is_file():
            yield path.stem, path
            continue
        for file in sorted(path.glob("*.txt")):
            yield file.stem, file
        for file in sorted(path.glob("**/det/det.txt")):
            yield file.parent.parent.name, file


def frames(path: Path) -> list[Detections]:
    """Detections of every frame from 1 to the last that has any."""
    table = np.loadtxt(path, delimiter=",", ndmin=2)
    out = []
    for number in range(1, int(table[:, 0].max()) + 1):
        rows = table[table[:, 0] == number]
        corners = np.hstack((rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]))
        out.append(Detections(corners, rows[:, 6]))
    return out


def lines(number: int, tracks: Tracks) -> Iterator[str]:
    """The rows of a result file for one frame."""
    for track, (left, top, right, bottom) in zip(tracks.track_id.tolist(), tracks.xyxy.tolist(), strict=True):
        yield f"{number},{track},{left:.2f},{top:.2f},{right - left:.2f},{bottom - top:.2f},1,-1,-1,-1\n"


def main() -> None:
    """Track every sequence and print a line for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("detections", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tracker", default="cascade")
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE")
    given = parser.parse_args()
    options = TrackerOptions.model_validate(dict(item.split("=", 1) for item in given.set))
    given.out.mkdir(parents=True, exist_ok=True)
    total_frames, total_seconds = 0, 0.0
    for name, path in sequences(given.detections):
        todo, seconds = frames(path), 0.0
        text: list[str] = []
        tracker = make_tracker(given.tracker, options)
        for number, detections in enumerate(todo, 1):
            start = time.perf_counter()
            tracks = tracker.update(detections)
            seconds += time.perf_counter() - start
            text.extend(lines(number, tracks))
        (given.out / f"{name}.txt").write_text("".join(text))
        print(f"{name:<20} {len(todo):>6} frames {len(todo) / seconds:>8.0f} frames/s")
        total_frames, total_seconds = total_frames + len(todo), total_seconds + seconds
    print(f"{'all':<20} {total_frames:>6} frames {total_frames / max(total_seconds, 1e-9):>8.0f} frames/s")


if __name__ == "__main__":
    main()
