"""Invariants of the object table against a plain list model."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.meta import objects
from headrace.meta.objects import ATTACHED, DEFAULT_BORDER, OBJECT_ROW, UNTRACKED, ObjectTable
from headrace.meta.osd import TextParams
from headrace.meta.user import ClassifierMetadata, Label, UserMetadata

Row = dict[str, Any]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 90), st.integers(-1, 3)),
        st.tuples(st.just("remove"), st.integers(0, 10_000), st.just(0)),
        st.tuples(st.just("fork"), st.just(0), st.just(0)),
        st.tuples(st.just("select"), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("parent"), st.integers(0, 10_000), st.integers(0, 10_000)),
        st.tuples(st.just("text"), st.integers(0, 10_000), st.just(0)),
    ),
    max_size=25,
)


def check(table: ObjectTable, model: list[Row]) -> None:
    assert len(table) == len(model)
    for name in ("class_id", "frame", "parent", "state"):
        assert table.column(name).tolist() == [row[name] for row in model]
    assert table.column("label").tolist() == [row["label"] for row in model]
    assert {r: t.display_text for r, t in table.texts.items()} == {
        i: row["text"] for i, row in enumerate(model) if row["text"] is not None
    }
    for frame in range(-1, 4):
        listed = [i for i, row in enumerate(model) if row["frame"] == frame and row["state"] == ATTACHED]
        assert table.rows_of(frame).tolist() == listed


def added(count: int, frame: int, start: int) -> list[Row]:
    state = ATTACHED if frame >= 0 else objects.ACQUIRED
    return [
        {
            "class_id": start + i,
            "frame": frame,
            "parent": -1,
            "state": state,
            "label": f"n{start + i}",
            "text": None,
        }
        for i in range(count)
    ]


@settings(max_examples=150)
@given(STEPS)
def test_the_table_behaves_like_a_list(steps: list[tuple[str, int, int]]) -> None:
    table, model, serial = ObjectTable(), [], 0
    kept: list[tuple[ObjectTable, list[Row]]] = []
    for what, one, two in steps:
        if what == "add":
            new = added(one, two, serial)
            columns: Row = {
                "class_id": [row["class_id"] for row in new],
                "label": [row["label"] for row in new],
            }
            if two >= 0:
                columns["frame"] = two
            assert table.add(one, **columns) == slice(len(model), len(model) + one)
            model += new
            serial += one
        elif what == "remove" and model:
            table.remove(one % len(model))
            model[one % len(model)]["state"] = objects.REMOVED
        elif what == "parent" and model:
            table.set_cell("parent", one % len(model), two % len(model))
            model[one % len(model)]["parent"] = two % len(model)
        elif what == "text" and model:
            table.texts[one % len(model)] = TextParams(f"t{one}")
            model[one % len(model)]["text"] = f"t{one}"
        elif what == "fork":
            kept.append((table, [dict(row) for row in model]))
            table = table.fork()
        elif what == "select":
            rows = table.rows_of(one)
            kept.append((table, [dict(row) for row in model]))
            table = table.select(rows)
            place = {old: new for new, old in enumerate(rows.tolist())}
            model = [{**model[old], "parent": place.get(model[old]["parent"], -1)} for old in rows.tolist()]
        check(table, model)
    for before, copy in kept:
        check(before, copy)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 200), st.booleans()), min_size=1, max_size=12))
def test_recycled_storage_is_never_seen_through_a_held_view(sizes: list[tuple[int, bool]]) -> None:
    held: list[tuple[np.ndarray[Any, Any], list[int]]] = []
    for serial, (size, hold) in enumerate(sizes):
        table = ObjectTable()
        table.add(size, frame=0, class_id=serial, label="x")
        if hold:
            held.append((table.column("class_id"), [serial] * size))
            held.append((table.cell("rect", 0), [0.0] * 4))
        del table
    fresh = [ObjectTable() for _ in range(len(sizes) + 2)]
    for table in fresh:
        table.add(64, frame=0, class_id=-7, rect=[[9, 9, 9, 9]])
    for view, values in held:
        assert view.tolist() == values


def test_storage_is_recycled_when_nobody_looks() -> None:
    gc.collect()
    objects._pool.clear()
    table = ObjectTable()
    table.add(3)
    del table
    assert len(objects._pool) == 1
    again = ObjectTable()
    assert objects._pool == []
    assert len(again) == 0


def test_two_threads_may_take_the_last_storage_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    class Taken(list[Any]):
        """One that another thread empties at the moment of a look at it."""

        def __bool__(self) -> bool:
            self.clear()
            return True

    monkeypatch.setattr(objects, "_pool", Taken([np.empty(64, objects.OBJECT_ROW)]))
    assert len(ObjectTable()) == 0


def test_huge_tables_are_not_kept() -> None:
    objects._pool.clear()
    table = ObjectTable()
    table.add(100_000)
    del table
    assert objects._pool == []


def test_new_rows_have_defaults_even_in_recycled_storage() -> None:
    for _ in range(2):
        table = ObjectTable()
        table.add(2, frame=1, class_id=5, confidence=0.5, object_id=3, label="old", rect=[[1, 2, 3, 4]] * 2)
        del table
    row = ObjectTable()
    row.add(1)
    expected = {
        "frame": -1,
        "parent": -1,
        "object_id": UNTRACKED,
        "border_width": DEFAULT_BORDER,
        "label": "",
    }
    for name in OBJECT_ROW.names or ():
        value = row.cell(name, 0)
        assert np.all(value == expected.get(name, 0)), name


def test_growing_moves_storage_but_not_rows() -> None:
    table = ObjectTable()
    table.add(1, class_id=7)
    before = table.column("class_id")
    table.add(5000, class_id=1)
    assert table.column("class_id")[0] == 7
    table.set_cell("class_id", 0, 9)
    assert before.tolist() == [7]


def test_a_fork_shares_nothing_that_can_be_written() -> None:
    table = ObjectTable()
    table.add(1, frame=0)
    table.classifiers[0] = [ClassifierMetadata(4, "colour", [Label("red")])]
    table.user[0] = [UserMetadata(9000, "data")]
    table.texts[0] = TextParams("old")
    for copy in (table.fork(), table.select(np.array([0]))):
        copy.classifiers[0][0].labels[0].label = "blue"
        copy.classifiers[0].append(ClassifierMetadata(5))
        copy.user[0][0].data = "other"
        copy.texts[0].display_text = "new"
        copy.column("frame")[:] = 3
    assert [label.label for label in table.classifiers[0][0].labels] == ["red"]
    assert len(table.classifiers[0]) == 1
    assert (table.user[0][0].data, table.texts[0].display_text, table.cell("frame", 0)) == ("data", "old", 0)


def test_an_unknown_column_is_refused() -> None:
    with pytest.raises(ValueError, match="colour"):
        ObjectTable().add(1, colour=3)
