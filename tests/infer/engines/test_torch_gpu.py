"""The torch engine on a GPU: right results, CUDA graphs, tensors that stay, flat memory.

On a machine without GStreamer: ``pytest -m gpu --confcutdir tests/infer/engines tests/infer/engines``.
"""

import gc
import threading

import numpy as np
import pytest
from engine_models import pt2, script, torchscript

from headrace.errors import ModelError
from headrace.infer.engines import EngineOptions, open_engine, run_batch

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device"),
]
F32 = {"rtol": 2e-2, "atol": 2e-3}  # convolutions compute in TF32 there
F16 = {"rtol": 3e-2, "atol": 1e-2}


class Net(torch.nn.Module):
    """Convolutions, a view that needs contiguous memory, a matrix product, two outputs."""

    def __init__(self, rows=None):
        super().__init__()
        torch.manual_seed(3)
        layers = [torch.nn.Conv2d(3, 16, 3, 2, 1), torch.nn.BatchNorm2d(16), torch.nn.SiLU()]
        layers += [torch.nn.Conv2d(16, 16, 3, 2, 1), torch.nn.SiLU()]
        self.stem, self.head = torch.nn.Sequential(*layers), torch.nn.Linear(16 * 8 * 8, 7)
        self.rows = rows

    def forward(self, images):
        maps = self.stem(images)
        rows = images.shape[0] if self.rows is None else self.rows
        return self.head(maps.view(rows, -1)), maps


class Choosing(torch.nn.Module):
    """Looks at values while it runs."""

    def forward(self, images):
        sums = images.mean((1, 2, 3))
        if bool((sums > 100).any()):
            return -sums[:, None]
        return sums[:, None]


@pytest.fixture(params=["torchscript", "pt2"])
def path(request, tmp_path):
    example = torch.zeros(2, 3, 32, 32)
    if request.param == "torchscript":
        return script(tmp_path / "net.torchscript", Net().eval(), example, {"imgsz": [32, 32]})
    axes = {"images": {0: torch.export.Dim("batch")}}
    torch.export.save(
        torch.export.export(Net().eval(), (example,), dynamic_shapes=axes), tmp_path / "net.pt2"
    )
    return tmp_path / "net.pt2"


def noise(rows, seed=0):
    return np.random.default_rng(seed).random((rows, 3, 32, 32), np.float32)


def opened(path, **options):
    return open_engine(path, "torch", EngineOptions(**options))


@pytest.mark.parametrize(
    ("precision", "near"), [("f32", F32), ("f16", F16), ("bf16", {"rtol": 0.1, "atol": 0.05})]
)
def test_results_are_those_of_the_processor(path, precision, near):
    gpu, cpu = opened(path, precision=precision), opened(path, device="cpu")
    assert gpu.description.endswith(f"on cuda:0, {precision}, CUDA graphs")
    assert [spec.shape for spec in gpu.graph.outputs] == [spec.shape for spec in cpu.graph.outputs]
    assert [spec.dtype for spec in gpu.graph.outputs] == ["float32", "float32"]
    for rows in (1, 2, 3, 5, 8, 9):
        ours, theirs = run_batch(gpu, noise(rows, rows)), run_batch(cpu, noise(rows, rows))
        for name, array in theirs.items():
            assert isinstance(ours[name], np.ndarray)
            np.testing.assert_allclose(ours[name], array, **near)
    assert gpu.description.endswith("CUDA graphs")


def test_auto_takes_the_gpu_in_16_bits(path):
    assert open_engine(path).description.endswith("on cuda:0, f16, CUDA graphs")
    assert opened(path, device="cuda:0", precision="f32").description.endswith("on cuda:0, f32, CUDA graphs")


def test_tensors_stay_on_the_device(path):
    engine = opened(path, precision="f32")
    given = torch.from_numpy(noise(3)).cuda()
    outputs = run_batch(engine, given)
    assert {(type(t), str(t.device), t.dtype) for t in outputs.values()} == {
        (torch.Tensor, "cuda:0", torch.float32)
    }
    for name, array in run_batch(engine, noise(3)).items():
        np.testing.assert_allclose(outputs[name].cpu(), array, rtol=1e-5, atol=1e-6)
    from_host = run_batch(engine, torch.from_numpy(noise(3)))
    assert {str(t.device) for t in from_host.values()} == {"cuda:0"}


def test_a_fixed_batch_runs_in_slices_on_the_device(tmp_path):
    module = Net(rows=2).eval()
    path = script(
        tmp_path / "two.torchscript", module, torch.zeros(2, 3, 32, 32), {"imgsz": [32, 32], "batch": 2}
    )
    engine = opened(path, precision="f32")
    assert engine.graph.inputs[0].shape == (2, 3, 32, 32)
    outputs = run_batch(engine, torch.from_numpy(noise(5)).cuda())
    with torch.no_grad():
        wanted = torch.cat(
            [module(torch.from_numpy(noise(5)[at : at + 1]).repeat(2, 1, 1, 1))[0][:1] for at in range(5)]
        )
    np.testing.assert_allclose(outputs["output0"].cpu(), wanted, **F32)


def test_results_are_the_callers_own(path):
    engine = opened(path)
    first = run_batch(engine, torch.from_numpy(noise(4)).cuda())
    kept = {name: tensor.clone() for name, tensor in first.items()}
    for seed in range(5):
        run_batch(engine, torch.from_numpy(noise(4, seed + 7)).cuda())
    for name, tensor in first.items():
        assert torch.equal(tensor, kept[name])


def test_many_threads_on_streams_of_their_own_get_their_own_results(path):
    engine, wrong, done = opened(path, precision="f32"), [], []
    wanted = {seed: run_batch(engine, noise(1 + seed % 4, seed))["output0"] for seed in range(8)}

    def work(seed):
        with torch.cuda.stream(torch.cuda.Stream()):
            given = torch.from_numpy(noise(1 + seed % 4, seed)).cuda()
            for _ in range(50):
                found = run_batch(engine, given)["output0"].cpu().numpy()
                if not np.allclose(found, wanted[seed], rtol=1e-3, atol=1e-4):
                    wrong.append(seed)
        done.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert sorted(done) == sorted(wanted)


def test_a_model_that_looks_at_values_runs_without_a_graph(tmp_path):
    path = tmp_path / "choosing.torchscript"
    torch.jit.save(torch.jit.script(Choosing()), path, _extra_files={"config.txt": '{"imgsz": [32, 32]}'})
    engine = opened(path, precision="f32")
    for level, sign in ((1, 1), (200, -1), (1, 1)):
        (output,) = run_batch(engine, np.full((3, 3, 32, 32), level, np.float32)).values()
        np.testing.assert_allclose(output, np.full((3, 1), sign * level), rtol=1e-3)
    assert "CUDA graphs" not in engine.description
    other = opened(torchscript(tmp_path), precision="f32")  # the device is well
    np.testing.assert_allclose(
        run_batch(other, noise(2))["output0"][:, 5, 3], noise(2).mean((1, 2, 3)), rtol=1e-2
    )


def test_sixteen_bits_go_in(tmp_path):
    for path in (torchscript(tmp_path, half=True), pt2(tmp_path, half=True)):
        engine = opened(path)
        assert engine.graph.inputs[0].dtype == "float16"
        found = run_batch(engine, np.full((3, 3, 32, 32), 0.5, np.float16))["output0"][:, 5, 3]
        np.testing.assert_allclose(found, 0.5, rtol=2e-3)


def sums(outputs):
    return outputs[0].float().sum(1)


@pytest.mark.parametrize("finish", [None, sums])
def test_a_slots_input_is_filled_in_place(path, finish):
    engine = opened(path)
    assert (engine.device, engine.concurrency) == ((2, 0), 2)
    for rows in (3, 1, 3, 8):
        wanted = run_batch(engine, noise(rows, rows))["output0"]
        with engine.slot(rows, (32, 32), finish) as slot:
            assert slot.input.shape[0] >= rows
            assert slot.input.dtype == torch.float16
            slot.input[:rows].copy_(torch.from_numpy(noise(rows, rows)))
            table = slot.run()
            found = slot.outputs()["output0"]
            assert found.shape == wanted.shape
            assert found.dtype == torch.float32
            np.testing.assert_allclose(found.cpu(), wanted, **F16)
            if finish is not None:
                np.testing.assert_allclose(table[:rows], wanted.sum(1), rtol=0.05, atol=0.05)
    assert engine.description.endswith("CUDA graphs")


def test_slots_of_several_threads_do_not_mix(path):
    engine, wrong = opened(path, precision="f32"), []
    inputs = {seed: torch.from_numpy(noise(1 + seed % 4, seed)).cuda() for seed in range(6)}
    wanted = {
        seed: run_batch(engine, given)["output0"].sum(1).cpu().numpy() for seed, given in inputs.items()
    }

    def work(seed):
        rows = len(inputs[seed])
        for _ in range(60):
            with engine.slot(rows, (32, 32), sums) as slot:
                slot.input[:rows].copy_(inputs[seed])
                if not np.allclose(slot.run()[:rows], wanted[seed], rtol=1e-2, atol=1e-2):
                    wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in inputs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_slot_of_a_model_that_looks_at_values(tmp_path):
    path = tmp_path / "choosing.torchscript"
    torch.jit.save(torch.jit.script(Choosing()), path, _extra_files={"config.txt": '{"imgsz": [32, 32]}'})
    engine = opened(path, precision="f32")
    for level, sign in ((1, 1), (200, -1), (1, 1)):
        with engine.slot(2, (32, 32), sums) as slot:
            slot.input.fill_(level)
            np.testing.assert_allclose(slot.run()[:2], [sign * level] * 2, rtol=1e-3)


def test_a_closed_engine_has_no_slots(path):
    engine = opened(path)
    engine.close()
    with pytest.raises(ModelError, match="closed"), engine.slot(1, (32, 32)):
        pass


def used():
    torch.cuda.synchronize()
    gc.collect()
    return torch.cuda.memory_allocated()


def test_memory_is_flat_and_freed_at_the_end(path):
    before = used()
    for _ in range(3):  # libraries keep workspaces from their first use on
        engine = opened(path)
        for rows in (1, 2, 3, 4, 7, 8, 16):
            run_batch(engine, torch.from_numpy(noise(rows)).cuda())
        warm = used()
        for turn in range(200):
            run_batch(engine, torch.from_numpy(noise(1 + turn % 16)).cuda())
        assert used() == warm
        engine.close()
        del engine
        after, before = used() - before, used()
    assert after <= 64 * 1024
