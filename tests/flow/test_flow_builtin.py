"""Built-in objects: what they print, draw, write and find."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
from flows import frames, play
from waiting import wait_until

from headrace.errors import ConfigError, PipelineError
from headrace.flow import (
    BatchMetadataOperator,
    CommonFactory,
    Emitter,
    Pipeline,
    Probe,
    ServiceMakerPipeline,
    SourceManager,
)
from headrace.flow.builtin import smart_recording_action
from headrace.flow.builtin.kitti_dump_probe import kitti_line
from headrace.flow.builtin.measure_fps_probe import FpsMeter
from headrace.flow.builtin.smart_recording_action import RecordingCommands
from headrace.meta import Detections
from headrace.meta.batch import BatchMetadata
from headrace.meta.outputs import TensorOutput
from headrace.meta.user import MetaType, UserMetadata


class Finds(BatchMetadataOperator):
    """Two vehicles and a person in every frame."""

    def handle_metadata(self, batch_meta):
        for frame in batch_meta.frame_items:
            boxes = [[1, 2, 11, 22], [3, 4, 13, 14], [5, 6, 9, 12]]
            frame.add_detections(Detections(boxes, [0.5, 0.25, 1.0], [0, 0, 2]), ("Car", "Bicycle", "Person"))


class Look(BatchMetadataOperator):
    """Calls a function with each frame."""

    def __init__(self, see):
        self.see = see

    def handle_metadata(self, batch_meta):
        for frame in batch_meta.frame_items:
            self.see(frame)


def through(name, properties=None, see=lambda frame: None, count=2):
    pipeline = frames(count, kind=ServiceMakerPipeline)
    pipeline.attach("mux", Probe("finds", Finds()))
    pipeline.attach("mux", name, "object", properties=properties)
    pipeline.attach("mux", Probe("look", Look(see)))
    play(pipeline)


def batch(*pads):
    meta = BatchMetadata.new()
    for pad in pads:
        meta.add_frame(pad_index=pad, source_id=pad)
    return meta


def test_rates_of_sources_that_play_and_that_have_ended():
    lines, now = [], [0.0]
    meter = FpsMeter(lines.append, lambda: now[0])
    meter.set({"interval": 2})
    for _ in range(5):
        meter.handle_metadata(batch(0, 1))
        now[0] += 0.5
    for _ in range(5):
        meter.handle_metadata(batch(1, 3))
        now[0] += 0.5
    assert lines == [
        "**FPS:  2.50 (2.50)\t2.50 (2.50)",
        "**FPS:  --.-- (1.25)\t2.00 (2.25)\t2.00 (2.67)",
    ]


def test_fps_is_attached_by_name(capfd):
    through("measure_fps_probe", {"interval": 0}, count=4)
    assert re.search(r"^\*\*FPS:  [\d.]+ \([\d.]+\)$", capfd.readouterr().out, re.M)


def test_counts_are_drawn():
    meta = batch(0, 1)
    Finds().handle_metadata(meta)
    probe = CommonFactory.create("sample_video_probe.sample_video_probe", "counts")
    probe.set({"font-size": 15})
    probe.operator.handle_metadata(meta)
    texts = [display.texts[0] for display in meta.displays]
    assert [text.display_text for text in texts] == ["Person=1,Vehicle=2"] * 2
    assert [(text.x_offset, text.y_offset, text.font_params.size) for text in texts] == [(10, 12, 15)] * 2


def test_objects_are_written_in_kittis_form(tmp_path):
    through("kitti_dump_probe", {"kitti-dir": str(tmp_path / "new")})
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["000_000000.txt", "000_000001.txt"]
    zeros = " ".join(["0.0"] * 7)
    assert (tmp_path / "new" / "000_000001.txt").read_text().splitlines()[0] == (
        f"Car 0.0 0 0.0 1.000000 2.000000 11.000000 22.000000 {zeros} 0.500000"
    )


def test_kitti_with_tracks():
    meta = batch(0)
    frame = next(meta.frame_items)
    frame.add_detections(Detections([[1, 2, 3, 4]], [0.5], [0], track_id=[7]), ("car",))
    assert kitti_line(next(frame.object_items), True).startswith("car 7 0.0 0 0.0 1.000000")


def test_event_messages(tmp_path):
    labels, sources = tmp_path / "labels.txt", tmp_path / "sources.yaml"
    labels.write_text("Car\nBicycle\nPerson\n")
    sources.write_text("source-list:\n- {uri: 'file:///gate.mp4', sensor-id: gate}\n")
    seen = []
    through(
        "add_message_meta_probe",
        {"frame-interval": 2, "source-config": str(sources), "label-file": str(labels)},
        lambda frame: seen.append([item.data for item in frame.user if item.meta_type == MetaType.EVENT_MSG]),
        count=3,
    )
    assert [len(events) for events in seen] == [3, 0, 3]
    assert "gate" in repr(seen[0][0])


def test_a_bad_file_is_named(capfd):
    through("add_message_meta_probe", {"label-file": "/nowhere.txt"})
    assert "label-file /nowhere.txt cannot be read" in capfd.readouterr().err


def test_latency_is_printed_where_it_is_measured(capfd, monkeypatch):
    through("measure_latency_probe")
    assert "Frame latency" not in capfd.readouterr().out
    monkeypatch.setenv("NVDS_ENABLE_LATENCY_MEASUREMENT", "1")
    through("measure_latency_probe")
    found = re.findall(
        r"^Source id = 0 Frame_num = (\d) Frame latency = [\d.]+ \(ms\)$", capfd.readouterr().out, re.M
    )
    assert found == ["0", "1"]


def test_raw_outputs_are_parsed():
    cov, bbox = np.zeros((4, 4, 4), np.float32), np.ones((16, 4, 4), np.float32)
    cov[2, 2, 1] = 0.9
    meta = batch(0)
    frame = next(meta.frame_items)
    frame.append(
        UserMetadata(MetaType.TENSOR_OUTPUT, TensorOutput(3, {"output_cov": cov, "output_bbox": bbox}))
    )
    probe = CommonFactory.create("resnet_tensor_parser", "p")
    probe.set({"network-width": 64, "network-height": 64, "stream-width": 128, "stream-height": 64})
    probe.operator.handle_metadata(meta)
    (found,) = frame.object_items
    assert (found.label, found.class_id, found.unique_component_id) == ("Person", 2, 3)
    box = found.rect_params
    assert [box.left, box.top, box.width, box.height] == pytest.approx([0.0, 0.0, 103.0, 64.0], abs=1)


def test_properties_are_checked():
    probe = Probe.create("measure_fps_probe", "fps")
    assert probe.set({"interval": "3", "no-such": 1, "Interval": None}) is probe
    assert probe.operator.get_property("interval") == 3
    with pytest.raises(ConfigError, match="'interval' of fps takes int, not 'often'"):
        probe.set({"interval": "often"})


@pytest.mark.parametrize("name", ["ensemble_render", "lidar_feeder"])
def test_lidar_is_not_offered(name):
    with pytest.raises(RuntimeError, match="3D lidar"):
        CommonFactory.create(name, "x")


def test_raw_frames_from_a_file(tmp_path):
    path, sizes = tmp_path / "frames.rgba", []
    path.write_bytes(bytes(range(256)) * 12)  # three frames of 16 x 16 x 4

    caps = "video/x-raw,format=RGBA,width=16,height=16,framerate=5/1"
    pipeline = Pipeline("p").add("appsrc", "src", {"caps": caps})
    pipeline.add("fakesink", "sink", {"sync": False, "signal-handoffs": True}).link("src", "sink")
    pipeline["sink"].element.connect("handoff", lambda sink, buffer, pad: sizes.append(buffer.get_size()))
    properties = {"location": str(path), "frame-width": 16, "frame-height": 16}
    pipeline.attach("src", "sample_video_feeder", "feeder", "need-data/enough-data", properties)
    play(pipeline)
    assert sizes == [1024] * 3


def test_frames_are_counted_by_the_sample_receiver():
    pipeline = frames(4, sink=("appsink", {"emit-signals": True, "sync": False}))
    play(pipeline.attach("sink", "sample_video_receiver", "count", "new-sample"))
    assert pipeline["sink"].find("count").retriever.frames == 4


class Source:
    """Stands for a node of a source that records."""

    def __init__(self, name, element):
        self.name, self.element = name, element


class Element:
    def __init__(self):
        self.orders = []

    def emit(self, action, *arguments):
        self.orders.append((action, *(value for value in arguments if isinstance(value, int))))


def test_commands_of_a_broker_reach_the_source_with_that_number(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "headrace.flow.objects.signals.GObject", SimpleNamespace(signal_lookup=lambda name, element: 1)
    )
    commands, sensors = tmp_path / "commands.jsonl", tmp_path / "sensors.txt"
    sensors.write_text(
        "[sensor1]\nenable=1\ntype=Camera\nid=gate\nlocation=0;0;0\ndescription=x\ncoordinate=0;0;0\n"
    )
    controller = CommonFactory.create("smart_recording_action", "controller")
    assert isinstance(controller, Emitter)
    controller.set({"proto-lib": "file", "conn-str": str(commands), "msgconv-config-file": str(sensors)})
    elements = [Element(), Element()]
    for index, element in enumerate(elements):
        for action in ("start-sr", "stop-sr"):
            controller.attach(action, Source(f"src_{index}", element))
    assert controller.listening.wait(60)
    now = 1e9
    monkeypatch.setattr(smart_recording_action, "time", SimpleNamespace(time=lambda: now))
    with commands.open("a") as file:
        for command in (
            {"command": "start-recording", "start": now - 5, "end": now + 10, "sensor": {"id": "gate"}},
            {"command": "stop-recording", "sensor": {"id": "gate"}},
            {"command": "start-recording", "sensor": {"id": "0"}},
        ):
            file.write(json.dumps(command) + "\n")
    wait_until(lambda: elements[0].orders)
    assert elements[1].orders == [("start-sr", 5, 10), ("stop-sr", 0)]
    assert elements[0].orders == [("start-sr", 0, 0)]


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"not json", "not a command"),
        (b'{"command": "start-recording"}', "not a command"),
        (b'{"command": "dance", "sensor": {"id": "0"}}', "unknown command 'dance'"),
        (b'{"command": "stop-recording", "sensor": {"id": "nobody"}}', "no sensor 'nobody'"),
        (b'{"command": "stop-recording", "sensor": {"id": "4"}}', "no element whose name ends in _4"),
    ],
)
def test_bad_commands_are_named(payload, words):
    with pytest.raises(PipelineError, match=words):
        RecordingCommands("c").obey(payload)


def test_a_controller_without_an_adaptor_says_so(monkeypatch, caplog):
    monkeypatch.setattr(
        "headrace.flow.objects.signals.GObject", SimpleNamespace(signal_lookup=lambda name, element: 1)
    )
    controller = RecordingCommands("c")
    controller.set({"proto-lib": "/opt/nvidia/deepstream/deepstream/lib/libnvds_nosuch_proto.so"})
    controller.attach("start-sr", Source("src_0", Element()))
    controller._thread.join(60)
    assert "c gets no commands: no message broker adaptor 'nosuch'" in caplog.text


def test_commands_find_sources_that_bear_their_sensors_id(monkeypatch):
    monkeypatch.setattr(
        "headrace.flow.objects.signals.GObject", SimpleNamespace(signal_lookup=lambda name, element: 1)
    )
    controller, element = RecordingCommands("c"), Element()
    for action in ("start-sr", "stop-sr"):
        controller.attach(action, Source("gate", element))
    controller.obey(b'{"command": "start-recording", "sensor": {"id": "gate"}}')
    controller.obey(b'{"command": "stop-recording", "sensor": {"id": "gate"}}')
    assert element.orders == [("start-sr", 0, 0), ("stop-sr", 0)]
    with pytest.raises(PipelineError, match="no element whose name ends in _1"):
        controller.obey(b'{"command": "start-recording", "sensor": {"id": "1"}}')


def test_recording_what_cannot_be_recorded(capfd):
    pipeline = ServiceMakerPipeline("p").add("fakesrc", "a")
    assert pipeline.start_recording("a", 0, 5) == 0
    assert pipeline.start_recording("b", 0, 5) == 0
    assert pipeline.stop_recording("a") is False
    assert pipeline.stop_recording_by_session_id(3) is False
    out = capfd.readouterr().out
    assert "a: it is no source that records" in out
    assert "b: there is no element of this name" in out


def test_an_emitter_needs_an_element_with_that_action():
    pipeline = Pipeline("p").add("fakesrc", "a")
    with pytest.raises(PipelineError, match="has no action 'add-source'"):
        SourceManager("files").attach("add-source", pipeline["a"])
