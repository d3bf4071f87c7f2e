"""The stand-in for the recognition of actions: what the detector finds, taken for what is going on."""

from __future__ import annotations

import numpy as np

from headrace.assets.detector import COVERAGE, INPUT, OPSET, SHAPE, detector_graph
from headrace.source.sim.truth import PERSON, TWO_WHEELER

#: Classes of the file, in the order of the label file.
ACTIONS = ("push", "fall_floor", "walk", "run", "ride_bike")
OUTPUT = "fc_pred"
#: Coverage that a cell needs to count; and how sharply the cells decide.
_LIMIT, _SLOPE = 0.3, 2.0


def action_classifier() -> bytes:
    """The ONNX file, with the detector's input: ``ride_bike`` where two-wheelers cover more than people, else ``walk``.

    Raises:
        ModelError: The demo model is missing or broken.
    """
    graph = detector_graph((PERSON, TWO_WHEELER))
    graph.trim([COVERAGE])
    limit = graph.constant("hr_limit", np.full(1, _LIMIT, np.float32))
    cells = graph.add("Relu", [graph.add("Sub", [COVERAGE, limit], "hr_above")], "hr_cells")
    axes = graph.constant("hr_axes", np.array([2, 3], np.int64))
    covered = graph.add("ReduceSum", [cells, axes], "hr_covered", keepdims=0)
    weights = np.zeros((2, len(ACTIONS)), np.float32)
    weights[0, ACTIONS.index("walk")] = weights[1, ACTIONS.index("ride_bike")] = _SLOPE
    # The others are never said; without anybody it is a walk, though hardly a sure one.
    bias = np.array([{"walk": 0.5, "ride_bike": 0.0}.get(name, -20.0) for name in ACTIONS], np.float32)
    constants = [graph.constant("hr_weights", weights), graph.constant("hr_bias", bias)]
    logits = graph.add("Gemm", [covered, *constants], "hr_logits_of_actions")
    graph.add("Softmax", [logits], OUTPUT, axis=1)
    description = "Says walk or ride_bike by what the detector finds"
    return graph.model({INPUT: SHAPE}, {OUTPUT: ("batch", len(ACTIONS))}, OPSET, description)
