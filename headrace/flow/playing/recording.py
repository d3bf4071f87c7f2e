"""Smart recording: sources of a pipeline written to files on demand (contract §1)."""

from __future__ import annotations

import ctypes
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gi.repository import GObject

from headrace.gst.face import USER_ERRORS
from headrace.gst.recording import RecordingInfoStruct, address_of, pointer_to
from headrace.gst.threads import keep_thread_state

if TYPE_CHECKING:
    from headrace.flow.pipeline import Pipeline

_START, _STOP, _DONE = "start-sr", "stop-sr", "sr-done"


@dataclass(frozen=True, slots=True)
class RecordingInfo:
    """A finished recording.

    Attributes:
        session_id: Number of the recording.
        file_name: Name of the file.
        file_directory: Its folder.
        duration: Length in milliseconds.
        container_type: ``MP4`` or ``MKV``.
        width: Width of the video in pixels.
        height: Its height.
        contains_video: Whether there is video.
        contains_audio: Whether there is sound.
        channels: Channels of sound.
        sampling_rate: Samples of sound per second.

    Example:
        >>> RecordingInfo(1, "a.mp4", ".", 2500).duration
        2500
    """

    session_id: int
    file_name: str
    file_directory: str
    duration: int
    container_type: str = "MP4"
    width: int = 0
    height: int = 0
    contains_video: bool = True
    contains_audio: bool = False
    channels: int = 0
    sampling_rate: int = 0

    @classmethod
    def of(cls, told: Any) -> RecordingInfo:
        """From what a source tells with ``sr-done``: the address of a structure."""
        at = RecordingInfoStruct.from_address(address_of(told))
        return cls(
            at.session_id, _text(at.file_name), _text(at.file_directory), at.duration,
            "MKV" if at.container_type else "MP4", at.width, at.height, bool(at.contains_video),
            bool(at.contains_audio), at.channels, at.sampling_rate,
        )  # fmt: skip


def _text(value: bytes | None) -> str:
    return (value or b"").decode(errors="replace")


class Recorder:
    """The recordings of one pipeline.

    Args:
        pipeline: The pipeline, by whose elements' names sources are found.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = weakref.ref(pipeline)
        self._say = pipeline.manners.warn
        #: Held while a recording begins: one that ends meanwhile is not known before.
        self._lock = threading.RLock()
        self._running: dict[int, str] = {}
        self._callbacks: dict[int, Callable[[RecordingInfo], Any]] = {}
        self._connected: set[str] = set()

    def start(
        self, source: str, start_time: int, duration: int, callback: Callable[[RecordingInfo], Any] | None
    ) -> int:
        """Begin; returns the session's number, 0 on failure, which is told."""
        element = self._source(source)
        if element is None:
            return 0
        with self._lock:
            if source in self._running.values():
                self._say(f"Failed to start recording: {source} is being recorded already")
                return 0
            if source not in self._connected:
                element.connect(_DONE, _weakly(self._done))
                self._connected.add(source)
            session = ctypes.c_uint32(0)
            element.emit(_START, pointer_to(session), max(0, int(start_time)), max(0, int(duration)), None)
            if not session.value:
                self._say(
                    f"Failed to start recording: {source} gave no session; is its smart-record property set?"
                )
                return 0
            self._running[session.value] = source
            self._callbacks[session.value] = callback or self._tell
        return session.value

    def stop(self, source: str) -> bool:
        """End the recording of a source."""
        with self._lock:
            sessions = [session for session, name in self._running.items() if name == source]
        if not sessions:
            self._say(f"Failed to stop recording: {source} is not being recorded")
        return any(self.stop_session(session) for session in sessions)

    def stop_session(self, session: int) -> bool:
        """End the recording with a number."""
        source = self._running.get(session)
        element = self._source(source) if source is not None else None
        if element is None:
            self._say(f"Failed to stop recording: there is no session {session}")
            return False
        element.emit(_STOP, session)
        self._running.pop(session, None)
        return True

    def _source(self, name: str) -> Any:
        pipeline = self._pipeline()
        element = pipeline.gst.get_by_name(name) if pipeline is not None else None
        if element is None or not GObject.signal_lookup(_START, element):
            wrong = "there is no element of this name" if element is None else "it is no source that records"
            self._say(f"Failed to record {name}: {wrong}")
            return None
        return element

    def _done(self, element: Any, info: Any, _user: Any) -> None:
        told = RecordingInfo.of(info)
        with self._lock:
            self._running.pop(told.session_id, None)
            callback = self._callbacks.pop(told.session_id, self._tell)
        try:
            callback(told)
        except USER_ERRORS as error:
            pipeline = self._pipeline()
            if pipeline is not None:
                pipeline.failed(element, "recording's callback", error)

    def _tell(self, info: RecordingInfo) -> None:
        seconds = info.duration / 1000
        self._say(f"Source recorded at {info.file_directory}/{info.file_name}. Duration {seconds:g} sec")


def _weakly(method: Callable[..., Any]) -> Callable[..., Any]:
    weak = weakref.WeakMethod(method)

    def call(*arguments: Any) -> Any:
        keep_thread_state()
        function = weak()
        return function(*arguments) if function is not None else None

    return call
