"""Ask a vision-language model about what crosses a synthetic crossroad: python run.py BASE_URL MODEL [FRAMES]."""

import json
import sys
from pathlib import Path

import headrace
from headrace import Pipeline

HERE = Path(__file__).parent
DETECTOR = Path(headrace.__file__).parent / "models" / "demo.onnx"


def show(_element, text):
    """Print an answer; called on a thread of hrvlm's own."""
    result = json.loads(text)
    answer = result["data"]
    print(f"{result['label']} {result['object_id']}: {answer['looks']}, {answer['does']}", flush=True)


def main(base_url, model, frames):
    pipeline = Pipeline("vlm")
    scene = f"sim://crossroad?seed=1&width=640&height=360&frames={frames}"
    pipeline.add("hrsimsrc", "scene", {"scene": scene, "is-live": True})
    pipeline.add("nvstreammux", "mux", {"batch-size": 1})
    pipeline.add("hrinfer", "detector", {"model": str(DETECTOR)})
    pipeline.add("nvtracker", "tracker")
    questions = {"config-file-path": str(HERE / "questions.yaml"), "base-url": base_url, "model": model}
    pipeline.add("hrvlm", "vlm", questions)
    pipeline.add("fakesink", "sink", {"sync": False})
    pipeline.link(("scene", "mux"), ("", "sink_%u"))
    pipeline.link("mux", "detector", "tracker", "vlm", "sink")
    pipeline["vlm"].element.connect("vlm-result", show)
    pipeline.start().wait()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 600)
