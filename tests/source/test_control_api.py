"""What the control interface answers, without a pipeline."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.errors import SourceError
from headrace.source.control_api import SETTINGS, Camera, Stream, answer


class Recorder:
    """Controls that remember what they were told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def add_camera(self, camera: Camera) -> int:
        if camera.id == "taken":
            raise SourceError("Duplicate Camera id, unable to add stream")
        self.told.append(camera)
        return 0

    def remove_camera(self, camera_id: str, uri: str) -> None:
        self.told.append((camera_id, uri))

    def streams(self) -> list[Stream]:
        return [Stream(3, Camera("dock", "Dock", "file:///a.mp4"), 120, 29.97)]

    def is_ready(self) -> bool:
        return True

    def control(self, target: str, name: str, value: Any, stream_id: str) -> None:
        self.told.append((target, name, value, stream_id))

    def quit(self) -> None:
        self.told.append("quit")


def camera(**value: str) -> dict[str, Any]:
    return {"key": "sensor", "value": {"camera_id": "1", "camera_url": "file:///a.mp4", **value}}


def test_a_stream_is_added() -> None:
    controls = Recorder()
    said = answer(controls, "POST", "/api/v1/stream/add", camera(camera_name="n", change="camera_add"))
    assert said == {"status": "HTTP/1.1 200 OK", "reason": "STREAM_ADD_SUCCESS"}
    assert controls.told == [Camera("1", "n", "file:///a.mp4")]


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        (
            "/stream/add",
            camera(camera_id="taken"),
            "STREAM_ADD_FAIL, Duplicate Camera id, unable to add stream",
        ),
        ("/stream/add", camera(camera_url=""), "STREAM_ADD_FAIL, Source url empty"),
        ("/stream/add", camera(camera_id=""), "STREAM_ADD_FAIL, Source id empty"),
        ("/stream/add", {}, 'STREAM_ADD_FAIL, the body must be an object such as {"value": {...}}'),
        (
            "/stream/add",
            camera(change="camera_remove"),
            "STREAM_ADD_FAIL, change is 'camera_remove'; use camera_add",
        ),
        ("/infer/set-interval", {"stream": {}}, "INFER_SET_INTERVAL_FAIL, the field interval is missing"),
        ("/roi/update", {"stream": {}}, "ROI_UPDATE_FAIL, this is not offered here"),
    ],
)
def test_what_fails_says_why(path: str, body: dict[str, Any], reason: str) -> None:
    said = answer(Recorder(), "POST", f"/api/v1{path}", body)
    assert said == {"status": "HTTP/1.1 400 Bad Request", "reason": reason}


def test_a_stream_is_removed() -> None:
    controls = Recorder()
    answer(controls, "POST", "/api/v1/stream/remove", camera(change="camera_remove"))
    assert controls.told == [("1", "file:///a.mp4")]


@pytest.mark.parametrize(("path", "setting"), SETTINGS.items())
def test_settings_reach_their_elements(path: str, setting: tuple[str, str, str]) -> None:
    target, field, name = setting
    controls = Recorder()
    answer(controls, "POST", f"/api/v1{path}", {"stream": {"stream_id": "2", field: 5}})
    assert controls.told == [(target, name, 5, "2")]


def test_what_is_read() -> None:
    info = answer(Recorder(), "GET", "/api/v1/stream/get-stream-info")
    assert info is not None
    assert info["stream-info"] == {
        "stream-count": 1,
        "stream-info": [{"source_id": 3, "camera_id": "dock", "camera_name": "Dock"}],
    }
    health = answer(Recorder(), "GET", "/api/v1/health/get-dsready-state")
    assert health is not None
    assert health["health-info"] == {"ds-ready": "YES"}
    metrics = answer(Recorder(), "GET", "/metrics?x=1")
    assert metrics is not None
    assert metrics["metrics-info"]["stream-stats"][0]["fps"] == 29.97


def test_unknown_paths() -> None:
    assert answer(Recorder(), "GET", "/api/v1/nothing") is None
    assert answer(Recorder(), "POST", "/api/v1/nothing", {}) is None
