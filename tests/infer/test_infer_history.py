"""What is remembered of tracked objects."""

import numpy as np

from headrace.infer.result import Result
from headrace.infer.targets.history import GROWTH, UNSEEN, ObjectHistory
from headrace.meta import Label


def words(history, source=0, number=7):
    return [label.label for label in history.known(source, number).labels or ()]


def test_an_object_is_looked_at_once_until_its_result_is_there():
    history = ObjectHistory(2)
    assert [history.due(0, 7, frame, 100) for frame in range(9)] == [True] + [False] * 8
    history.store(0, 7, Result(labels=[Label("red")]))
    assert history.due(0, 7, 9, 100)


def test_a_result_that_never_comes_is_not_waited_for():
    history = ObjectHistory(10**6)
    assert history.due(0, 7, 0, 100)
    assert not history.due(0, 7, UNSEEN, 100)
    assert history.due(0, 7, UNSEEN + 1, 100)


def test_growth_counts_from_the_last_look():
    history = ObjectHistory(1000)
    looks = []
    for frame, area in enumerate([100, 119, 100 * GROWTH, 121, 121 * GROWTH, 150, 50]):
        looks.append(history.due(0, 7, frame, area))
        history.store(0, 7, Result())
    assert looks == [True, False, False, True, False, True, False]


def test_outputs_that_say_nothing_keep_their_earlier_label():
    history = ObjectHistory(0)
    history.due(0, 7, 0, 100)
    history.store(0, 7, Result(labels=[Label("red", label_id=1), Label("bus", label_id=0)]))
    assert words(history) == ["bus", "red"]
    history.store(0, 7, Result(labels=[Label("blue", label_id=1)]))
    assert words(history) == ["bus", "blue"]


def test_unseen_objects_are_forgotten_and_sources_are_apart():
    history = ObjectHistory(1000)
    for source in (0, 1):
        history.due(source, 7, 0, 100)
        history.store(source, 7, Result(labels=[Label(f"source {source}")]))
    history.trim(0, UNSEEN)
    assert words(history) == ["source 0"]
    history.trim(0, UNSEEN + 1)
    assert words(history) == []
    assert words(history, 1) == ["source 1"]
    history.forget(1)
    assert words(history, 1) == []
    history.store(1, 7, Result(labels=[Label("late")]))  # a result that comes after its source has gone
    assert words(history, 1) == []


def test_embeddings_are_kept_too():
    history = ObjectHistory(5)
    assert history.due(0, 7, 0, 100)
    history.store(0, 7, Result(embedding=np.ones(3, np.float32)))
    history.store(0, 7, Result(labels=[Label("red")]))
    assert history.known(0, 7).embedding.tolist() == [1, 1, 1]
    assert history.known(0, 8) == Result()
