"""Things that several users have under one name."""

import threading

import pytest

from headrace.elements.inference.model_slot import ModelSlot
from headrace.errors import ConfigError
from headrace.infer import Detector, InferOptions
from headrace.infer.sharing import Shared
from headrace.meta import Detections


def test_the_first_makes_and_the_last_gets_it_back():
    shared, made = Shared("shared-model"), []

    def make():
        made.append(object())
        return made[-1]

    assert shared.take("a", {}, make) is shared.take("a", {}, make)
    assert shared.take("b", {}, make) is made[1]
    assert shared.give_back("a") is None
    assert shared.give_back("a") is made[0]
    shared.take("a", {"other": 1}, make)
    assert len(made) == 3


def test_one_name_stands_for_one_thing():
    shared = Shared("shared-model")
    shared.take("cars", InferOptions(model="a.onnx", confidence=0.3), object)
    with pytest.raises(ConfigError) as error:
        shared.take("cars", InferOptions(model="b.onnx", confidence=0.3), object)
    assert str(error.value) == (
        "shared-model=cars stands for a model with model='a.onnx' already; with model='b.onnx' it needs another "
        "name, or the same options"
    )
    assert shared.give_back("cars") is not None


def test_who_comes_meanwhile_waits():
    shared, go, got = Shared("shared-model"), threading.Event(), []

    def make():
        assert go.wait(60)
        return object()

    threads = [threading.Thread(target=lambda: got.append(shared.take("a", {}, make))) for _ in range(3)]
    for thread in threads:
        thread.start()
    go.set()
    for thread in threads:
        thread.join()
    assert len(set(map(id, got))) == 1


def test_what_could_not_be_made_can_be_tried_again():
    shared = Shared("shared-model")

    def fail():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        shared.take("a", {}, fail)
    assert shared.take("a", {"other": 1}, list) == []


def test_who_gives_a_model_back_while_the_last_user_closes_it_has_nothing_to_wait_for():
    class Nothing(Detector):
        def infer(self, frames):
            return [Detections.empty() for _ in frames]

    slot = ModelSlot(Nothing(), InferOptions())
    slot.close()
    slot.drain(60.0)
