import itertools

import lap
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from headrace.track.association import assign, nearby


def best_total(score, minimum):
    """The greatest sum of score - minimum over all one-to-one matchings, tried one by one."""
    n, m = score.shape
    if n > m:
        return best_total(score.T, minimum)
    return max(
        sum(score[i, j] - minimum for i, j in enumerate(pick) if score[i, j] >= minimum)
        for pick in itertools.permutations(range(m), n)
    )


def assigned(tables, minimum):
    """The pairs of several blocks, and what `assign` says of all of them at once."""
    first, second, score, at = [], [], [], (0, 0)
    for table in tables:
        rows, columns = np.indices(table.shape).reshape(2, -1)
        first.append(rows + at[0])
        second.append(columns + at[1])
        score.append(table.ravel())
        at = at[0] + table.shape[0], at[1] + table.shape[1]
    joined = [np.concatenate(part) for part in (first, second, score)]
    return joined, assign(*joined, minimum, at)


@given(
    st.lists(
        hnp.arrays(
            float, st.tuples(st.integers(1, 5), st.integers(1, 5)), elements=st.floats(0, 1, width=16)
        ),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from([0.1, 0.3, 0.6]),
    st.sampled_from([1, 20]),
)
@settings(deadline=None)
def test_assignment_is_one_to_one_allowed_and_the_best_there_is_in_every_block(tables, minimum, times):
    (first, second, score), (rows, columns) = assigned(tables * times, minimum)
    known = dict(zip(zip(first.tolist(), second.tolist(), strict=True), score.tolist(), strict=True))
    chosen = [known[pair] for pair in zip(rows.tolist(), columns.tolist(), strict=True)]
    assert len(set(rows.tolist())) == len(set(columns.tolist())) == len(rows)
    assert all(value >= minimum for value in chosen)
    assert sum(value - minimum for value in chosen) == pytest.approx(
        times * sum(best_total(table, minimum) for table in tables)
    )


@pytest.mark.parametrize("levels", [2, 5, 1000])
@pytest.mark.parametrize("seed", range(5))
def test_a_crowd_where_everybody_competes_gets_the_best_choice(seed, levels):
    rng = np.random.default_rng(seed)
    table = rng.integers(0, levels, (90, 70)) / levels * (rng.random((90, 70)) < 0.3)
    (_, _, _), (rows, columns) = assigned([table], 0.25)
    gain = np.where(table >= 0.25, table - 0.25, 0)
    best, _, _ = lap.lapjv(-gain, extend_cost=True)
    assert len(set(rows.tolist())) == len(set(columns.tolist())) == len(rows)
    assert (table[rows, columns] >= 0.25).all()
    assert gain[rows, columns].sum() == pytest.approx(-best)


def test_what_a_block_gets_does_not_depend_on_the_others():
    rng = np.random.default_rng(3)
    tables = [rng.random((9, 8)) for _ in range(60)]
    _, (rows, columns) = assigned(tables, 0.3)
    together = set(zip(rows.tolist(), columns.tolist(), strict=True))
    for number, table in enumerate(tables):
        _, (rows, columns) = assigned([table], 0.3)
        assert (
            set(zip((rows + 9 * number).tolist(), (columns + 8 * number).tolist(), strict=True)) <= together
        )


def test_nothing_to_assign():
    none = np.empty(0, np.intp)
    assert [len(side) for side in assign(none, none, np.empty(0), 0.1, (0, 0))] == [0, 0]


def test_no_overlap_is_never_a_match_even_without_a_minimum():
    (_, _, _), (rows, _) = assigned([np.zeros((2, 2))], 0.0)
    assert len(rows) == 0


@pytest.mark.parametrize("count", [5, 200])
@pytest.mark.parametrize("margin", [0.0, 0.3])
def test_all_that_meet_in_their_block_are_neighbours(count, margin):
    rng = np.random.default_rng(count)
    boxes = np.vstack([rng.uniform(-100, 3000, (2, count)), rng.uniform(1, 90, (2, count))])
    boxes[0, :3] = 1e30, -1e30, 5e6
    block = rng.integers(-1, 3, count) * 2**45 + rng.integers(0, 2, count)
    pairs = set(zip(*(side.tolist() for side in nearby(boxes, block, boxes, block, margin)), strict=True))
    for i, j in itertools.product(range(count), repeat=2):
        meet = abs(boxes[0, i] - boxes[0, j]) < (boxes[2, i] + boxes[2, j]) * (0.5 + margin)
        if block[i] != block[j]:
            assert (i, j) not in pairs
        elif meet:
            assert (i, j) in pairs
    assert count < 100 or len(pairs) < count * count / 8, "most are not even looked at"
