"""Batches of several sources: fair, complete, in order, and never waiting for the dead."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.source.batcher import QUEUE_DEPTH, Batcher, Flushing

LONG = 20.0


def background(call: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Run on a thread; its result, or what it raised, lands in the list."""
    results: list[Any] = []

    def work() -> None:
        try:
            results.append(call())
        except Flushing as error:
            results.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread, results


def batcher_of(n: int, **options: Any) -> Batcher[Any]:
    batcher: Batcher[Any] = Batcher(**options)
    for index in range(n):
        batcher.add(index)
    return batcher


def live_batcher(n: int) -> Batcher[Any]:
    batcher: Batcher[Any] = Batcher()
    for index in range(n):
        batcher.add(index, live=True)
    return batcher


def test_a_full_batch_takes_one_frame_of_each_source() -> None:
    batcher = batcher_of(3)
    for index in (2, 0, 1):
        batcher.push(index, f"{index}a")
        batcher.push(index, f"{index}b")
    assert sorted(batcher.collect()) == [(0, "0a"), (1, "1a"), (2, "2a")]
    assert sorted(batcher.collect()) == [(0, "0b"), (1, "1b"), (2, "2b")]


def test_a_small_batch_goes_round() -> None:
    batcher = batcher_of(3)
    for index in range(3):
        batcher.push(index, index)
        batcher.push(index, index)
    taken = [batcher.collect(2) for _ in range(3)]
    assert [[index for index, _ in batch] for batch in taken] == [[0, 1], [2, 0], [1, 2]]


def test_one_source_may_fill_a_large_batch_alone() -> None:
    batcher = batcher_of(1)
    thread, results = background(lambda: batcher.collect(4, LONG))
    for item in range(4):
        batcher.push(0, item)
    thread.join(LONG)
    assert results == [[(0, 0), (0, 1), (0, 2), (0, 3)]]


def test_a_dead_source_delays_only_until_the_timeout() -> None:
    batcher = batcher_of(2)
    batcher.push(0, "a")
    assert batcher.collect(2, 0.01) == [(0, "a")]


def test_a_source_that_never_came_does_not_start_the_clock() -> None:
    batcher = batcher_of(2)
    thread, results = background(lambda: batcher.collect(2, 0.0))
    thread.join(0.05)
    assert results == []
    batcher.push(1, "late")
    thread.join(LONG)
    assert results == [[(1, "late")]]


def test_the_rest_comes_as_a_partial_batch_and_then_the_end() -> None:
    ended: list[int] = []
    batcher = batcher_of(2, on_source_end=ended.append)
    batcher.push(0, "a")
    batcher.end(0)
    batcher.push(1, "b")
    assert batcher.collect(4, 0.0) == [(0, "a"), (1, "b")]
    assert ended == []
    batcher.end(1)
    assert batcher.collect(4) == []
    assert ended == [0, 1]


def test_the_end_of_a_source_comes_after_its_last_frame_and_once() -> None:
    log: list[Any] = []
    batcher = batcher_of(2, on_source_end=lambda index: log.append(f"end {index}"))
    batcher.push(0, "last")
    batcher.end(0)
    batcher.push(1, "x")
    log.append(batcher.collect())
    batcher.push(1, "y")
    log.append(batcher.collect())
    batcher.end(1)
    log.append(batcher.collect())
    log.append(batcher.collect())
    assert log == [[(0, "last"), (1, "x")], "end 0", [(1, "y")], "end 1", [], []]


def test_an_ended_source_is_not_waited_for() -> None:
    batcher = batcher_of(3)
    batcher.end(1)
    batcher.push(0, "a")
    batcher.push(2, "c")
    assert batcher.collect() == [(0, "a"), (2, "c")]


def test_a_source_that_has_ended_still_counts_for_the_batch_it_is_in() -> None:
    batcher = batcher_of(2)
    batcher.push(0, "last")
    batcher.end(0)
    thread, results = background(batcher.collect)
    thread.join(0.05)
    batcher.push(1, "x")
    thread.join(LONG)
    assert results == [[(0, "last"), (1, "x")]]


def test_files_block_and_lose_nothing() -> None:
    batcher = batcher_of(1)
    for item in range(QUEUE_DEPTH):
        batcher.push(0, item)
    thread, results = background(lambda: batcher.push(0, "next"))
    thread.join(0.05)
    assert thread.is_alive()
    got = [batcher.collect(1)[0][1] for _ in range(QUEUE_DEPTH + 1)]
    thread.join(LONG)
    assert results == [None]
    assert got == [*range(QUEUE_DEPTH), "next"]
    assert not batcher.drops


def test_live_sources_drop_their_oldest_and_count_it() -> None:
    batcher: Batcher[int] = Batcher()
    batcher.add(0, live=True)
    for item in range(10):
        batcher.push(0, item)
    assert [batcher.collect(1)[0][1] for _ in range(2)] == [8, 9]
    assert batcher.drops == {(0, "live source faster than the pipeline"): 8}


@pytest.mark.parametrize("stop", ["flush", "remove", "flush_source"])
def test_a_blocked_push_is_released(stop: str) -> None:
    batcher = batcher_of(1)
    for item in range(QUEUE_DEPTH):
        batcher.push(0, item)
    thread, results = background(lambda: batcher.push(0, "blocked"))
    thread.join(0.05)
    assert thread.is_alive()
    {
        "flush": lambda: batcher.flush(),
        "remove": lambda: batcher.remove(0),
        "flush_source": lambda: batcher.flush_source(0, on=True),
    }[stop]()
    thread.join(LONG)
    assert isinstance(results[0], Flushing)
    with pytest.raises(Flushing):
        batcher.push(0, "more")


def test_a_flushed_source_starts_again_and_others_do_not_notice() -> None:
    batcher = batcher_of(2)
    batcher.push(0, "old")
    batcher.push(1, "kept")
    batcher.flush_source(0, on=True)
    batcher.flush_source(0, on=False)
    batcher.push(0, "new")
    assert batcher.collect() == [(0, "new"), (1, "kept")]


def test_a_removed_source_leaves_the_open_batch() -> None:
    batcher = batcher_of(2)
    batcher.push(0, "gone")
    thread, results = background(lambda: batcher.collect(2))
    thread.join(0.05)
    batcher.remove(0)
    batcher.push(1, "a")
    batcher.push(1, "b")
    thread.join(LONG)
    assert results == [[(1, "a"), (1, "b")]]
    assert batcher.drops == {(0, "source removed"): 1}


def test_a_source_can_be_added_while_a_batch_is_open() -> None:
    batcher = batcher_of(1)
    thread, results = background(lambda: batcher.collect(2, LONG))
    batcher.push(0, "a")
    thread.join(0.05)
    batcher.add(5)
    batcher.push(5, "b")
    thread.join(LONG)
    assert results == [[(0, "a"), (5, "b")]]


def test_without_sources_collect_waits_for_one() -> None:
    batcher: Batcher[str] = Batcher()
    thread, results = background(batcher.collect)
    thread.join(0.05)
    assert thread.is_alive()
    batcher.add(0)
    batcher.push(0, "a")
    thread.join(LONG)
    assert results == [[(0, "a")]]


def test_a_batch_of_a_source_that_left_last_is_not_held_back() -> None:
    batcher = batcher_of(2)
    batcher.push(1, "b")
    thread, results = background(lambda: batcher.collect(4))
    thread.join(0.05)
    batcher.end(1)
    batcher.remove(0)
    thread.join(LONG)
    assert results == [[(1, "b")]]


def test_flush_and_interrupt_release_collect() -> None:
    batcher = batcher_of(1)
    thread, results = background(batcher.collect)
    batcher.interrupt(True)
    thread.join(LONG)
    assert isinstance(results[0], Flushing)
    batcher.interrupt(False)
    batcher.push(0, "a")
    assert batcher.collect() == [(0, "a")]
    thread, results = background(batcher.collect)
    batcher.flush()
    thread.join(LONG)
    assert isinstance(results[0], Flushing)
    batcher.flush(False)
    batcher.push(0, "b")
    assert batcher.collect() == [(0, "b")]


def test_waiting_for_a_source_ends_with_a_new_one() -> None:
    batcher = batcher_of(1)
    batcher.end(0)
    thread, results = background(batcher.wait_for_source)
    thread.join(0.05)
    assert thread.is_alive()
    batcher.add(1)
    thread.join(LONG)
    assert results == [None]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=4), st.integers(0, 6))
def test_nothing_is_lost_doubled_or_reordered(counts: list[int], size: int) -> None:
    ended: list[int] = []
    batcher = batcher_of(len(counts), on_source_end=ended.append)

    def feed(index: int) -> None:
        for item in range(counts[index]):
            batcher.push(index, item)
        batcher.end(index)

    threads = [threading.Thread(target=feed, args=(index,), daemon=True) for index in range(len(counts))]
    for thread in threads:
        thread.start()
    got: dict[int, list[int]] = {index: [] for index in range(len(counts))}
    while batch := batcher.collect(size):
        assert len(batch) <= (size or len(counts))
        for index, item in batch:
            assert index not in ended
            got[index].append(item)
    assert got == {index: list(range(count)) for index, count in enumerate(counts)}
    assert sorted(ended) == list(range(len(counts)))


def test_a_live_source_is_not_held_back_by_one_that_is_late() -> None:
    batcher = live_batcher(3)
    for index, item in ((0, "a0"), (0, "a1"), (1, "b0")):
        batcher.push(index, item)
    assert batcher.collect(3, LONG) == [(0, "a0"), (1, "b0")]
    batcher.push(1, "b1")
    batcher.push(2, "c0")
    assert batcher.collect(3, LONG) == [(2, "c0"), (0, "a1"), (1, "b1")]


def test_the_next_frame_of_a_live_source_lets_the_batch_go() -> None:
    batcher = live_batcher(2)
    thread, results = background(lambda: batcher.collect(2, LONG))
    batcher.push(0, "a0")
    while not results and not batcher._sources[0].held:
        thread.join(0.001)
    batcher.push(0, "a1")
    thread.join(LONG)
    assert results == [[(0, "a0")]]


@pytest.mark.parametrize(("live", "timeout"), [(False, LONG), (True, None)])
def test_files_and_batches_without_a_time_out_wait_for_everybody(live: bool, timeout: float | None) -> None:
    batcher = live_batcher(2) if live else batcher_of(2)
    batcher.push(0, "a0")
    batcher.push(0, "a1")
    thread, results = background(lambda: batcher.collect(2, timeout))
    thread.join(0.05)
    assert not results
    batcher.push(1, "b0")
    thread.join(LONG)
    assert results == [[(0, "a0"), (1, "b0")]]
