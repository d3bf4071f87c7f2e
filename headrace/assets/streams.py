"""The clips and pictures below ``samples/streams``: rendered scenes under the documented names."""

from __future__ import annotations

import io
import math
import wave
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from headrace.assets.surface import surface
from headrace.source.sim import Scene, SceneOptions

FOLDER = "samples/streams"
FPS = 30


@dataclass(frozen=True)
class Clip:
    """A scene and the files that are made from it.

    Attributes:
        name: Of the clip, in messages.
        scene: Name of the scene.
        seed: Of the scene; the models were trained on others.
        size: Width and height in pixels.
        files: File names; the suffix says the container, ``h265`` in the name or as the suffix the codec.
        objects: About how many moving objects there are.
    """

    name: str
    scene: str
    seed: int
    size: tuple[int, int]
    files: tuple[str, ...]
    objects: int = 16

    def address(self, seconds: float) -> str:
        """The scene's ``sim://`` address."""
        options = self.options(seconds)
        size = f"width={options.width}&height={options.height}&fps={FPS}&frames={options.frames}"
        return f"sim://{self.scene}?seed={self.seed}&objects={self.objects}&{size}"

    def options(self, seconds: float) -> SceneOptions:
        """The scene of the wanted length."""
        width, height = self.size
        return SceneOptions(
            self.scene, self.seed, self.objects, width, height, FPS, frames=max(math.ceil(seconds * FPS), 1)
        )


#: Clips, the one that takes longest first.
CLIPS = (
    Clip("1080p", "crossroad", 21, (1920, 1080), ("sample_1080p_h264.mp4", "sample_1080p_h265.mp4"), 20),
    Clip("720p", "crossroad", 7, (1280, 720), ("sample_720p.h264", "sample_720p.mp4", "sample_720p.mjpeg")),
    Clip("cam6", "highway", 33, (1280, 720), ("sample_cam6.mp4",)),
    Clip("office", "plaza", 12, (1280, 720), ("sample_office.mp4",)),
    Clip("qHD", "crossroad", 58, (960, 540), ("sample_qHD.mp4", "sample_qHD.h264")),
    Clip("yoga", "plaza", 45, (960, 540), ("yoga.mp4",), 6),
    Clip("walk", "plaza", 33, (640, 360), ("sample_walk.mov",), 8),
    Clip("run", "plaza", 26, (640, 360), ("sample_run.mov",), 8),
    Clip("push", "plaza", 14, (640, 360), ("sample_push.mov",), 8),
    Clip("ride_bike", "plaza", 44, (640, 360), ("sample_ride_bike.mov",), 8),
)


def pictures() -> dict[str, Callable[[], bytes]]:
    """What makes each picture, by its place in the tree: frames of clips, and a surface with defects."""

    def frame(name: str) -> bytes:
        clip = next(clip for clip in CLIPS if clip.name == name)
        return _jpeg(Scene(clip.options(seconds=4)).render(60)[0])

    return {
        f"{FOLDER}/sample_720p.jpg": lambda: frame("720p"),
        f"{FOLDER}/yoga.jpg": lambda: frame("yoga"),
        f"{FOLDER}/sample_industrial.jpg": lambda: _jpeg(surface()[0]),
    }


def sounds() -> dict[str, Callable[[], bytes]]:
    """What makes each sound: two tones that come and go above noise, 48 kHz, one channel."""
    return {f"{FOLDER}/sonyc_mixed_audio.wav": _sound}


def _sound(seconds: int = 10, rate: int = 48_000) -> bytes:
    time = np.arange(seconds * rate) / rate
    noise = np.random.default_rng(1).normal(0, 0.05, len(time))
    siren = np.sin(2 * np.pi * (700 * time - 60 * np.cos(2 * np.pi * time))) * (time % 4 < 2)
    engine = np.sign(np.sin(2 * np.pi * 80 * time)) * (time % 3 < 1.5)
    samples = np.clip(noise + 0.3 * siren + 0.15 * engine, -1, 1) * 32767
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


def _jpeg(image: NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(".jpg", image)[1])
