"""Whole programs in pyservicemaker's Flow API, run as users run them: ``headrace run-app program arguments``."""

import cv2

STREAMS = "/opt/nvidia/deepstream/deepstream/samples/streams"


def test_count_and_draw(run):
    said, _ = run("flow_count_and_draw.py", f"{STREAMS}/sample_720p.h264", f"{STREAMS}/sample_1080p_h264.mp4")
    counted = [line for line in said if line.startswith("source ")]
    for source in (0, 1):
        frames = [int(line.split()[3]) for line in counted if line.startswith(f"source {source} ")]
        assert frames == list(range(30))
    assert any(not line.endswith("cars 0") for line in counted)
    assert said[-3:] == ["End of stream", "Main Loop Exited...", "Pipeline count-and-draw stopped"]


def test_cascade(run, tmp_path):
    (tmp_path / "sources.yaml").write_text(f"""
source-list:
- {{uri: "file://{STREAMS}/sample_720p.mp4", sensor-id: Gate, sensor-name: Gate}}
source-config: {{source-bin: nvurisrcbin}}
""")
    said, logged = run("flow_cascade.py", "sources.yaml", "out.mp4")
    assert "Add Element ... Gate" in said
    assert any(" is " in line and "cascade" in line for line in logged)
    video = cv2.VideoCapture(str(tmp_path / "out.mp4"))
    assert (video.get(3), video.get(4), video.get(7)) == (960, 544, 30)


def test_hand_over(run):
    said, _ = run("flow_hand_over.py", f"{STREAMS}/sample_720p.mp4")
    assert [line for line in said if line.startswith("put")] == [f"put {i}" for i in range(1, 31)]
    assert [line for line in said if line.startswith("got")][-1] == "got 30 of (720, 1280, 3)"
    assert said[-1] == "both ended"


def test_own_methods(run):
    said, _ = run("flow_own_methods.py", f"{STREAMS}/sample_720p.mp4")
    assert said.count("objects 0") == 30
    assert said[-1] == "done"


def test_media(run):
    said, _ = run("flow_media.py", f"{STREAMS}/sample_720p.mp4")
    assert said[0].startswith("stream H.264")
    assert said[0].endswith("1280 720 30 1")
    assert said[1:] == ["frame 0 180 320 3", "frame 500 180 320 3"]
