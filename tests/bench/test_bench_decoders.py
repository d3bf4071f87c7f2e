"""The bench of decoders: every family has made-up outputs that it can read."""

import json

import pytest

from headrace.bench import decoders as bench
from headrace.bench.layouts import LAYOUTS
from headrace.bench.report import Report
from headrace.infer.decoders import BoxDecoder, DecodeOptions, known_decoders


def test_every_decoder_is_measured():
    assert set(LAYOUTS) == set(known_decoders())


@pytest.mark.parametrize("name", LAYOUTS)
def test_made_up_outputs_can_be_read(name):
    decoder, layout = known_decoders()[name], LAYOUTS[name]
    outputs, options = (
        bench.outputs_of(layout, 1),
        DecodeOptions(0.01, *layout.size, metadata=layout.metadata),
    )
    if isinstance(decoder, BoxDecoder):
        assert len(decoder.decode(outputs, options)) > 0
    else:
        assert len(decoder.results(outputs, options)) == 1


def test_costs_and_report(monkeypatch):
    few = {name: known_decoders()[name] for name in ("yolov8", "maskrcnn", "scrfd", "classifier")}
    monkeypatch.setattr(bench, "known_decoders", lambda: few)
    monkeypatch.setattr(bench, "_LEAST", 0.001)
    said = []
    costs = bench.decoder_costs([1, 2], repeats=1, progress=said.append)
    assert said == [f"decoder {name}" for name in sorted(few)]
    assert [(cost.decoder, cost.batch_size) for cost in costs] == [
        (n, b) for n in sorted(few) for b in (1, 2)
    ]
    found = {cost.decoder: cost.candidates for cost in costs}
    assert found["classifier"] == 0
    assert all(abs(found[name] - bench.CANDIDATES) <= 1 for name in ("yolov8", "maskrcnn", "scrfd"))
    assert all(cost.decode.median > 0 for cost in costs)
    report = Report({"CPU": "abacus"}, "headrace bench decoders", decoders=costs)
    assert "| scrfd " in report.text()
    assert "decode, batch 2" in report.text()
    assert json.loads(json.dumps(report.data()))["decoders"][0]["decoder"] == "classifier"
