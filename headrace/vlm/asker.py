"""Questions off the streaming thread: a bounded queue, threads that ask, retries, a budget, and counts of all."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.errors import ModelError
from headrace.vlm.answers import AnswerError, checker, plain
from headrace.vlm.config import VlmConfig
from headrace.vlm.model import ServerError, VisionLanguageModel, VlmRequest
from headrace.vlm.result import VlmResult

_log = logging.getLogger(__name__)

_MINUTE = 60.0
_LONGEST_WAIT = 60.0
_JOIN = 2.0
_ANYTHING = (Exception, SystemExit, KeyboardInterrupt)

Announce = Callable[[VlmResult], None]
Report = Callable[[BaseException], None]


@dataclass(frozen=True, slots=True)
class AskerCounts:
    """What became of the questions: ``asked = answered + waiting + sum(lost.values())``.

    Attributes:
        asked: Handed over so far.
        answered: Answered.
        waiting: In the queue, or being asked.
        lost: Dropped or failed, by reason.
        requests: Requests to the model, retries included.
    """

    asked: int = 0
    answered: int = 0
    waiting: int = 0
    lost: Mapping[str, int] = field(default_factory=dict)
    requests: int = 0


class Budget:
    """At most so many requests in any minute; 0 for no limit. Not locked.

    Example:
        >>> budget = Budget(2)
        >>> [budget.take(now) for now in (0.0, 1.0, 2.0, 60.5)]
        [True, True, False, True]
    """

    def __init__(self, per_minute: int) -> None:
        self._times: deque[float] | None = deque(maxlen=per_minute) if per_minute else None

    def take(self, now: float) -> bool:
        """Take one request at a time in seconds; returns whether there was one left."""
        if self._times is None:
            return True
        if len(self._times) == self._times.maxlen and now - self._times[0] < _MINUTE:
            return False
        self._times.append(now)
        return True


class Asker:
    """Asks a model on threads of its own.

    `submit` and `results` never wait. Answers are checked against the request's schema; one that is no such JSON is
    given back to the model once, with what is wrong.

    Args:
        model: Loaded already; closed by `close`.
        config: Queue, threads, retries, budget.
        announce: Called on an asking thread with each answer.
        report: Called on an asking thread with a failure, at most once a minute for each reason.

    Example:
        >>> class Yes(VisionLanguageModel):
        ...     def answer(self, request):
        ...         return "Yes."
        >>> asker = Asker(Yes(), VlmConfig(model="m.py:Yes", prompt="Is it?"))
        >>> asker.submit(VlmRequest("Is it?", ())); asker.drain(5.0)
        True
        >>> [result.text for _, result in asker.results()]
        ['Yes.']
        >>> asker.close()
    """

    def __init__(
        self,
        model: VisionLanguageModel,
        config: VlmConfig,
        announce: Announce = lambda result: None,
        report: Report = lambda error: None,
    ) -> None:
        self._model, self._config = model, config
        self._announce, self._report = announce, report
        self._changed = threading.Condition()
        self._queue: deque[VlmRequest] = deque()
        self._done: deque[tuple[VlmRequest, VlmResult]] = deque()
        self._budget = Budget(config.requests_per_minute)
        self._checks: dict[int, tuple[Any, Callable[[str], Any]]] = {}
        self._asked = self._answered = self._active = self._requests = 0
        self._lost: Counter[str] = Counter()
        self._told: dict[str, float] = {}
        self._open = True
        self._interrupted = False
        self._threads = [
            threading.Thread(target=self._run, name=f"headrace-vlm-{index}", daemon=True)
            for index in range(config.workers)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def counts(self) -> AskerCounts:
        """A snapshot; any thread may ask."""
        with self._changed:
            waiting = len(self._queue) + self._active
            return AskerCounts(self._asked, self._answered, waiting, dict(self._lost), self._requests)

    def submit(self, request: VlmRequest) -> None:
        """Hand over a question. When the queue is full one is dropped: the oldest or this one, as configured."""
        with self._changed:
            self._asked += 1
            if not self._open:
                self._lost["closed"] += 1
                return
            if len(self._queue) >= self._config.queue:
                self._lost["queue full"] += 1
                if self._config.keep == "oldest":
                    return
                self._queue.popleft()
            self._queue.append(request)
            self._changed.notify_all()

    def results(self) -> list[tuple[VlmRequest, VlmResult]]:
        """The answers since the last call, oldest first, each with its question."""
        found = []
        while self._done:
            found.append(self._done.popleft())
        return found

    def drain(self, timeout: float) -> bool:
        """Wait until nothing waits for an answer any more, but not while interrupted; returns whether nothing does."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while (self._queue or self._active) and not self._interrupted and self._open:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            return not (self._queue or self._active)

    def interrupt(self) -> None:
        """Make a `drain` that is under way return at once, and those to come, until `resume`."""
        with self._changed:
            self._interrupted = True
            self._changed.notify_all()

    def resume(self) -> None:
        """Let `drain` wait again."""
        with self._changed:
            self._interrupted = False

    def give_up(self, reason: str) -> None:
        """Drop what waits in the queue, counted under a reason."""
        with self._changed:
            self._drop_queue(reason)

    def close(self) -> None:
        """Drop what waits, end the threads and close the model; harmless when called again."""
        with self._changed:
            if not self._open:
                return
            self._open = False
            self._drop_queue("not answered before the end")
            self._changed.notify_all()
        self._model.close()
        deadline = time.monotonic() + _JOIN
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0.0))
        if any(thread.is_alive() for thread in self._threads):
            _log.warning(
                "%s has not returned from answer() within %g s; left alone", self._config.model, _JOIN
            )

    def _drop_queue(self, reason: str) -> None:
        if self._queue:
            self._lost[reason] += len(self._queue)
            self._queue.clear()
            self._changed.notify_all()

    def _run(self) -> None:
        while (request := self._next()) is not None:
            reason = "failed"
            try:
                result = self._ask(request)
                reason = ""
            except ServerError as error:
                reason = error.reason
                self._tell(error, reason)
            except AnswerError as error:
                reason = "invalid answer"
                self._tell(error, reason)
            except _ANYTHING as error:  # the user's class may raise it; reported and counted
                self._tell(error, reason)
            finally:
                if reason:
                    self._finished(reason)
            if not reason:
                self._deliver(request, result)

    def _next(self) -> VlmRequest | None:
        with self._changed:
            while not self._queue:
                if not self._open:
                    return None
                self._changed.wait()
            self._active += 1
            return self._queue.popleft()

    def _deliver(self, request: VlmRequest, result: VlmResult) -> None:
        self._done.append((request, result))
        try:
            self._announce(result)
        except _ANYTHING as error:  # whoever listens must not end the asking
            self._tell(error, "announcing")
        finally:
            self._finished("")

    def _finished(self, reason: str) -> None:
        with self._changed:
            self._active -= 1
            if not reason:
                self._answered += 1
            else:
                self._lost[reason if self._open else "not answered before the end"] += 1
            self._changed.notify_all()

    def _ask(self, request: VlmRequest) -> VlmResult:
        check = self._check_of(request.schema)
        text = plain(self._request(request))
        try:
            data = check(text)
        except AnswerError as error:
            text = plain(self._request(dataclasses.replace(request, rejected=(text, str(error)))))
            data = check(text)
        return VlmResult(
            request.prompt, text, data, request.source_id, request.object_id, request.label, request.frame_number,
            request.first_pts, request.last_pts, len(request.pictures), time.monotonic() - request.asked,
            self._config.model,
        )  # fmt: skip

    def _check_of(self, schema: dict[str, Any] | None) -> Callable[[str], Any]:
        # By identity: a schema belongs to a source's question and stays. It is kept, so that its id stays its own.
        found = self._checks.get(id(schema))
        if found is None:
            found = self._checks[id(schema)] = (schema, checker(schema))
        return found[1]

    def _request(self, request: VlmRequest) -> str:
        """Ask, again where that may help."""
        for attempt in range(self._config.retries + 1):
            with self._changed:
                if not self._budget.take(time.monotonic()):
                    limit = self._config.requests_per_minute
                    text = (
                        f"more than requests-per-minute={limit} would be needed; ask less often, or raise it"
                    )
                    raise ServerError(text, "over budget")
                self._requests += 1
            try:
                return self._text(self._model.answer(request))
            except ServerError as error:
                if not error.again or attempt == self._config.retries or not self._open:
                    raise
                _log.debug("asked again after: %s", error)
                wait = self._config.backoff * 2**attempt if error.wait is None else error.wait
                self._pause(min(wait, _LONGEST_WAIT))
        raise AssertionError("the loop returns or raises")

    def _text(self, answer: object) -> str:
        if not isinstance(answer, str):
            raise ModelError(f"{self._config.model}: answer() must return text, not {type(answer).__name__}")
        return answer

    def _pause(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        with self._changed:
            while self._open and (left := deadline - time.monotonic()) > 0:
                self._changed.wait(left)

    def _tell(self, error: BaseException, reason: str) -> None:
        now = time.monotonic()
        with self._changed:
            known = now - self._told.get(reason, -_MINUTE) < _MINUTE
            if known or not self._open:
                return
            self._told[reason] = now
        self._report(error)
