"""Ultralytics' predict and track with its onnxruntime and OpenVINO back ends."""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("YOLO_OFFLINE", "1")
from plain import job
from ultralytics import YOLO

work, done = job()
folder = Path(tempfile.mkdtemp())
model = work["model"]
if work["way"] != "onnx":
    import onnx
    import openvino

    target = folder / "bench_openvino_model"
    target.mkdir()
    openvino.save_model(openvino.convert_model(model), target / "bench.xml", compress_to_fp16=False)
    known = {one.key: one.value for one in onnx.load(model).metadata_props}
    lines = [f"{key}: {known[key]}" for key in ("stride", "task", "imgsz", "names")]
    (target / "metadata.yaml").write_text("\n".join([*lines, "batch: 1", "args: {dynamic: true}"]))
    model = str(target)
source = work["clip"]
if work["streams"] > 1:
    source = folder / "all.streams"
    source.write_text("\n".join([work["clip"]] * work["streams"]))
call = (
    YOLO(model, task="detect").track
    if work["way"] == "openvino, track"
    else YOLO(model, task="detect").predict
)
settings = {
    "imgsz": work["size"][::-1],
    "stream": True,
    "stream_buffer": True,
    "verbose": False,
    "device": "cpu",
}
for _ in call(str(source), **settings):
    done()
