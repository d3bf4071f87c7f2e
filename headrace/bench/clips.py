"""The clips that speed is measured with: rendered scenes, kept for the next time."""

from __future__ import annotations

from pathlib import Path

from headrace.assets.encoding import encode
from headrace.assets.streams import Clip
from headrace.infer.engines.cache import cache_folder


def bench_clip(
    folder: Path | None = None, seconds: int = 60, size: tuple[int, int] = (1920, 1080), kbits: int = 5000
) -> Path:
    """A clip in H.264, 30 frames a second: a street crossing with some twenty objects that move, and sensor noise.

    Args:
        folder: Where clips are kept, made if need be; ``None``: the user's cache. One that is there is not
            rendered again.
        seconds: How long it is.
        size: Width and height in pixels.
        kbits: Rate in kbit/s of 1920x1080, as hard to decode as a camera's; smaller ones have less in proportion.
            0: what good quality takes.

    Returns:
        The file, an MP4.

    Raises:
        PipelineError: No encoder is installed, or the file cannot be written.
    """
    folder = cache_folder("bench") if folder is None else folder
    folder.mkdir(parents=True, exist_ok=True)
    width, height = size
    rate = max(kbits * width * height // (1920 * 1080), 100) if kbits else 0
    name = f"crossroad_{width}x{height}_{seconds}s_{rate}k_h264.mp4"
    if not (folder / name).exists():
        encode(Clip("bench", "crossroad", 21, size, (name,), 20), folder, seconds, [name], rate)
    return folder / name
