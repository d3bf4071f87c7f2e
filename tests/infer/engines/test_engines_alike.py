"""What every engine does alike: batches, sizes, number types, errors, threads."""

import threading

import numpy as np
import pytest

from headrace.errors import ModelError
from headrace.infer.engines import run_batch
from headrace.infer.engines.base import settle


def pictures(count, size=32, dtype=np.float32):
    """Rows of one brightness each: 0.1, 0.2, …"""
    return np.stack([np.full((3, size, size), 0.1 * (i + 1), dtype) for i in range(count)])


def brightness(outputs):
    return outputs["output0"][:, 5, 3]


@pytest.mark.parametrize("batch", ["batch", 1, 2, 4], ids=str)
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_every_row_gets_its_own_result(make, batch, count):
    engine = make(batch=batch)
    assert engine.graph.inputs[0].shape == (None if batch == "batch" else batch, 3, 32, 32)
    outputs = run_batch(engine, pictures(count))
    assert {name: array.shape for name, array in outputs.items()} == {"output0": (count, 6, 21)}
    np.testing.assert_allclose(brightness(outputs), 0.1 * np.arange(1, count + 1), rtol=1e-5)
    np.testing.assert_array_equal(outputs["output0"][:, :4, 3], [[16, 12, 8, 4]] * count)


def test_tensors_and_metadata_are_told(make):
    engine = make(metadata={"names": "{0: 'a', 1: 'b'}"})
    assert engine.name == make.engine
    (taken,), (given,) = engine.graph.inputs, engine.graph.outputs
    assert str(taken) == "images float32[?, 3, 32, 32]"
    assert str(given) == "output0 float32[?, 6, 21]"
    assert engine.graph.metadata["names"] == "{0: 'a', 1: 'b'}"
    assert engine.graph.input_size() == (32, 32)
    assert engine.concurrency >= 1
    assert "\n" not in engine.description


def test_sixteen_bits_go_in(make):
    engine = make(half=True)
    assert engine.graph.inputs[0].dtype == "float16"
    found = brightness(run_batch(engine, pictures(3, dtype=np.float16)))
    np.testing.assert_allclose(found, [0.1, 0.2, 0.3], rtol=2e-3)


def test_a_graph_of_open_size_takes_the_size_asked_for(make):
    engine = make(size="side", input_size=(48, 48))
    assert engine.graph.inputs[0].shape[2:] in ((48, 48), (None, None))
    np.testing.assert_allclose(brightness(run_batch(engine, pictures(2, 48))), [0.1, 0.2], rtol=1e-5)


def test_wrong_input_says_what_the_model_takes(make):
    engine = make(batch=1)
    for array, shown in (
        (np.zeros((1, 3, 32, 32)), r"float64\[1, 3, 32, 32\]"),
        (np.zeros((1, 3, 32, 33), np.float32), r"float32\[1, 3, 32, 33\]"),
        (np.zeros((2, 3, 32, 32), np.float32), r"float32\[2, 3, 32, 32\]"),
        (np.zeros((3, 32, 32), np.float32), r"float32\[3, 32, 32\]"),
    ):
        with pytest.raises(
            ModelError, match=rf"given images {shown}; it takes images float32\[1, 3, 32, 32\]"
        ):
            engine.run({"images": array})
    with pytest.raises(ModelError, match=r"given pixels float32\[1, 3, 32, 32\]; it takes images"):
        engine.run({"pixels": pictures(1)})
    with pytest.raises(ModelError, match="given nothing; it takes images"):
        engine.run({})
    np.testing.assert_allclose(brightness(engine.run({"images": pictures(1)})), [0.1], rtol=1e-5)


def test_a_closed_engine_says_so(make):
    engine = make()
    engine.close()
    engine.close()
    with pytest.raises(ModelError, match=r"tiny\.\w+ is closed; load it again"):
        engine.run({"images": pictures(1)})


def test_a_corrupt_or_cut_file_is_named_with_a_remedy(make, tmp_path):
    from headrace.infer.engines import open_engine

    whole = make.write(tmp_path)
    broken, cut = whole.with_stem("broken"), whole.with_stem("cut")
    broken.write_bytes(b"this is no model" * 50)
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    for path in (broken, cut):
        with pytest.raises(ModelError, match=r"cannot be loaded by .*copy the file again") as caught:
            open_engine(path, make.engine)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_results_are_the_callers_own(make):
    engine = make()
    first = engine.run({"images": pictures(1)})["output0"]
    kept = first.copy()
    engine.run({"images": pictures(1) * 2})
    np.testing.assert_array_equal(first, kept)
    first[:] = 7
    np.testing.assert_allclose(brightness(engine.run({"images": pictures(1)})), [0.1], rtol=1e-5)


@pytest.mark.parametrize("batch", ["batch", 1], ids=str)
def test_many_threads_get_their_own_results(make, batch):
    engine, wrong, done = make(batch=batch), [], []

    def work(number):
        level = np.float32(0.01 * (number + 1))
        for _ in range(10):
            found = brightness(run_batch(engine, np.full((2, 3, 32, 32), level)))
            if not np.allclose(found, level, rtol=1e-4):
                wrong.append((number, found))
        done.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(done) == 12


def test_an_engine_closed_during_runs_ends_them_with_results_or_an_error(make):
    engine, odd = make(), []

    def work():
        try:
            while True:
                if not np.allclose(brightness(engine.run({"images": pictures(2)})), [0.1, 0.2], rtol=1e-4):
                    odd.append("wrong")
        except ModelError as error:
            if "closed" not in str(error):
                odd.append(str(error))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    engine.run({"images": pictures(1)})
    engine.close()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert not odd


MODES = [
    ("auto", True, 1, "latency"),
    ("auto", True, 2, "throughput"),
    ("auto", False, 1, "throughput"),
    ("latency", False, 8, "latency"),
    ("throughput", True, 1, "throughput"),
]


@pytest.mark.parametrize(("asked", "live", "pictures_each", "mode"), MODES)
def test_the_mode_is_chosen_by_source_and_batch_once_and_for_all(make, asked, live, pictures_each, mode):
    engine = make(mode=asked, threads=2)
    settle(engine, live, pictures_each)
    if make.engine == "torch":  # has one mode
        assert engine.concurrency == 1
        return
    assert (engine.mode, engine.concurrency) == (mode, 2 if mode == "throughput" else 1)
    for live in (False, True):
        settle(engine, live, 1)
        assert engine.mode == mode
        np.testing.assert_allclose(brightness(run_batch(engine, pictures(3))), [0.1, 0.2, 0.3], rtol=1e-5)


def test_an_engine_of_one_thread_has_one_mode(make):
    engine = make(threads=1)
    settle(engine, live=False, pictures=8)
    assert (engine.concurrency, engine.rows) == (1, None)
