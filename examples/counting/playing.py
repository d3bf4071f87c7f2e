"""What the three examples share: scene, detector, tracker, rules, and a file with the events."""

import json
from pathlib import Path

import headrace
from headrace import Pipeline

HERE = Path(__file__).parent
DETECTOR = Path(headrace.__file__).parent / "models" / "demo.onnx"


def play(rules, scene, out):
    """Play a scene to its end and give the events; they are appended to the file ``out``, too, one message a line."""
    seen = Path(out).stat().st_size if Path(out).exists() else 0
    pipeline = Pipeline("counting")
    pipeline.add("hrsimsrc", "scene", {"scene": scene})
    pipeline.add("nvstreammux", "mux", {"batch-size": 1})
    pipeline.add("hrinfer", "detector", {"model": str(DETECTOR)})
    pipeline.add("nvtracker", "tracker")
    pipeline.add("hranalytics", "rules", {"config-file-path": str(HERE / rules)})
    pipeline.add("nvmsgconv", "converter", {"payload-type": 1})
    pipeline.add("nvmsgbroker", "broker", {"proto-lib": "file", "conn-str": str(out), "sync": False})
    pipeline.link(("scene", "mux"), ("", "sink_%u"))
    pipeline.link("mux", "detector", "tracker", "rules", "converter", "broker")
    pipeline.start().wait()
    with open(out, encoding="utf-8") as file:
        file.seek(seen)
        return [json.loads(line)["event"] for line in file]
