"""Writing the tree: what is there stays, everything else is made."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from headrace.assets import models, texts
from headrace.assets.encoding import CODECS, codec_of, missing_encoder
from headrace.assets.streams import CLIPS, FOLDER, Clip, pictures, sounds
from headrace.errors import ConfigError, HeadraceError

Tell = Callable[[str], None]


def write_assets(
    folder: Path, seconds: float = 10.0, force: bool = False, tell: Tell = lambda _line: None
) -> None:
    """Write the tree that stands for DeepStream's installation.

    Clips are rendered by other processes, one for each processor.

    Args:
        folder: Where; made if it does not exist.
        seconds: Length of the clips.
        force: Write what is there already, too.
        tell: Gets a line for what was written.

    Raises:
        ConfigError: The folder cannot be written.
        HeadraceError: Clips could not be made; the rest is there.
    """
    new = _write_files(folder, texts.files(), force)
    if new:
        tell(f"{len(new)} labels, configurations and other texts")
    for place in _write_files(folder, models.files() | pictures() | sounds(), force):
        tell(place)
    problems = list(_write_clips(folder / FOLDER, seconds, force, tell))
    if problems:
        raise HeadraceError("; ".join(problems))


def _write_files(folder: Path, files: Mapping[str, Callable[[], bytes]], force: bool) -> list[str]:
    """Make the files that are missing; returns which."""
    wanted = [place for place in files if force or not (folder / place).exists()]
    for place in wanted:
        _write(folder / place, files[place]())
    return wanted


def _write(path: Path, content: bytes) -> None:
    """Write a file so that it is either whole or not there."""
    partial = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise ConfigError(f"{error.filename or path} cannot be written: {error.strerror}") from error


def _write_clips(folder: Path, seconds: float, force: bool, tell: Tell) -> Iterator[str]:
    """Make the clips that are missing, side by side; yields what went wrong."""
    unable = {codec: reason for codec in CODECS if (reason := missing_encoder(codec))}
    if "h264" in unable:
        raise HeadraceError(unable["h264"])
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        jobs = {}
        for clip in CLIPS:
            wanted = [name for name in clip.files if force or not (folder / name).exists()]
            for name in wanted:
                if codec_of(name) in unable:
                    tell(f"{FOLDER}/{name} is left out: {unable[codec_of(name)]}")
            names = [name for name in wanted if codec_of(name) not in unable]
            if names:
                jobs[pool.submit(_encode, clip, folder, seconds, names)] = names
        for job in as_completed(jobs):
            if problem := job.result():
                yield problem
            else:
                for name in jobs[job]:
                    tell(f"{FOLDER}/{name}")


def _encode(clip: Clip, folder: Path, seconds: float, names: list[str]) -> str:
    """Make some files of a clip in a process of their own; returns what went wrong."""
    command = [sys.executable, "-m", "headrace.assets.encoding", clip.name, str(folder), str(seconds), *names]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    lines = done.stderr.strip().splitlines()
    return lines[-1] if lines else f"clip {clip.name}: the encoding process ended with code {done.returncode}"
