"""Smart recording: the coded data of the last seconds is kept, and written to a file on demand."""

from __future__ import annotations

import datetime
import itertools
import os
import threading
import time
import weakref
from collections import deque
from pathlib import Path
from typing import Any, NamedTuple

from gi.repository import Gst

from headrace import paths
from headrace.elements.source.recording_file import RecordingFile
from headrace.errors import SourceError
from headrace.gst.recording import RecordingInfoStruct
from headrace.gst.structures import structure_of

#: Containers by the number of smart-rec-container; also the endings of the files.
_CONTAINERS = ("mp4", "mkv")
_MODES = (("video", "audio"), ("video",), ("audio",))
_NAME = "{prefix}_{session:05d}_{now:%Y%m%d-%H%M%S}_{process}.{ending}"
_sessions = itertools.count(1)
#: Seconds that the end of a source waits for its files: a process that ended before would leave them unreadable.
_PATIENCE = 10.0


class Entry(NamedTuple):
    """A coded frame: its track, its time in ns, and whether a file may begin with it."""

    track: str
    buffer: Gst.Buffer
    time: int
    key: bool


class Recorder:
    """Keeps what goes into a source's decoders and records it.

    A recording begins with a key frame, at or before the time that was asked for; it ends by itself.

    Args:
        owner: The source: options, errors, and `recorded`, which is called with each `RecordingInfoStruct`.
    """

    def __init__(self, owner: Any) -> None:
        self._owner = weakref.ref(owner)
        self._lock = threading.Lock()
        self._kept: deque[Entry] = deque()
        self._keys: deque[int] = deque()  # the times of the key frames in it
        self._caps: dict[str, Gst.Caps] = {}
        self._file: RecordingFile | None = None
        self._incomplete: list[RecordingFile] = []
        self._end, self._waiting = 0, False
        self._probes = {track: owner.guarded(getattr(self, f"_{track}")) for track in ("video", "audio")}

    @property
    def active(self) -> bool:
        """Whether a file is being written."""
        return self._file is not None

    def tap(self, pad: Gst.Pad, track: str) -> None:
        """Listen on the sink pad of a decoder, for ``video`` or ``audio``."""
        owner = self._owner()
        if owner is not None and track in _MODES[owner.options.smart_rec_mode]:
            pad.add_probe(Gst.PadProbeType.BUFFER, self._probes[track])

    def _video(self, pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        return self._take(pad, info.get_buffer(), "video")

    def _audio(self, pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        return self._take(pad, info.get_buffer(), "audio")

    def _take(self, pad: Gst.Pad, buffer: Gst.Buffer, track: str) -> Gst.PadProbeReturn:
        owner = self._owner()
        time = buffer.dts if buffer.pts == Gst.CLOCK_TIME_NONE else buffer.pts
        if owner is None or time == Gst.CLOCK_TIME_NONE:
            return Gst.PadProbeReturn.OK
        leading = track == _MODES[owner.options.smart_rec_mode][0]
        entry = Entry(track, buffer, time, leading and not buffer.has_flags(Gst.BufferFlags.DELTA_UNIT))
        with self._lock:
            self._caps[track] = pad.get_current_caps()
            self._keep(entry, owner.options.smart_rec_cache)
            self._write(entry)
        return Gst.PadProbeReturn.OK

    def _keep(self, entry: Entry, seconds: int) -> None:
        """Keep an entry, and of the older ones what begins with the last key frame before the cache's time."""
        self._kept.append(entry)
        if entry.key:
            self._keys.append(entry.time)
        oldest = entry.time - seconds * Gst.SECOND
        while len(self._keys) > 1 and self._keys[1] <= oldest:
            self._keys.popleft()
            while not (self._kept[0].key and self._kept[0].time == self._keys[0]):
                self._kept.popleft()

    def _write(self, entry: Entry) -> None:
        if self._file is None or (self._waiting and not entry.key):
            return
        self._waiting = False
        self._file.push(entry.track, entry.buffer, entry.time)
        if entry.time >= self._end:
            self._finish()

    def start(self, seconds_before: int, seconds: int) -> int:
        """Begin a recording.

        Args:
            seconds_before: How long ago it begins; at most what is kept is there.
            seconds: How long it goes on from now; 0 for ``smart-rec-default-duration``.

        Returns:
            Its number, 0 if one is going on already or nothing has come from the source yet.

        Raises:
            SourceError: The file cannot be written.
        """
        owner = self._owner()
        with self._lock:
            if owner is None or self._file is not None or not self._kept:
                return 0
            session = next(_sessions)
            path = self._path(owner.options, session)
            file = self._file = RecordingFile(path, session, dict(self._caps), owner.guarded(self._ended))
            self._incomplete.append(file)
            newest = self._kept[-1].time
            self._end = newest + (seconds or owner.options.smart_rec_default_duration) * Gst.SECOND
            begin = self._begin(newest - seconds_before * Gst.SECOND)
            self._waiting = begin is None
            for entry in itertools.islice(self._kept, len(self._kept) if begin is None else begin, None):
                file.push(entry.track, entry.buffer, entry.time)
            return session

    def _begin(self, time: int) -> int | None:
        """Where in what is kept the last key frame at or before a time is, or the first one after it."""
        keys = [(index, entry.time) for index, entry in enumerate(self._kept) if entry.key]
        before = [index for index, at in keys if at <= time]
        return before[-1] if before else next((index for index, _ in keys), None)

    def _path(self, options: Any, session: int) -> Path:
        folder = paths.resolve(options.smart_rec_dir_path or ".").absolute()
        if not folder.is_dir():
            raise SourceError(
                f"smart-rec-dir-path={options.smart_rec_dir_path!r} is no folder; make it first"
            )
        name = _NAME.format(
            prefix=options.smart_rec_file_prefix, session=session, now=datetime.datetime.now(),
            process=os.getpid(), ending=_CONTAINERS[options.smart_rec_container],
        )  # fmt: skip
        return folder / name

    def stop(self, session: int) -> bool:
        """End a recording before its time; False if it is not going on."""
        with self._lock:
            if self._file is None or session != self._file.session:
                return False
            self._finish()
            return True

    def refusal(self, options: Any) -> str:
        """Why `start` gave no session."""
        if not options.smart_record:
            return "nothing is kept for recordings; set smart-record=1"
        return (
            "it is being recorded already" if self.active else "nothing has come yet that could be recorded"
        )

    def close(self) -> None:
        """The source is closed: a recording that is going on ends, and what was kept is given up.

        Waits until its files are complete.
        """
        with self._lock:
            self._finish()
            self._kept.clear()
            self._keys.clear()
            self._caps.clear()
            incomplete = list(self._incomplete)
        end = time.monotonic() + _PATIENCE
        for file in incomplete:
            file.wait(max(end - time.monotonic(), 0.0))

    def _finish(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.finish()

    def _ended(self, file: RecordingFile, error: SourceError | None) -> None:
        owner = self._owner()
        with self._lock:
            self._incomplete.remove(file)
            if self._file is file:
                self._file = None
        if owner is not None and error is not None:
            owner.post_warning(str(error))
        if owner is not None:
            owner.recorded(told(file))


def told(file: RecordingFile) -> RecordingInfoStruct:
    """What ``sr-done`` says of a file."""
    video, audio = (
        structure_of(file.tracks[track], 0) if track in file.tracks else None for track in ("video", "audio")
    )

    def number(structure: Any, field: str) -> int:
        return int(structure.get_int(field)[1]) if structure is not None else 0

    return RecordingInfoStruct(
        file.session, file.path.name.encode(), str(file.path.parent).encode(), file.duration // Gst.MSECOND,
        _CONTAINERS.index(file.path.suffix[1:]), number(video, "width"), number(video, "height"),
        video is not None, number(audio, "channels"), number(audio, "rate"), audio is not None,
    )  # fmt: skip
