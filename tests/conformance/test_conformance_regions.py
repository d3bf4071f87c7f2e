"""Whole programs in DeepStream's API, as separate processes: regions, sequences of frames, segmentations."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).resolve().parents[2]
RUN_APP = "from headrace.cli import main; main()"
WIDTH, HEIGHT, FRAMES = 64, 48, 12


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Black on the left, white on the right."""
    path = tmp_path_factory.mktemp("clip") / "halves.avi"
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[:, WIDTH // 2 :] = 255
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25, (WIDTH, HEIGHT))
    for _ in range(FRAMES):
        writer.write(picture)
    writer.release()
    return path.as_uri()


def write_brightness_model(path: Path, shape: list[int | str]) -> None:
    """Two classes, the second of which is as probable as the input is bright."""
    axes = list(range(1, len(shape)))
    nodes = [
        helper.make_node("ReduceMean", ["clip"], ["mean"], axes=axes, keepdims=0),
        helper.make_node("Reshape", ["mean", "column"], ["bright"]),
        helper.make_node("Sub", ["one", "bright"], ["dark"]),
        helper.make_node("Concat", ["dark", "bright"], ["prob"], axis=1),
    ]
    constants = [
        numpy_helper.from_array(np.array([-1, 1]), "column"),
        numpy_helper.from_array(np.array([[1]], np.float32), "one"),
    ]
    tensors = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, dims)
        for name, dims in (("clip", shape), ("prob", [shape[0], 2]))
    ]
    graph = helper.make_graph(nodes, "brightness", tensors[:1], tensors[1:], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))


def run(folder: Path, program: str, *words: str) -> list[str]:
    """Lines that the program printed."""
    (folder / "program.py").write_text(program)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-c", RUN_APP, "run-app", str(folder / "program.py"), *words]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


REGIONS = """[property]
target-unique-ids=3
network-input-shape={shape}
network-input-order={order}
processing-width=32
processing-height=32
tensor-name=clip
custom-lib-path=/opt/nvidia/deepstream/deepstream/lib/gst-plugins/libcustom2d_preprocess.so
custom-tensor-preparation-function={function}
[user-configs]
{user}
[group-0]
src-ids=0
process-on-roi=1
roi-params-src-0=0;0;32;48;32;0;32;48
"""
MODEL = """[property]
onnx-file=model.onnx
labelfile-path=labels.txt
network-type=1
gie-unique-id=3
batch-size=2
classifier-threshold=0.5
"""
LABELLER = """
import sys
from pyservicemaker import BatchMetadataOperator, Flow, Pipeline, Probe, RenderMode, osd

class Tell(BatchMetadataOperator):
    def handle_metadata(self, batch_meta):
        for user_meta in batch_meta.preprocess_batch_items:
            made = user_meta.as_preprocess_batch()
            if not made:
                continue
            for region in made.rois:
                for result in region.classifier_items:
                    for index in range(result.n_labels):
                        name = result.get_n_label(index)
                        text = osd.Text()
                        text.display_text = name.encode("ascii")
                        text.x_offset = int(region.roi.left)
                        display = batch_meta.acquire_display_meta()
                        display.add_text(text)
                        region.frame_meta.append(display)
                        print("label", region.frame_meta.frame_number, int(region.roi.left), name, flush=True)

uri, regions, model = sys.argv[1:]
flow = Flow(Pipeline("regions")).batch_capture([uri], width=64, height=48)
flow = flow.preprocess(regions, **{"target-unique-ids": "3"}).infer(model, input_tensor_meta=True)
flow.attach(what=Probe("tell", Tell())).render(RenderMode.DISCARD, enable_osd=False, sync=False)()
"""


@pytest.mark.parametrize(
    ("function", "order", "shape", "user", "first"),
    [
        ("CustomTensorPreparation", 0, [2, 3, 32, 32], "pixel-normalization-factor=0.0039", 0),
        (
            "CustomSequenceTensorPreparation",
            2,
            [2, 3, 4, 32, 32],
            "channel-scale-factors=0.0039;0.0039;0.0039\nchannel-mean-offsets=0;0;0\nstride=2",
            3,
        ),
    ],
)
def test_a_program_labels_regions(
    tmp_path: Path, clip: str, function: str, order: int, shape: list[int], user: str, first: int
) -> None:
    write_brightness_model(tmp_path / "model.onnx", ["n", *shape[1:]])
    (tmp_path / "labels.txt").write_text("dark;bright\n")
    (tmp_path / "model.txt").write_text(MODEL)
    text = REGIONS.format(shape=";".join(map(str, shape)), order=order, function=function, user=user)
    (tmp_path / "regions.txt").write_text(text)
    lines = run(tmp_path, LABELLER, clip, str(tmp_path / "regions.txt"), str(tmp_path / "model.txt"))
    told = [line.split()[1:] for line in lines if line.startswith("label")]
    numbers = range(first, FRAMES, 2 if first else 1)
    expected = [[str(n), left, name] for n in numbers for left, name in (("0", "dark"), ("32", "bright"))]
    assert told == expected


SEGMENTER = """
import sys
import numpy as np
from pyservicemaker import BatchMetadataOperator, BufferOperator, Pipeline, Probe

class Maps(BatchMetadataOperator):
    def handle_metadata(self, batch_meta):
        for frame_meta in batch_meta.frame_items:
            for user_meta in frame_meta.segmentation_items:
                found = user_meta.as_segmentation()
                if found:
                    classes = sorted(set(found.class_map.ravel().tolist()))
                    print("map", found.width, found.height, found.classes, classes)

class Pixels(BufferOperator):
    def handle_buffer(self, buffer):
        picture = np.from_dlpack(buffer.extract(0))
        print("pixels", picture.shape, picture[40, 10].max() < 20, np.ptp(picture[40, 80]) > 50, flush=True)
        return True

pipeline = Pipeline("segments")
pipeline.add("nvurisrcbin", "src", {"uri": sys.argv[1]})
pipeline.add("nvstreammux", "mux", {"batch-size": 1, "width": 64, "height": 48})
pipeline.add("nvinfer", "segmenter", {"config-file-path": sys.argv[2]})
pipeline.add("nvsegvisual", "colours", {"width": 96, "height": 80, "original-background": int(sys.argv[3])})
pipeline.add("fakesink", "sink", {"sync": False})
pipeline.link(("src", "mux"), ("", "sink_%u")).link("mux", "segmenter", "colours", "sink")
pipeline.attach("segmenter", Probe("maps", Maps())).attach("colours", Probe("pixels", Pixels()))
pipeline.start().wait()
"""


@pytest.mark.parametrize("background", [0, 1])
def test_a_program_sees_and_shows_segmentations(tmp_path: Path, clip: str, background: int) -> None:
    identity = helper.make_node("Identity", ["picture"], ["prob"])
    tensors = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", 3, 24, 32]) for n in ("picture", "prob")
    ]
    graph = helper.make_graph([identity], "channels", tensors[:1], tensors[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, str(tmp_path / "model.onnx"))
    (tmp_path / "model.txt").write_text(
        "[property]\nonnx-file=model.onnx\nnetwork-type=2\nnum-detected-classes=3\nnet-scale-factor=0.0039\n"
        "segmentation-threshold=0.5\n"
    )
    lines = run(tmp_path, SEGMENTER, clip, str(tmp_path / "model.txt"), str(background))
    maps = [line for line in lines if line.startswith("map")]
    assert len(maps) == FRAMES
    # Black is no class; of white it is up to the encoder's rounding which channel is the brightest.
    assert all(line.startswith("map 32 24 3 [-1, ") for line in maps)
    pixels = [line for line in lines if line.startswith("pixels")]
    assert len(pixels) == FRAMES
    assert set(pixels) == {"pixels (80, 96, 3) True True"}  # black on the left, a colour on the right
