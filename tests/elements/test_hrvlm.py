"""hrvlm in a pipeline, in front of a real HTTP server."""

from __future__ import annotations

import gc
import json
import logging
import threading
import time
from typing import Any

import numpy as np
import pytest
from gi.repository import Gst
from openai_server import ChatServer, Never, Slow, Status, pictures_of, text_of
from waiting import wait_until

from headrace.gst import payload
from headrace.meta import Detections
from headrace.meta.user import MetaType
from headrace.source.sim import SIM_LABELS
from headrace.vlm import VlmRequest

SCENE = "hrsimsrc scene=sim://crossroad?seed=1&objects=6&width=320&height=180&fps=30&frames={n}"
LINE = (
    SCENE
    + " ! m.sink_0 nvstreammux name=m batch-size=1 ! hrvlm name=v {options} ! {rest} fakesink sync=false"
)
EACH_OBJECT = """
model: m
prompt: "{object.label} {object.id}"
subject: object
segment: {fps: 10}
queue: 1000
drain-timeout: 60
"""


def truth(_pad: Any, info: Any, tracked: bool = True) -> Any:
    """A detector and tracker that is always right."""
    batch: Any = payload.find(hash(info.get_buffer()))
    for frame in batch.meta.frames:
        (item,) = frame.user_meta_items(MetaType.SIM_TRUTH)
        known = item.data
        tracks = known.track_id if tracked else np.full(len(known), -1)
        found = Detections(known.xyxy, known.visibility, known.class_id, tracks)
        frame.add_detections(found, SIM_LABELS)
    return Gst.PadProbeReturn.OK


def answered(_pad: Any, _info: Any, vlm: Any) -> Any:
    """Each frame comes when what was asked before is answered, as a camera's does that is slow enough."""
    wait_until(lambda: vlm.counts.waiting == 0, 60)
    return Gst.PadProbeReturn.OK


@pytest.fixture
def server() -> Any:
    with ChatServer(text_of) as running:
        yield running


@pytest.fixture
def play(run: Any, tmp_path: Any) -> Any:
    """Builds a pipeline around hrvlm; returns it and the list of what its signal told."""

    def make(
        config: str,
        n: int = 30,
        paced: bool = False,
        rest: str = "",
        line: str = LINE,
        tracked: bool = True,
        **options: Any,
    ) -> Any:
        path = tmp_path / "questions.yaml"
        path.write_text(config)
        words = " ".join(f'{key.replace("_", "-")}="{value}"' for key, value in options.items())
        one = run(line.format(n=n, options=f"config-file-path={path} {words}", rest=rest and f"{rest} !"))
        pad = one["m"].get_static_pad("src")
        pad.add_probe(Gst.PadProbeType.BUFFER, truth, tracked)
        if paced:
            pad.add_probe(Gst.PadProbeType.BUFFER, answered, one["v"])
        told: list[Any] = []
        one["v"].connect("vlm-result", lambda _element, result: told.append(json.loads(result)))
        return one, told

    return make


def counts_of(one: Any) -> dict[str, Any]:
    counts: dict[str, Any] = json.loads(one["v"].get_property("counts"))
    assert counts["asked"] == counts["answered"] + counts["waiting"] + sum(counts["lost"].values())
    return counts


def attached(one: Any) -> tuple[list[Any], list[Any]]:
    """Answers on objects, as (frame, track, label, result), and on frames, as (frame, result)."""
    on_objects, on_frames = [], []
    for frame in one.out.frames:
        on_frames += [(frame.frame_number, m.data) for m in frame.user_meta_items(MetaType.VLM_RESULT)]
        for found in frame.object_items:
            items = found.user_meta_items(MetaType.VLM_RESULT)
            on_objects += [(frame.frame_number, found.object_id, found.label, m.data) for m in items]
    return on_objects, on_frames


def test_answers_come_to_the_objects_they_are_about(play: Any, server: Any) -> None:
    one, told = play(EACH_OBJECT, n=45, paced=True, base_url=server.url)
    one.to_end()
    on_objects, on_frames = attached(one)
    assert len(one.out.frames) == one["v"].frames == 45
    assert len(on_objects) >= 5
    for number, track, label, result in on_objects:
        assert result.text == f"{label} {track}"
        assert (result.object_id, result.label, result.source_id) == (track, label, 0)
        assert result.frame_number < number
        assert result.first_pts == result.last_pts
    counts = counts_of(one)
    assert counts["answered"] == counts["asked"] == counts["requests"] == len(server.requests) == len(told)
    assert len(on_objects) + len(on_frames) <= len(told)
    assert not counts["lost"]
    tracks = [result["object_id"] for result in told]
    assert len(tracks) == len(set(tracks)), "one question each, within the cooldown"
    messages = [m.structure for m in one.of("element") if m.structure.get_name() == "vlm-result"]
    assert [json.loads(structure.get_value("result")) for structure in messages] == told
    for body in server.requests:
        (picture,) = pictures_of(body)
        assert picture.shape[0] < 180


def test_a_server_that_never_answers_holds_nothing_up(play: Any, server: Any) -> None:
    server.usual = Never()
    config = EACH_OBJECT.replace("queue: 1000", "queue: 3").replace("timeout: 60", "timeout: 0.2")
    one, told = play(config + "cooldown: 0\n", n=90, base_url=server.url)
    passed: list[int] = []

    def asked(*_: Any) -> Any:
        """Only the first frame does not wait for the first question to arrive."""
        wait_until(lambda: not passed or server.requests, 60)
        passed.append(1)
        return Gst.PadProbeReturn.OK

    one["m"].get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, asked)
    one.to_end()
    assert len(one.out.pts) == 90
    assert told == []
    counts = counts_of(one)
    assert counts["waiting"] == 0
    assert counts["lost"]["not answered before the end"] == 4
    assert counts["lost"]["queue full"] == counts["asked"] - 4 > 50


@pytest.mark.parametrize("fault", [Status(500), Status(429, headers={"Retry-After": "0"}), "no JSON at all"])
def test_faults_are_counted_and_said_once(play: Any, server: Any, fault: Any) -> None:
    server.usual = fault
    pytest.importorskip("jsonschema")
    config = EACH_OBJECT + "retries: 1\nbackoff: 0\nanswer-schema: {type: object}\n"
    one, told = play(config, base_url=server.url)
    one.to_end()
    assert len(one.out.pts) == 30
    counts = counts_of(one)
    assert sum(counts["lost"].values()) == counts["asked"] > 3
    assert len(one.of("warning")) == 1
    assert told == []


def test_the_key_is_in_no_message(play: Any, server: Any, monkeypatch: Any, caplog: Any) -> None:
    monkeypatch.setenv("VLM_TEST_KEY", "sk-secret")
    caplog.set_level(logging.DEBUG)
    server.usual = Status(401, "Incorrect API key provided: sk-secret")
    one, _ = play(EACH_OBJECT + "api-key-env: VLM_TEST_KEY\n", base_url=server.url)
    one.to_end()
    assert set(server.keys) == {"Bearer sk-secret"}
    (warning,) = one.of("warning")
    assert "check the environment variable" in warning.text
    assert "secret" not in warning.text + warning.debug + caplog.text


def test_the_end_of_the_stream_waits_for_answers(play: Any, server: Any) -> None:
    server.usual = Slow(0.3, "late")
    one, told = play(
        "model: m\nprompt: what?\ndrain-timeout: 60\nsegment: {length: 9}\n", n=10, base_url=server.url
    )
    one.to_end()
    assert [(result["text"], result["pictures"]) for result in told] == [("late", 1)]
    assert counts_of(one)["answered"] == 1


def test_who_stops_does_not_wait(play: Any, server: Any) -> None:
    server.usual = Never()
    one, _ = play("model: m\nprompt: what?\ndrain-timeout: 600\ntimeout: 600\n", n=30, base_url=server.url)
    one.play().wait(lambda: bool(server.requests) and len(one.out.pts) == 30)
    begun = time.monotonic()
    one.stop()
    assert time.monotonic() - begun < 100  # of 600
    assert counts_of(one)["waiting"] == 0


def test_after_a_flush_the_end_of_the_stream_waits_again(tmp_path: Any) -> None:
    path = tmp_path / "model.py"
    path.write_text(
        "import threading\nfrom headrace.vlm import VisionLanguageModel\n\n"
        "class Held(VisionLanguageModel):\n    go = threading.Event()\n"
        "    def answer(self, request):\n        self.go.wait(60)\n        return 'yes'\n"
    )
    element: Any = Gst.ElementFactory.make("hrvlm")
    element.set_property("model", f"{path}:Held")
    element.set_property("prompt", "what?")
    element.set_state(Gst.State.PAUSED)
    try:
        asker, pad = element.asker, element.get_static_pad("sink")
        asker.submit(VlmRequest("what?", ()))
        pad.send_event(Gst.Event.new_flush_start())
        assert not asker.drain(0.0)
        pad.send_event(Gst.Event.new_flush_stop(True))
        threading.Timer(0.1, asker._model.go.set).start()
        assert asker.drain(60.0)
    finally:
        element.set_state(Gst.State.NULL)


TWO = (
    "hrsimsrc scene=sim://crossroad?frames=10&width=64&height=48&fps=10 ! m.sink_0"
    " hrsimsrc scene=sim://plaza?frames=40&width=64&height=48&fps=10 ! m.sink_1"
    " nvstreammux name=m batch-size=2 ! hrvlm name=v {options} ! fakesink sync=false"
)


def test_a_source_that_ends_is_asked_about_with_what_there_is(play: Any, server: Any) -> None:
    config = """
model: m
prompt: "{source}: {pictures}"
segment: {length: 2, fps: 5, max-frames: 20}
drain-timeout: 60
sources: {1: {prompt: "the second: {pictures}"}}
"""
    one, told = play(config, line=TWO, base_url=server.url)
    one.to_end()
    assert [result["text"] for result in told] == ["0: 5", "the second: 10", "the second: 10"]
    assert [result["source_id"] for result in told] == [0, 1, 1]


def test_messages_carry_answers_whatever_the_interval(play: Any, server: Any, tmp_path: Any) -> None:
    events = tmp_path / "events.jsonl"
    rest = (
        "nvmsgconv payload-type=1 msg2p-newapi=true frame-interval=1000 ! tee name=t t. ! queue"
        f" ! nvmsgbroker proto-lib=file conn-str={events} sync=false t. ! queue"
    )
    one, told = play(EACH_OBJECT, n=30, paced=True, rest=rest, base_url=server.url)
    one.to_end()
    documents = [json.loads(line) for line in events.read_text().splitlines()]
    answers = [document for document in documents if "answer" in document]
    on_objects, on_frames = attached(one)
    assert len(answers) == len(on_objects) + len(on_frames) >= 5
    assert [one["answer"] in told for one in answers] == [True] * len(answers)
    assert {"version", "id", "@timestamp", "sensorId"} <= set(answers[0])
    assert len(documents) == len(answers) + 1


ZONES = """
[property]
enable=1
config-width=320
config-height=180
[roi-filtering-stream-0]
enable=1
roi-Left=0;0;160;0;160;180;0;180
class-id=-1
"""


def test_rules_know_the_zones_of_the_analytics(play: Any, server: Any, tmp_path: Any) -> None:
    (tmp_path / "zones.txt").write_text(ZONES)
    line = LINE.replace("! hrvlm", f"! nvdsanalytics config-file={tmp_path}/zones.txt ! hrvlm")
    config = EACH_OBJECT + "when: in_zone(left)\n"
    one, told = play(
        config.replace("{object.id}", "{object.id} {object.zones}"), line=line, base_url=server.url
    )
    one.to_end()
    first = one.out.frames[0]
    middles = {
        found.object_id: found.rect_params.left + found.rect_params.width / 2 for found in first.object_items
    }
    inside = {track for track, middle in middles.items() if middle < 160}
    assert 0 < len(inside) < len(middles)
    at_once = {result["object_id"] for result in told if result["frame_number"] == 0}
    assert at_once == inside
    assert all(result["text"].endswith(" Left") for result in told)


def test_answers_are_drawn_when_asked_for(play: Any, server: Any) -> None:
    server.usual = "a long answer that is broken into several short lines of text"
    one, _ = play(
        "model: m\nprompt: what?\ndraw: true\ncooldown: 100\n", n=30, paced=True, base_url=server.url
    )
    one.to_end()
    texts = [[t.display_text for d in meta.displays for t in d.texts] for meta in one.out.metas]
    shown = [text for text in texts if text]
    assert len(shown) > 5, "for a while, not for one frame"
    assert shown[0] == ["a long answer that is broken\ninto several short lines of text"]


def test_a_class_in_python_answers(play: Any, tmp_path: Any) -> None:
    (tmp_path / "mine.py").write_text(
        "import cv2, numpy as np\n"
        "from headrace.vlm import VisionLanguageModel\n"
        "class Mine(VisionLanguageModel):\n"
        "    def answer(self, request):\n"
        "        picture = cv2.imdecode(np.frombuffer(request.pictures[0], np.uint8), 1)\n"
        "        return f'{picture.shape} {request.prompt}'\n"
    )
    one, told = play("model: mine.py:Mine\nprompt: size?\ndrain-timeout: 60\n", n=3)
    one.to_end()
    assert [result["text"] for result in told] == ["(180, 320, 3) size?"]


def test_a_class_that_fails_is_reported_with_its_traceback(play: Any, tmp_path: Any) -> None:
    (tmp_path / "mine.py").write_text(
        "from headrace.vlm import VisionLanguageModel\n"
        "class Mine(VisionLanguageModel):\n"
        "    def answer(self, request):\n"
        "        raise KeyError('my mistake')\n"
    )
    one, _ = play("model: mine.py:Mine\nprompt: size?\ndrain-timeout: 60\n", n=3)
    one.to_end()
    (warning,) = one.of("warning")
    assert "my mistake" in warning.text
    assert "mine.py" in warning.debug
    assert counts_of(one)["lost"] == {"failed": 1}


def test_objects_without_tracks_are_said_once(play: Any, server: Any) -> None:
    one, told = play(EACH_OBJECT, n=30, tracked=False, base_url=server.url)
    one.to_end()
    assert told == []
    assert ["put nvtracker before" in message.text for message in one.of("warning")] == [True]


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("model: m\nprompt: x\nwhen: dwel > 3\n", "did you mean dwell?"),
        ("model: m\nprompt: '{tim}'\n", "did you mean {time}?"),
        ("model: nothing.py:X\nprompt: x\n", "nothing.py does not exist"),
        ("prompt: x\n", "no model"),
    ],
)
def test_a_wrong_configuration_ends_the_start(play: Any, config: str, says: str) -> None:
    one, _ = play(config)
    assert says in one.to_error().text


def test_a_branch_of_its_own_keeps_the_answer(play: Any, server: Any) -> None:
    rest = "tee name=t t. ! queue ! nvvideoconvert ! video/x-raw,format=RGB ! fakesink name=plain sync=false t. ! queue"
    one, _ = play("model: m\nprompt: what?\n", n=45, paced=True, rest=rest, base_url=server.url)
    one.to_end()
    found = [
        [
            m.data.text
            for meta in output.metas
            for f in meta.frames
            for m in f.user_meta_items(MetaType.VLM_RESULT)
        ]
        for output in one.outputs.values()
    ]
    assert found[0] == found[1]
    assert set(found[0]) == {"what?"}


def test_elements_and_threads_are_gone_after_use(server: Any) -> None:
    line = f"{SCENE} ! m.sink_0 nvstreammux name=m ! hrvlm name=v model=m prompt=what? base-url={server.url} ! fakesink"
    gone: list[int] = []
    for _ in range(3):
        pipeline = Gst.parse_launch(line.format(n=3))
        pipeline.get_by_name("v").weak_ref(gone.append, 1)
        pipeline.set_state(Gst.State.PLAYING)
        ends = Gst.MessageType.EOS | Gst.MessageType.ERROR
        message = pipeline.get_bus().timed_pop_filtered(60 * Gst.SECOND, ends)
        assert message.type == Gst.MessageType.EOS
        pipeline.set_state(Gst.State.NULL)
        del message, pipeline
    wait_until(lambda: gc.collect() >= 0 and gone == [1, 1, 1], 60)
    assert len(server.requests) == 3
    wait_until(lambda: not [t for t in threading.enumerate() if t.name.startswith("headrace-vlm")], 60)
