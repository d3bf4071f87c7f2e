"""Files and brokers that cannot be written: named, and never taken for success."""

import pytest
from chains import Chain, count_frames, to_mp4

FRAMES = 60


def converter(**options):
    return "nvmsgconv", {"payload-type": 1, "msg2p-newapi": True, "frame-interval": 1, **options}


def broker(path, **options):
    return "nvmsgbroker", {"proto-lib": "file", "conn-str": str(path), "sync": False, **options}


def test_an_mp4_has_every_frame(clip, tmp_path):
    elements, sink = to_mp4(tmp_path / "out.mp4")
    played = Chain([clip], *elements, sink=sink).play()
    assert played.error is None
    assert count_frames(tmp_path / "out.mp4") == FRAMES


@pytest.mark.parametrize("place", ["missing/out.mp4", "", "/dev/full"])
def test_an_mp4_that_cannot_be_written_is_an_error_of_its_sink(clip, tmp_path, place):
    elements, sink = to_mp4(tmp_path / place)
    played = Chain([clip], *elements, sink=sink).play()
    assert played.error is not None
    assert played.error.element == "filesink"
    assert any(text in str(played.error) for text in (str(tmp_path / place), "No space left"))


@pytest.mark.parametrize("place", ["missing/events.jsonl", ""])
def test_a_broker_that_cannot_be_reached_is_an_error(clip, tmp_path, place):
    played = Chain([clip], converter(), sink=broker(tmp_path / place)).play()
    assert played.error is not None
    assert played.error.element == "nvmsgbroker"
    assert str(tmp_path / place) in str(played.error)
    assert played.frames == {}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"proto-lib": ""}, "no adaptor"),
        ({"proto-lib": "pigeon"}, "pigeon"),
        ({"on-error": "never"}, "stop or drop"),
    ],
)
def test_a_broker_that_does_not_exist_is_an_error(clip, tmp_path, options, says):
    played = Chain([clip], converter(), sink=broker(tmp_path / "events.jsonl", **options)).play()
    assert played.error is not None
    assert played.error.element == "nvmsgbroker"
    assert says in str(played.error)


def test_messages_for_a_full_disk_are_an_error(clip):
    played = Chain([clip], converter(), sink=broker("/dev/full")).play()
    assert played.error is not None
    assert played.error.element == "nvmsgbroker"
    assert "/dev/full" in str(played.error)
    assert "No space left" in str(played.error)


def test_messages_for_a_full_disk_are_dropped_on_demand(clip):
    played = Chain([clip], converter(), sink=broker("/dev/full", **{"on-error": "drop"})).play()
    assert played.error is None
    assert len(played.frames[0]) == FRAMES
    assert "No space left" in played.warnings()[0].text


@pytest.mark.parametrize(
    ("options", "says"),
    [({"config": "missing.txt"}, "missing.txt"), ({"payload-type": 0}, "config")],
)
def test_a_converter_without_its_configuration_is_an_error(clip, tmp_path, options, says):
    played = Chain([clip], converter(**options), sink=broker(tmp_path / "events.jsonl")).play()
    assert played.error is not None
    assert played.error.element == "nvmsgconv"
    assert says in str(played.error)


def test_a_folder_for_payloads_that_is_missing_is_an_error(clip, tmp_path):
    missing = str(tmp_path / "missing")
    played = Chain([clip], converter(**{"debug-payload-dir": missing}), sink=broker(tmp_path / "e")).play()
    assert played.error is not None
    assert played.error.element == "nvmsgconv"
    assert missing in str(played.error)
