"""Threads that call a model, and that a model which never returns cannot keep from ending."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any


class Worker:
    """Runs calls on a daemon thread, one after the other, or on several, begun in order.

    A `concurrent.futures` executor would keep the process from ending for as long as one of its calls runs,
    which for user code may be for ever.

    Args:
        name: Name of the thread.
        threads: How many there are.

    Example:
        >>> worker = Worker("adder")
        >>> worker.submit(sum, [1, 2]).result()
        3
        >>> worker.close()
        True
    """

    def __init__(self, name: str, threads: int = 1) -> None:
        self._jobs: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._threads = [
            threading.Thread(target=_run, args=(self._jobs,), name=name, daemon=True) for _ in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def __len__(self) -> int:
        """Number of threads."""
        return len(self._threads)

    def put(self, job: Callable[[], object]) -> None:
        """Queue what raises nothing; from any thread.

        Raises:
            RuntimeError: The worker is closed.
        """
        with self._lock:
            if self._closed:
                raise RuntimeError("the worker is closed")
            self._jobs.put(job)

    def submit(self, call: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Queue a call; from any thread.

        Returns:
            A future of what it returns or raises; ``SystemExit`` and ``KeyboardInterrupt`` included.

        Raises:
            RuntimeError: The worker is closed.
        """
        future: Future[Any] = Future()
        self.put(lambda: _fulfil(future, call, arguments))
        return future

    def close(self, timeout: float | None = None) -> bool:
        """Finish what was submitted and end the threads; may be called again.

        Args:
            timeout: Seconds to wait, ``None`` for as long as it takes.

        Returns:
            Whether they have ended. One that has not is left behind: it ends when its call returns.
        """
        with self._lock:
            if not self._closed:
                for _ in self._threads:
                    self._jobs.put(None)
            self._closed = True
        end = None if timeout is None else time.monotonic() + timeout
        for thread in self._threads:
            thread.join(None if end is None else max(end - time.monotonic(), 0))
        return not any(thread.is_alive() for thread in self._threads)


def _run(jobs: SimpleQueue[Callable[[], object] | None]) -> None:
    while (job := jobs.get()) is not None:
        job()
        del job  # not kept while waiting: it holds frames


def attempt(call: Callable[..., Any], *arguments: Any) -> tuple[Any, BaseException | None]:
    """What a call returns, or what it raises, ``SystemExit`` and ``KeyboardInterrupt`` included.

    The error's traceback holds this function's frame, and so the arguments; who keeps the error in one of them
    makes a cycle, which keeps frames.

    Example:
        >>> attempt(int, "1"), attempt(int, "one")[0]
        ((1, None), None)
    """
    try:
        return call(*arguments), None
    except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
        return None, error


def fulfil(future: Future[Any], result: Any, error: BaseException | None) -> None:
    """Let a running future be done, with what `attempt` returned."""
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


def _fulfil(future: Future[Any], call: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    if future.set_running_or_notify_cancel():
        fulfil(future, *attempt(call, *arguments))
