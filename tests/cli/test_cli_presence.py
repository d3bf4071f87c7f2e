"""Who comes and who goes, and files of whole lines."""

import subprocess
import sys

import pytest

from headrace.flow.run.events import Presence, kind_of, write_sensors
from headrace.flow.run.files import LineFile
from headrace.message import EventType, MsgConvConfig, ObjectType
from headrace.meta import BatchMetadata, Detections

MS = 1_000_000


def show(presence, milliseconds, tracks, source=0):
    """Show one frame with these tracks; returns the events on it as (type, track)."""
    batch = BatchMetadata.new()
    frame = batch.add_frame(source_id=source, buffer_pts=milliseconds * MS, frame_number=milliseconds // 100)
    boxes = [[10 * track, 0, 10 * track + 8, 8] for track in tracks]
    frame.add_detections(Detections(boxes, track_id=list(tracks)), labels=("person",), component_id=1)
    presence.handle_metadata(batch)
    return [(meta.data.type.name, meta.data.tracking_id) for meta in frame.user]


def test_a_track_enters_once_and_leaves_after_a_second_without_it():
    presence = Presence(["gate"])
    assert show(presence, 0, [1]) == [("ENTRY", 1)]
    assert show(presence, 500, [1, 2]) == [("ENTRY", 2)]
    assert show(presence, 1400, [2]) == []
    assert show(presence, 1500, [2]) == [("EXIT", 1)]
    assert show(presence, 1600, [1, 2]) == [("ENTRY", 1)]
    assert {(event.type, event.tracking_id) for event in presence.finish()} == {
        (EventType.EXIT, 1),
        (EventType.EXIT, 2),
    }
    assert presence.finish() == []


def test_the_exit_tells_the_last_sighting():
    presence = Presence(["gate"])
    show(presence, 100, [3])
    show(presence, 300, [3])
    show(presence, 900, [])
    (event,) = presence.finish()
    assert (event.frame_id, event.bbox.left, event.object_id, event.video_path) == (3, 30, "person", "gate")


def test_sources_have_tracks_of_their_own_and_untracked_objects_make_no_events():
    presence = Presence(["a", "b"])
    assert show(presence, 0, [1], source=0) == [("ENTRY", 1)]
    assert show(presence, 0, [1], source=1) == [("ENTRY", 1)]
    assert show(presence, 5000, [-1], source=1) == [("EXIT", 1)]
    assert [event.sensor_id for event in presence.finish()] == [0]


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("car", ObjectType.VEHICLE),
        ("Person", ObjectType.PERSON),
        ("two-wheeler", ObjectType.BICYCLE),
        ("road_sign", ObjectType.ROADSIGN),
        ("zebra", ObjectType.UNKNOWN),
    ],
)
def test_kinds_of_objects(label, kind):
    assert kind_of(label) is kind


def test_the_converter_reads_the_sensors_that_are_written_for_it(tmp_path):
    names = ["sim://plaza?seed=1&objects=2", "odd\nname = [x] # ;.mp4"]
    write_sensors(tmp_path / "sensors.txt", names)
    config = MsgConvConfig.load(tmp_path / "sensors.txt")
    assert config.sensor(0).description == names[0]
    assert config.sensor(1).description == "odd name = [x] # ;.mp4"
    assert config.place(1).name == "odd name = [x] # ;.mp4"
    assert config.module(0).id == "headrace"


FULL = """
import resource, signal, sys
from headrace.errors import HeadraceError
from headrace.flow.run.files import LineFile

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
file = LineFile(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (25, 25))
file.write(b"first line\\n")
file.write(b"second\\n")
try:
    file.write(b"does not fit any more\\n")
except HeadraceError as error:
    sys.exit(str(error))
"""


def test_a_line_that_does_not_fit_is_taken_back(tmp_path):
    """In a process of its own: the limit is for all files that a process writes."""
    path = tmp_path / "lines"
    done = subprocess.run([sys.executable, "-c", FULL, path], capture_output=True, text=True, check=False)
    assert done.stderr.startswith(f"cannot write {path}")
    assert path.read_bytes() == b"first line\nsecond\n"


def test_lines_are_readable_at_once_and_an_old_file_is_replaced(tmp_path):
    path = tmp_path / "lines"
    path.write_text("old\n")
    with LineFile(path) as file:
        file.write(b"new\n")
        assert path.read_bytes() == b"new\n"
