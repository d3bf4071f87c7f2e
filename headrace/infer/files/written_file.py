"""Files that are being written: they are loaded when they stand still, and never torn."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from headrace.errors import ModelError
from headrace.infer.model import Model

#: Seconds for which a file must not have changed.
STILL = 1.0
#: Seconds after which a file that goes on changing is given up.
PATIENCE = 120.0
_POLL = 0.05

_State = tuple[tuple[str, int, int], ...]


def state_of(file: Path) -> _State:
    """Name, time of the last change in ns and size in bytes of a file and of those that belong to it.

    To a model belong the files beside it whose names begin with its own without the suffix: weights in
    ``net.onnx.data``, ``net.bin`` of ``net.xml``.

    Example:
        >>> state_of(Path("missing/net.onnx"))
        ()
    """
    try:
        beside = [one for one in file.parent.iterdir() if one.name.startswith(f"{file.stem}.")]
        found = [(one.name, one.stat()) for one in beside if one.is_file()]
    except OSError:
        return ()  # not there, or renamed meanwhile: what loads it says so
    return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in found))


def load_when_written(file: Path, load: Callable[[], Model], wanted: Callable[[], None]) -> Model:
    """Load a model from a file that may still be being written.

    A file that has not changed for a while is loaded at once. One that changes while it is loaded is loaded again.

    Args:
        file: The model's file; what ``load`` says if there is none.
        load: Loads it.
        wanted: Asked while waiting; raises when the model is wanted no longer.

    Raises:
        ModelError: The file goes on changing.
        Exception: What ``load`` and ``wanted`` raise.
    """
    end = time.monotonic() + PATIENCE
    while True:
        state = _still(file, end, wanted)
        try:
            model = load()
        except Exception:
            if state_of(file) == state:
                raise
            continue
        if state_of(file) == state:
            return model
        model.close()


def _still(file: Path, end: float, wanted: Callable[[], None]) -> _State:
    """Wait until a file stands still; returns how it stands then."""
    _go_on(file, end, wanted)
    state, since = state_of(file), time.monotonic()
    # The clock of a file server may be ahead: then the file is watched.
    newest = max((changed for _, changed, _ in state), default=0) / 1e9
    if time.time() - newest >= STILL:
        return state
    while time.monotonic() - since < STILL:
        time.sleep(_POLL)
        _go_on(file, end, wanted)
        now = state_of(file)
        if now != state:
            state, since = now, time.monotonic()
    return state


def _go_on(file: Path, end: float, wanted: Callable[[], None]) -> None:
    """Give up where the time is over, or nobody wants the model any more."""
    if time.monotonic() > end:
        raise ModelError(f"model file {file} has been changing for {PATIENCE:g} s; set it when it is written")
    wanted()
