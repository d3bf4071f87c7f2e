"""Recordings of a pipeline's sources: whose end is told to whom, whatever the order of threads."""

import ctypes
import threading
from typing import ClassVar

from gi.repository import GObject, Gst

from headrace.flow import Pipeline
from headrace.gst.recording import RecordingInfoStruct, address_of, pointer_to

_ACTION = GObject.SignalFlags.RUN_LAST | GObject.SignalFlags.ACTION


class Source(Gst.Element):
    """Records nothing, but tells so; the files of those that are hasty are complete before they are begun."""

    __gtype_name__ = "SourceThatRecords"
    __gsignals__: ClassVar = {
        "start-sr": (
            _ACTION,
            None,
            (GObject.TYPE_POINTER, GObject.TYPE_UINT, GObject.TYPE_UINT, GObject.TYPE_POINTER),
        ),
        "stop-sr": (_ACTION, None, (GObject.TYPE_UINT,)),
        "sr-done": (GObject.SignalFlags.RUN_LAST, None, (GObject.TYPE_POINTER, GObject.TYPE_POINTER)),
    }
    hasty = False
    session = 0

    def do_start_sr(self, session, start, duration, user):
        self.session += 1
        ctypes.c_uint32.from_address(address_of(session)).value = self.session
        if self.hasty:
            complete = threading.Thread(target=self.complete, args=(self.session,))
            complete.start()
            complete.join(0.2)

    def do_stop_sr(self, session):
        pass

    def complete(self, session):
        info = RecordingInfoStruct(session, b"a.mp4", b".", 1000, 0, 64, 48, True, 0, 0, False)
        self.emit("sr-done", pointer_to(info), None)


def recording(**attributes):
    pipeline, source = Pipeline("p"), Source()
    source.set_property("name", "source")
    source.__dict__.update(attributes)
    pipeline.gst.add(source)
    return pipeline, source


def test_a_recording_that_is_complete_at_once_can_be_followed_by_another():
    pipeline, _ = recording(hasty=True)
    for session in (1, 2):
        told = threading.Event()
        assert pipeline.start_recording("source", 0, 1, lambda info, told=told: told.set()) == session
        assert told.wait(60)


def test_the_end_of_a_recording_is_told_to_who_began_it():
    pipeline, source = recording()
    told = []
    for name in ("first", "second"):
        session = pipeline.start_recording(
            "source", 0, 1, lambda info, name=name: told.append((name, info.session_id))
        )
        assert session
        assert pipeline.stop_recording("source")
    for session in (1, 2):
        source.complete(session)
    assert told == [("first", 1), ("second", 2)]
