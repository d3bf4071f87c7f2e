"""Trials: each a ``headrace run`` in a process of its own, start-up not counted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from headrace.flow.run.config import NO_TRACKER
from headrace.tune.accuracy import LOOSE, TIGHT, Found, f1_score, read_detections
from headrace.tune.settings import Setting, to_yaml

_COMMAND = (sys.executable, "-c", "from headrace.cli import main; main()", "run")
#: What a run writes that a trial has no use for.
_OUTPUTS = ("out", "events", "tiles", "trace")
#: Settings that change what is found; the others change when.
_DETECTIONS_DEPEND_ON = ("engine", "precision", "rectangular")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a trial.

    Attributes:
        fps: Frames per second of all sources, from the first batch on.
        p95_ms: Latency, from arrival to the end, that 95 of 100 frames stay below.
        dropped: Frames that were dropped.
        cpu_ms: Milliseconds of processor time for a frame.
        f1: Score of the detections against the first trial's, boxes that overlap by `LOOSE`.
        f1_tight: The same at `TIGHT`.
        objects: Objects in the frames that were compared, as the first trial found them.
        error: Why it failed.
    """

    fps: float = 0.0
    p95_ms: float = 0.0
    dropped: int = 0
    cpu_ms: float = 0.0
    f1: float = 1.0
    f1_tight: float = 1.0
    objects: int = 0
    error: str = ""


class Trials:
    """Tries settings on the clip; the detections of the first that works are what those of others are compared with.

    Live inputs give few frames in a trial, so that detections are then compared in a run of their own, as fast as it
    goes, for each combination of what they depend on.

    Args:
        base: Fields of `RunConfig`: inputs, model and what else the user wants of it.
        folder: For the files of trials.
        seconds: How long a trial runs from its first frame on.
        patience: Seconds after which a trial has failed.

    Example:
        >>> Trials({"inputs": ["missing.mp4"], "model": "m.onnx"}, Path("/nowhere")).reference is None
        True
    """

    def __init__(
        self, base: Mapping[str, Any], folder: Path, seconds: float = 2.0, patience: float = 60.0
    ) -> None:
        self.base = {key: value for key, value in base.items() if key not in _OUTPUTS}
        self.reference: Found | None = None
        self._found: dict[tuple[str, ...], Found] = {}
        self._folder, self._seconds, self._patience = folder, seconds, patience
        self._summary, self._detected = folder / "summary.json", folder / "detections.jsonl"

    def measure(self, setting: Setting) -> Outcome:
        """Try a setting.

        Raises:
            KeyboardInterrupt: Ctrl-C; the trial's process has ended by then.
        """
        config = setting.to_config(self.base)
        try:
            found = self._detections(setting, config) if config.get("live") else None
            told = self._run(config)
            return self._outcome(told, read_detections(self._detected) if found is None else found)
        except _Failed as error:
            return Outcome(error=str(error))

    def _detections(self, setting: Setting, config: Mapping[str, Any]) -> Found:
        """What is found with a setting in the clips, each read once, and not live."""
        key = tuple(value for name, value in setting.values if name in _DETECTIONS_DEPEND_ON)
        if key not in self._found:
            self._run({**config, "live": False, "inputs": list(dict.fromkeys(config["inputs"]))})
            self._found[key] = read_detections(self._detected)
        return self._found[key]

    def _run(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """Run it; returns the summary."""
        for file in (self._summary, self._detected):
            file.unlink(missing_ok=True)
        of_trials = {
            "tracker": NO_TRACKER, "seconds": self._seconds, "profile": True, "summary": str(self._summary),
            "detections": str(self._detected),
        }  # fmt: skip
        path = self._folder / "trial.yaml"
        path.write_text(to_yaml({**config, **of_trials}), encoding="utf-8")
        error = self._wrong(path)
        if error:
            raise _Failed(error)
        told: dict[str, Any] = msgspec.json.decode(self._summary.read_bytes())
        if "profile" not in told or not told["steady_fps"]:
            raise _Failed(f"saw {told['frames']} frames only: give a longer clip")
        return told

    def _wrong(self, config: Path) -> str:
        """Run a configuration; returns what was wrong."""
        # A session of its own: Ctrl-C is for the search, which ends the trial.
        process = subprocess.Popen(
            [*_COMMAND, "--config", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        try:
            said = process.communicate(timeout=self._patience)[1]
        except subprocess.TimeoutExpired:
            return f"took longer than {self._patience:.0f} s"
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
        lines = [line for line in said.splitlines() if line.startswith("error: ")]
        wrong = lines[-1].removeprefix("error: ") if lines else f"ended with exit code {process.returncode}"
        return wrong if process.returncode else ""

    def _outcome(self, told: Mapping[str, Any], found: Found) -> Outcome:
        if self.reference is None:
            self.reference = found
        return Outcome(
            fps=told["steady_fps"],
            p95_ms=told["profile"]["latency_ms"]["p95"],
            dropped=told["dropped"],
            cpu_ms=1000 * sum(told["cpu_seconds"].values()) / told["frames"],
            f1=f1_score(self.reference, found, LOOSE),
            f1_tight=f1_score(self.reference, found, TIGHT),
            objects=sum(len(self.reference[key]) for key in self.reference.keys() & found.keys()),
        )


class _Failed(Exception):
    """A trial came to nothing; says why."""
