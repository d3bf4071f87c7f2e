"""A thread or the whole process stands still at the wrong moment: what must hold all the same."""

from __future__ import annotations

import dataclasses
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from gi.repository import Gst

from headrace.elements import nvmultiurisrcbin, rtsp_server
from headrace.elements.inference.tracked import TrackMemory
from headrace.elements.nvstreammux import StreamMux
from headrace.elements.nvurisrcbin import UriSource
from headrace.elements.source import opening
from headrace.elements.source.reconnecting import Reconnector
from headrace.elements.source.recording_file import RecordingFile
from headrace.source.control_api import Camera

MUX = "m.sink_0 nvstreammux name=m ! fakesink name=sink sync=false"


@pytest.mark.parametrize("step", ["_source_setup", "_part_added", "_pad_added"])
def test_a_file_that_is_opened_slowly_is_not_called_damaged(
    run: Any, small_clip: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setattr(opening, "_PERIOD", 0.02)
    original = getattr(UriSource, step)

    def slow(self: Any, *arguments: Any) -> Any:
        time.sleep(0.2)
        return original(self, *arguments)

    monkeypatch.setattr(UriSource, step, slow)
    one = run(f"nvurisrcbin uri={small_clip} ! {MUX}").to_end()
    assert len(one.out.pts) == 30


class Lost:
    """A source from which nothing comes; `opened` is called when it is opened again."""

    def __init__(self, opened: Any, warned: Any = lambda text: None) -> None:
        self.opened, self.post_warning = opened, warned

    def guarded(self, method: Any, otherwise: Any) -> Any:
        return method

    def reopen(self) -> None:
        self.opened()


def test_who_closes_a_source_waits_for_its_opening_under_way() -> None:
    begun, go = threading.Event(), threading.Event()

    def opened() -> None:
        begun.set()
        go.wait(60)

    lost = Lost(opened)
    reconnector = Reconnector(lost, lost.reopen, 0.02, 0.02, -1)
    assert begun.wait(60)
    closing = threading.Thread(target=reconnector.close)
    closing.start()
    closing.join(0.2)
    assert closing.is_alive(), "the source would be opened after its end"
    go.set()
    closing.join(60)
    assert not closing.is_alive()


def test_a_source_that_is_closed_is_not_opened_again() -> None:
    made, closed = threading.Event(), threading.Event()
    opened: list[int] = []

    def warned(_text: str) -> None:
        made.wait(60)
        reconnector.close()  # as it happens: between the warning and the opening
        closed.set()

    lost = Lost(lambda: opened.append(1), warned)
    before = set(threading.enumerate())
    reconnector = Reconnector(lost, lost.reopen, 0.02, 0.02, -1)
    (watching,) = [t for t in threading.enumerate() if t.name == "headrace-reconnect" and t not in before]
    made.set()
    assert closed.wait(60)
    watching.join(60)
    assert opened == []


def test_a_server_that_goes_before_its_thread_runs_leaves_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    go, threads = threading.Event(), []

    class Late(threading.Thread):
        def start(self) -> None:
            threads.append(self)
            super().start()

        def run(self) -> None:
            go.wait(60)
            super().run()

    monkeypatch.setattr(rtsp_server.threading, "Thread", Late)
    server = rtsp_server.RtspServer(0)
    threading.Timer(0.3, go.set).start()
    del server
    (thread,) = threads
    thread.join(60)
    assert not thread.is_alive()


def test_a_source_that_has_stopped_has_written_its_recordings(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = RecordingFile.finish
    monkeypatch.setattr(RecordingFile, "finish", lambda self: threading.Timer(0.3, original, (self,)).start())
    line = (
        "videotestsrc num-buffers=1800 ! video/x-raw,width=64,height=48 ! x264enc key-int-max=5 ! matroskamux"
    )
    run(f"{line} ! filesink location={tmp_path}/clip.mkv").to_end()
    folder = tmp_path / "recorded"
    folder.mkdir()
    one = run(
        f"nvurisrcbin name=s uri={tmp_path}/clip.mkv smart-record=1 smart-rec-dir-path={folder}"
        " ! m.sink_0 nvstreammux name=m ! fakesink name=sink sync=true"
    )
    one.play().wait(lambda: len(one.out.pts) > 5)
    assert one["s"].start_recording(1, 100) > 0
    one.stop()
    (path,) = folder.iterdir()
    assert b"moov" in path.read_bytes(), "without its table of contents nobody can read it"


def threads_of(call: Any, count: int) -> list[Any]:
    """What a function returns on several threads at once."""
    made: list[Any] = []
    threads = [threading.Thread(target=lambda: made.append(call())) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return made


def test_pads_that_are_asked_for_at_once_are_different(monkeypatch: pytest.MonkeyPatch) -> None:
    original = StreamMux.add_sink_pad

    def slow(self: Any, *arguments: Any) -> Any:
        time.sleep(0.1)
        return original(self, *arguments)

    monkeypatch.setattr(StreamMux, "add_sink_pad", slow)
    pipeline, mux = Gst.Pipeline(), Gst.ElementFactory.make("nvstreammux")
    pipeline.add(mux)
    pads = threads_of(lambda: mux.request_pad_simple("sink_%u"), 3)
    assert sorted(pad.get_name() for pad in pads) == ["sink_0", "sink_1", "sink_2"]


def test_sources_may_come_while_somebody_looks_at_them() -> None:
    pipeline, mux = Gst.Pipeline(), Gst.ElementFactory.make("nvstreammux")
    pipeline.add(mux)
    for _ in range(2):
        mux.request_pad_simple("sink_%u")
    seen = []
    for source in mux.sources.values():
        mux.request_pad_simple("sink_%u")
        seen.append(source.index)
    assert seen == [0, 1]
    assert len(mux.sources) == 4


def test_cameras_that_are_added_at_once_have_numbers_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    original = nvmultiurisrcbin.make
    element = Gst.ElementFactory.make("nvmultiurisrcbin")
    element.set_property("max-batch-size", 3)
    ids = iter("abc")

    def slow(*arguments: Any) -> Any:
        time.sleep(0.1)
        return original(*arguments)

    monkeypatch.setattr(nvmultiurisrcbin, "make", slow)
    numbers = threads_of(lambda: element.add_camera(Camera(next(ids), "", "sim://plaza")), 3)
    assert sorted(numbers) == [0, 1, 2]
    assert sorted(element.cameras) == [0, 1, 2]


def test_what_is_set_while_frames_begin_to_pass_takes_effect(run: Any, small_clip: Path) -> None:
    """The option comes between the question whether something is to be done, and the way past the converter."""
    one = run(f"nvurisrcbin name=s uri={small_clip} ! {MUX}")
    turned: list[Any] = []

    def found(_bin: Any, _sub: Any, part: Any) -> None:
        if part.get_factory().get_name() == "nvvideoconvert":
            opened = part.bypass.open

            def late() -> None:
                if not turned:
                    turned.append(part)
                    part.set_property("flip-method", 2)
                opened()

            part.bypass.open = late

    one.pipeline.connect("deep-element-added", found)
    one.to_end()
    (part,) = turned
    assert not part.bypass.is_open
    assert len(one.out.pts) == 30


def test_a_call_that_takes_its_time_is_no_error_at_the_end(run: Any, model: Any, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    slow = model(
        f"def infer(self, frames):\n    open({str(begun)!r}, 'w').close()\n    time.sleep(1.5)\n"
        "    return [Detections.empty() for _ in frames]"
    )
    source = "videotestsrc ! video/x-raw,format=RGB,width=64,height=48 ! m.sink_0 nvstreammux name=m"
    one = run(f"{source} ! hrinfer model={slow} ! fakesink name=sink").play()
    one.wait(begun.exists)
    bus = one.pipeline.get_bus()
    one.pipeline.set_state(Gst.State.READY)
    assert bus.timed_pop_filtered(0, Gst.MessageType.ERROR) is None
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("hr-infer")] == []


def test_settings_may_change_in_the_middle_of_a_batch(
    run: Any, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = TrackMemory.key

    def key(self: Any, *arguments: Any) -> Any:
        inference = one["i"].inference
        inference.settings = dataclasses.replace(inference.settings, reinfer_interval=None)
        return original(self, *arguments)

    monkeypatch.setattr(TrackMemory, "key", key)
    box = "Detections([[8, 8, 40, 30], [9, 9, 50, 40]], [0.9] * 2, [0] * 2, [7, 8])"
    finds = model(f"def infer(self, frames):\n    return [{box} for _ in frames]")
    names = model("def classify(self, frames):\n    return [(1, 0.7, 'b') for _ in frames]", "Classifier")
    one = run(
        "videotestsrc num-buffers=5 ! video/x-raw,format=RGB,width=64,height=48 ! m.sink_0 nvstreammux name=m"
        f" ! hrinfer model={finds} ! hrinfer name=i model={names} process-mode=2 reinfer-interval=1"
        " asynchronous=true ! fakesink name=sink sync=false"
    )
    one.to_end()
    assert len(one.out.pts) == 5


def test_a_source_that_is_interrupted_at_its_goodbye_is_no_error(
    run: Any, small_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As rtspsrc does: asked to pause and closed before its thread had sent that, it could not write."""
    original = UriSource._end_watches

    def interrupted(self: Any) -> None:
        original(self)
        part, quark = self.get_by_name("nvurisrc_bin_src_elem"), Gst.resource_error_quark()
        code = int(Gst.ResourceError.WRITE)
        Gst.Element.message_full(part, Gst.MessageType.ERROR, quark, code, "no", "no", "", "", 0)

    monkeypatch.setattr(UriSource, "_end_watches", interrupted)
    one = run(f"nvurisrcbin uri={small_clip} ! {MUX}")
    for frames in (30, 60):
        one.play().wait(lambda n=frames: len(one.out.pts) == n)  # type: ignore[misc]
        one.pipeline.set_state(Gst.State.READY)
        assert one.pipeline.get_bus().timed_pop_filtered(0, Gst.MessageType.ERROR) is None


def test_an_element_says_whether_it_waits_for_its_model(run: Any, model: Any, tmp_path: Path) -> None:
    gate = tmp_path / "go"
    held = model(
        f"def infer(self, frames):\n    import os\n    while not os.path.exists({str(gate)!r}):\n"
        "        time.sleep(0.01)\n    return [Detections.empty() for _ in frames]"
    )
    source = "videotestsrc num-buffers=3 ! video/x-raw,format=RGB,width=64,height=48 ! m.sink_0"
    one = run(f"{source} nvstreammux name=m ! hrinfer name=i model={held} ! fakesink name=sink").play()
    one.wait(lambda: one["i"].is_busy is True)
    gate.touch()
    one.wait()
    assert one["i"].is_busy is False
