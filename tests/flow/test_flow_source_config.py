"""Sources from files, and how they are recorded."""

import pytest

from headrace.errors import ConfigError
from headrace.flow import CameraInfo, RecordConfig, SensorInfo, SourceConfig

BROKER = {
    "proto_lib": "libnvds_kafka_proto.so",
    "conn_str": "localhost;9092",
    "msgconv_config_file": "sensors.txt",
    "proto_config_file": "kafka.txt",
    "topic_list": "commands",
}


@pytest.fixture
def load(tmp_path):
    def load(text):
        file = tmp_path / "sources.yaml"
        file.write_text(text)
        return SourceConfig().load(file)

    return load


def test_sources(load):
    config = load("""
source-list:
- uri: "file:///a.mp4"
  sensor-id: A1
  sensor-name: Gate
- uri: "rtsp://b"
  sensor-id: 7
source-config:
  source-bin: nvmultiurisrcbin
  properties: {port: 7000, live-source: true}
""")
    assert config.sensor_list == [
        SensorInfo("A1", "Gate", "file:///a.mp4"),
        SensorInfo("7", "sensor1", "rtsp://b"),
    ]
    assert config.source_type == "nvmultiurisrcbin"
    assert config.source_properties == {"port": 7000, "live-source": True}
    assert config.camera_list == []


def test_cameras(load):
    config = load("""
camera-list:
- {camera-type: V4L2, camera-width: 640, camera-height: 480, camera-fps-n: 30, camera-fps-d: 1,
   camera-v4l2-dev-node: 2, nvbuf-mem-type: 2, lens: wide}
""")
    assert config.source_type == "camerabin"
    assert config.camera_list == [
        CameraInfo("V4L2", "NV12", 640, 480, 30, 1, camera_v4l2_dev_node=2, nvbuf_mem_type=2)
    ]
    assert config.camera_list[0].camera_csi_sensor_id is None


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("source-list: [{sensor-id: a}]", r"source-list\[0\] has no uri"),
        ("source-list: a.mp4", "source-list must be a list"),
        ("source-config: nvurisrcbin", "source-config must hold keys"),
        ("source-config: {source-bin: nvurisrcbin}", "has no sources"),
        ("[1, 2]", "a source-list or camera-list expected"),
        ("a: [", "is not YAML"),
    ],
)
def test_what_is_wrong_with_a_file(load, text, match):
    with pytest.raises(ConfigError, match=match):
        load(text)


def test_a_missing_file():
    with pytest.raises(ConfigError, match=r"/nowhere\.yaml cannot be read"):
        SourceConfig().load("/nowhere.yaml")


def test_recording_on_the_programs_word():
    assert RecordConfig(rec_container=1, rec_dir_path="/tmp", rec_mode=1).source_properties() == {
        "smart-record": 2, "smart-rec-cache": 20, "smart-rec-container": 1, "smart-rec-dir-path": "/tmp",
        "smart-rec-mode": 1,
    }  # fmt: skip


def test_recording_on_a_message():
    config = RecordConfig(recording_type="cloud", **BROKER)
    assert config.source_properties()["smart-record"] == 1
    assert config.broker_properties() == {key.replace("_", "-"): value for key, value in BROKER.items()}


@pytest.mark.parametrize("missing", BROKER)
def test_a_message_needs_a_broker(missing):
    with pytest.raises(ValueError, match=f"needs {missing}"):
        RecordConfig(recording_type="cloud", **{**BROKER, missing: None})


def test_there_are_two_ways_of_recording():
    with pytest.raises(ValueError, match="'local' or 'cloud', not 'kafka'"):
        RecordConfig(recording_type="kafka")
