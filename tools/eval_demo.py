"""Average precision of a detector on rendered scenes, through plain onnxruntime.

python tools/eval_demo.py [headrace/models/demo.onnx] [--seeds 1 6] [--frames 24]
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import onnxruntime as ort

from headrace.bench.score import average_precision, detection_score
from headrace.meta.detections import Detections
from headrace.source.sim import SCENES, SIM_LABELS, Scene, SceneOptions

HEIGHT, WIDTH = 384, 640


def network_input(image: np.ndarray) -> tuple[np.ndarray, float, float, float]:
    """Letterbox a BGR picture to ``(1, 3, HEIGHT, WIDTH)`` RGB in 0–1; with scale, left and top padding."""
    scale = min(WIDTH / image.shape[1], HEIGHT / image.shape[0])
    w, h = round(image.shape[1] * scale), round(image.shape[0] * scale)
    scaled = cv2.resize(image, (w, h), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    left, top = (WIDTH - w) // 2, (HEIGHT - h) // 2
    canvas = np.full((HEIGHT, WIDTH, 3), 114, np.uint8)
    canvas[top : top + h, left : left + w] = scaled
    planes = canvas[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32) / 255
    return np.ascontiguousarray(planes), scale, left, top


def decode(
    output: np.ndarray, scale: float, left: float, top: float, confidence: float = 0.05, nms: float = 0.6
) -> Detections:
    """Detections in the picture's pixels from one ``(4 + classes, anchors)`` output, NMS per class."""
    scores = output[4:].max(0)
    keep = scores >= confidence
    boxes, scores, class_id = output[:4, keep].T, scores[keep], output[4:, keep].argmax(0)
    corner = boxes[:, :2] - boxes[:, 2:] / 2
    rows = np.concatenate([corner, boxes[:, 2:]], 1).tolist()
    chosen = (
        list(cv2.dnn.NMSBoxesBatched(rows, scores.tolist(), class_id.tolist(), confidence, nms))
        if rows
        else []
    )
    xyxy = np.concatenate([corner, corner + boxes[:, 2:]], 1)[chosen]
    return Detections((xyxy - [left, top, left, top]) / scale, scores[chosen], class_id[chosen])


def evaluate(model: Path, seeds: range, frames: int, width: int, height: int) -> None:
    """Print the figures for each scene and for all together."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    everything: tuple[list, list] = ([], [])
    seconds = 0.0
    for name in SCENES:
        found, truths = [], []
        for seed in seeds:
            scene = Scene(SceneOptions(name, seed=seed, objects=16, width=width, height=height, frames=-1))
            for index in range(0, frames * 37, 37):
                image, truth = scene.render(index)
                tensor, scale, left, top = network_input(image)
                start = time.perf_counter()
                output = session.run(None, {"images": tensor})[0][0]
                seconds += time.perf_counter() - start
                found.append(decode(output, scale, left, top))
                truths.append(truth)
        report(name, found, truths)
        everything[0].extend(found)
        everything[1].extend(truths)
    report("all", *everything)
    print(f"{1000 * seconds / len(everything[0]):.1f} ms per frame of inference on one thread")


def report(name: str, found: list[Detections], truths: list) -> None:
    """Print one line of figures."""
    precision = average_precision(found, truths)
    score = detection_score([f[f.confidence >= 0.4] for f in found], truths)
    classes = "  ".join(f"{SIM_LABELS[k]} {v:.3f}" for k, v in precision.per_class.items())
    print(
        f"{name:10} AP50 {precision.mean:.3f}  ({classes})"
        f"  at 0.4: P {score.precision:.3f} R {score.recall:.3f}"
    )


def main() -> int:
    """Read the command line and evaluate."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, nargs="?", default=Path("headrace/models/demo.onnx"))
    parser.add_argument("--seeds", type=int, nargs=2, default=(1, 6), metavar=("FIRST", "LAST"))
    parser.add_argument("--frames", type=int, default=24, help="frames of each scene and seed")
    parser.add_argument("--size", type=int, nargs=2, default=(640, 360), metavar=("WIDTH", "HEIGHT"))
    options = parser.parse_args()
    evaluate(options.model, range(options.seeds[0], options.seeds[1] + 1), options.frames, *options.size)
    return 0


if __name__ == "__main__":
    sys.exit(main())
