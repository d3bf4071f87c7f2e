"""nvmultiurisrcbin: sources come, play and go, by properties and over HTTP."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from waiting import wait_until

from headrace.errors import PipelineError
from headrace.flow import BatchMetadataOperator, Pipeline, Probe
from headrace.flow.messages import DynamicSourceMessage

SCENE = "sim://plaza?frames=20&width=160&height=96&seed={}"
ENDLESS = "sim://plaza?frames=100000&width=160&height=96&seed={}"


class Count(BatchMetadataOperator):
    """Frames of each source."""

    def __init__(self) -> None:
        self.frames: Counter[int] = Counter()

    def handle_metadata(self, batch_meta: Any) -> None:
        for frame in batch_meta.frame_items:
            self.frames[frame.pad_index] += 1


def pipeline(**properties: Any) -> tuple[Pipeline, Count, list[Any]]:
    one, count, messages = Pipeline("multi"), Count(), []
    one.add("nvmultiurisrcbin", "sources", {"port": "0", "width": 160, "height": 96, **properties})
    one.add("fakesink", "sink", {"sync": False}).link("sources", "sink").attach(
        "sources", Probe("count", count)
    )
    return one, count, messages


@pytest.fixture
def port() -> Iterator[int]:
    """A free port that nobody is given but who asks for it."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do, who may have it too
        held.bind(("localhost", 0))
        yield int(held.getsockname()[1])


def test_the_list_is_played_and_told() -> None:
    uris = ",".join(SCENE.format(seed) for seed in range(3))
    one, count, messages = pipeline(**{"uri-list": uris, "sensor-id-list": "a,b", "sensor-name-list": "Door"})
    one.start(messages.append).wait()
    assert count.frames == {0: 20, 1: 20, 2: 20}
    told = [m for m in messages if isinstance(m, DynamicSourceMessage) and m.source_added]
    assert [(m.source_id, m.sensor_id, m.sensor_name) for m in told] == [
        (0, "a", "Door"),
        (1, "b", "N/A"),
        (2, "2", "N/A"),
    ]


def test_sources_come_and_go_over_http(port: int) -> None:
    one, count, messages = pipeline(**{"port": str(port), "drop-pipeline-eos": True, "max-batch-size": 2})
    one.start(messages.append)

    def ask(path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"http://localhost:{port}/api/v1{path}", data, timeout=60) as reply:
            return json.loads(reply.read())

    def camera(name: str, seed: int) -> Any:
        return {"key": "sensor", "value": {"camera_id": name, "camera_url": ENDLESS.format(seed)}}

    def ready() -> bool:
        try:
            return bool(ask("/health/get-dsready-state")["health-info"]["ds-ready"] == "YES")
        except urllib.error.URLError:  # nobody listens yet
            return False

    wait_until(ready)
    assert ask("/stream/add", camera("a", 1))["reason"] == "STREAM_ADD_SUCCESS"
    assert ask("/stream/add", camera("b", 2))["reason"] == "STREAM_ADD_SUCCESS"
    assert "exceded max-batch-size" in ask("/stream/add", camera("c", 3))["reason"]
    wait_until(lambda: count.frames[0] > 5 and count.frames[1] > 5)
    assert ask("/stream/remove", camera("a", 1))["reason"] == "STREAM_REMOVE_SUCCESS"
    seen = count.frames[1]
    wait_until(lambda: count.frames[1] > seen + 5)  # the other one goes on
    assert [s["camera_id"] for s in ask("/stream/get-stream-info")["stream-info"]["stream-info"]] == ["b"]
    assert ask("/stream/add", camera("c", 3))["reason"] == "STREAM_ADD_SUCCESS"
    before = count.frames[0]
    wait_until(lambda: count.frames[0] > before)  # it takes the number that has become free
    assert ask("/mux/batched-push-timeout", {"stream": {"batched_push_timeout": 5000}})["reason"].endswith(
        "SUCCESS"
    )
    assert "no nvinfer in the pipeline" in ask("/infer/set-interval", {"stream": {"interval": 2}})["reason"]
    one.quit()
    one.wait()
    changes = [(m.source_added, m.sensor_id) for m in messages if isinstance(m, DynamicSourceMessage)]
    assert changes[:4] == [(True, "a"), (True, "b"), (False, "a"), (True, "c")]


def test_a_port_that_is_taken_is_an_error_that_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        one, _, _ = pipeline(**{"port": str(taken.getsockname()[1]), "uri-list": SCENE.format(1)})
        with pytest.raises(PipelineError, match="choose another port, or 0 for none"):
            one.start().wait()
