"""Pipelines and the end of the process."""

from __future__ import annotations

import atexit
import sys
import threading
import traceback
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headrace.flow.pipeline import Pipeline

#: Seconds that a pipeline gets to stop while the process ends; one that is at work then may abort it.
_PATIENCE = 10.0
#: Pipelines that were started.
running: weakref.WeakSet[Pipeline] = weakref.WeakSet()
#: Set when the process ends: each pipeline then stops itself on its own thread.
process_ends = threading.Event()


@atexit.register
def _end_all() -> None:
    """Stop what still plays when the process ends: streaming threads that call into a dying Python abort it."""
    process_ends.set()
    threads = [pipeline._thread for pipeline in running if pipeline._thread is not None]
    for pipeline in list(running):
        pipeline.quit()
    for thread in threads:  # each stops its own pipeline, as new threads cannot be started any more
        thread.join(_PATIENCE)


def stacks() -> str:
    """Where every thread of the process is in Python code."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    frames = sys._current_frames().items()
    return "\n".join(f"{names.get(i, i)}:\n{''.join(traceback.format_stack(frame))}" for i, frame in frames)
