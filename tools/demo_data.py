"""Training frames for the demo detector, rendered by worker processes into one shared pool."""

from __future__ import annotations

import mmap
import multiprocessing as mp
import time
from dataclasses import dataclass

import cv2
import numpy as np

from headrace.source.sim import SCENES, Scene, SceneOptions, Truth

WIDTH, HEIGHT = 640, 384
GREY = 114
#: Most objects of one frame; the nearest are kept.
ROWS = 44
#: Seeds below are kept for tests, demos and evaluation and are never trained on.
FIRST_SEED = 1000
#: Frames rendered of one scene before the next is set up.
CHUNK = 32
_SIZES = (
    (640, 360),
    (640, 360),
    (640, 360),
    (960, 540),
    (1280, 720),
    (480, 270),
    (640, 480),
    (512, 384),
    (854, 480),
)


def letterbox(
    image: np.ndarray, width: int = WIDTH, height: int = HEIGHT
) -> tuple[np.ndarray, float, float, float]:
    """Fit a picture into the network's input on grey; returns it with scale and left, top padding."""
    scale = min(width / image.shape[1], height / image.shape[0])
    return _place(image, scale, width, height, 0.5, 0.5)


def _place(
    image: np.ndarray, scale: float, width: int, height: int, u: float, v: float
) -> tuple[np.ndarray, float, float, float]:
    """Scale a picture and lay it on grey, at share ``u, v`` of the room (or of what sticks out)."""
    w, h = max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1)
    method = cv2.INTER_AREA if scale < 0.75 else cv2.INTER_LINEAR
    scaled = (
        image
        if (w, h) == (image.shape[1], image.shape[0])
        else cv2.resize(image, (w, h), interpolation=method)
    )
    left, top = round((width - w) * u), round((height - h) * v)
    out = np.full((height, width, 3), GREY, np.uint8)
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + w, width), min(top + h, height)
    out[y0:y1, x0:x1] = scaled[y0 - top : y1 - top, x0 - left : x1 - left]
    return out, scale, float(left), float(top)


def labels(truth: Truth, scale: float, left: float, top: float) -> np.ndarray:
    """Rows ``(class, x0, y0, x1, y1, weight)``: weight 1 to learn, 0 to leave alone, class -1 for no row."""
    rows = np.full((ROWS, 6), -1, np.float32)
    boxes = truth.xyxy * scale + np.array([left, top, left, top], np.float32)
    low, high = np.array([0, 0], np.float32), np.array([WIDTH, HEIGHT], np.float32)
    clipped = np.concatenate([np.clip(boxes[:, :2], low, high), np.clip(boxes[:, 2:], low, high)], 1)
    sides, full = clipped[:, 2:] - clipped[:, :2], boxes[:, 2:] - boxes[:, :2]
    shown = sides.prod(1) / np.maximum(full.prod(1), 1e-6) * truth.visibility
    learn = (shown >= 0.3) & (sides.min(1, initial=1e9) >= 5)
    keep = np.flatnonzero(sides.min(1, initial=1e9) > 0)[-ROWS:]
    rows[: len(keep), 0] = truth.class_id[keep]
    rows[: len(keep), 1:5] = clipped[keep]
    rows[: len(keep), 5] = learn[keep]
    return rows


def random_scene(rng: np.random.Generator) -> Scene:
    """A scene with a seed that is free for training."""
    width, height = _SIZES[rng.integers(len(_SIZES))]
    return Scene(
        SceneOptions(
            scene=SCENES[rng.integers(len(SCENES))],
            seed=int(rng.integers(FIRST_SEED, 2**31 - 1)),
            objects=int(rng.integers(6, 32)),
            width=width,
            height=height,
            frames=-1,
            noise=float(rng.uniform(0, 9)),
            light=float(rng.uniform(0, 1)),
        )
    )


def training_frame(scene: Scene, index: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A frame, letterboxed or zoomed: ``(HEIGHT, WIDTH, 3)`` BGR and its label rows."""
    image, truth = scene.render(index)
    fit = min(WIDTH / image.shape[1], HEIGHT / image.shape[0])
    if rng.random() < 0.5:
        placed = _place(image, fit, WIDTH, HEIGHT, 0.5, 0.5)
    else:
        placed = _place(image, fit * 2 ** rng.uniform(-0.8, 0.7), WIDTH, HEIGHT, rng.random(), rng.random())
    if rng.random() < 0.15:
        placed = (cv2.GaussianBlur(placed[0], (3, 3), rng.uniform(0.4, 1.0)), *placed[1:])
    if rng.random() < 0.2:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(45, 95))]
        placed = (cv2.imdecode(cv2.imencode(".jpg", placed[0], quality)[1], cv2.IMREAD_COLOR), *placed[1:])
    return placed[0], labels(truth, *placed[1:])


@dataclass
class Pool:
    """Frames and labels in memory that the workers write and the trainer reads.

    A slot's state is 0 while it is free for its worker to fill, and 1 once it is filled.
    """

    frames: np.ndarray
    rows: np.ndarray
    state: np.ndarray
    workers: list[mp.Process]

    @classmethod
    def start(cls, slots: int, workers: int, seed: int) -> Pool:
        """Start rendering; each worker has an equal share of the slots."""
        frames = _shared((slots, HEIGHT, WIDTH, 3), np.uint8)
        rows = _shared((slots, ROWS, 6), np.float32)
        state = _shared((slots,), np.uint8)
        pool = cls(frames, rows, state, [])
        for k, share in enumerate(np.array_split(np.arange(slots), workers)):
            process = mp.get_context("fork").Process(target=_work, args=(pool, share, [seed, k]), daemon=True)
            process.start()
            pool.workers.append(process)
        return pool

    def ready(self, most: int = 256) -> np.ndarray:
        """Some filled slots of all workers; set their state to 0 once they are copied."""
        # A copy, because the workers go on writing.
        slots = np.flatnonzero(self.state.copy())
        return slots[:: max(len(slots) // most, 1)][:most]

    def stop(self) -> None:
        """End the workers."""
        for process in self.workers:
            process.terminate()


def _shared(shape: tuple[int, ...], kind: type) -> np.ndarray:
    count = int(np.prod(shape)) * np.dtype(kind).itemsize
    # Anonymous memory is shared with forked workers, and needs no room in /dev/shm.
    return np.frombuffer(mmap.mmap(-1, count), kind).reshape(shape)


def _work(pool: Pool, share: np.ndarray, seed: list[int]) -> None:
    cv2.setNumThreads(1)
    rng = np.random.default_rng(seed)
    at = 0
    while True:
        scene, index = random_scene(rng), int(rng.integers(0, 40_000))
        for _ in range(CHUNK):
            index += int(rng.integers(20, 60))
            while pool.state[share[at]]:
                time.sleep(0.01)
            pool.frames[share[at]], pool.rows[share[at]] = training_frame(scene, index, rng)
            pool.state[share[at]] = 1
            at = (at + 1) % len(share)
