"""How long ``headrace run`` takes from its call to the first frame it reports."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from headrace.bench.statistics import Spread
from headrace.errors import HeadraceError

_INPUT = "sim://crossroad?seed=1&width=640&height=360"
_LIMIT = 60.0
_RUN = "from headrace.cli import main; main()"


def startup_seconds(model: str = "headrace.bench.nullmodel:NullModel", repeats: int = 5) -> Spread:
    """Seconds until the first line of ``--detections``; the first start, which fills caches, is not counted.

    Raises:
        HeadraceError: The command failed, or wrote nothing within a minute.
    """
    return Spread.of([_start(model) for _ in range(repeats + 1)][1:])


def command(model: str, detections: Path) -> list[str]:
    """The command that is started."""
    options = ["--model", model, "--detections", str(detections)]
    return [sys.executable, "-c", _RUN, "run", _INPUT, *options]


def _start(model: str) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "detections.jsonl"
        log = Path(folder) / "log"
        started = time.perf_counter()
        with log.open("wb") as output:
            process = subprocess.Popen(command(model, path), stdout=output, stderr=subprocess.STDOUT)
        try:
            while not path.exists() or not path.stat().st_size:
                if process.poll() is not None or time.perf_counter() - started > _LIMIT:
                    raise HeadraceError(
                        f"headrace run wrote no frame:\n{log.read_text(errors='replace').strip()}"
                    )
                time.sleep(0.002)
            return time.perf_counter() - started
        finally:
            process.kill()
            process.wait()
