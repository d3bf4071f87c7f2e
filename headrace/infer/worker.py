"""One thread that calls a model, in order, and that a model which never returns cannot keep from ending."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any


class Worker:
    """Runs calls one after the other on a daemon thread.

    A `concurrent.futures` executor would keep the process from ending for as long as one of its calls runs,
    which for user code may be for ever.

    Example:
        >>> worker = Worker("adder")
        >>> worker.submit(sum, [1, 2]).result()
        3
        >>> worker.close()
        True
    """

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=_run, args=(self._jobs,), name=name, daemon=True)
        self._thread.start()

    def submit(self, call: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Queue a call; from any thread.

        Returns:
            A future of what it returns or raises; ``SystemExit`` and ``KeyboardInterrupt`` included.

        Raises:
            RuntimeError: The worker is closed.
        """
        future: Future[Any] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("the worker is closed")
            self._jobs.put(lambda: _fulfil(future, call, arguments))
        return future

    def close(self, timeout: float | None = None) -> bool:
        """Finish what was submitted and end the thread; may be called again.

        Args:
            timeout: Seconds to wait, ``None`` for as long as it takes.

        Returns:
            Whether the thread has ended. One that has not is left behind: it ends when its call returns.
        """
        with self._lock:
            if not self._closed:
                self._jobs.put(None)
            self._closed = True
        self._thread.join(timeout)
        return not self._thread.is_alive()


def _run(jobs: SimpleQueue[Callable[[], None] | None]) -> None:
    while (job := jobs.get()) is not None:
        job()
        del job  # not kept while waiting: it holds frames


def _fulfil(future: Future[Any], call: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call(*arguments)
    except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
        future.set_exception(error)
        del future  # the error's traceback holds this frame: a cycle would keep the frames
    else:
        future.set_result(result)
