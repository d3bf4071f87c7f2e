"""A thread or the whole process stands still at the wrong moment: what must hold all the same."""

from __future__ import annotations

import gc
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from gi.repository import Gst

from headrace.elements import rtsp_server
from headrace.elements.nvurisrcbin import UriSource
from headrace.elements.source import opening
from headrace.elements.source.reconnecting import Reconnector

MUX = "m.sink_0 nvstreammux name=m ! fakesink name=sink sync=false"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    line = "videotestsrc num-buffers=10 ! video/x-raw,width=64,height=48,framerate=25/1 ! x264enc ! mp4mux"
    pipeline = Gst.parse_launch(f"{line} ! filesink location={path}")
    pipeline.set_state(Gst.State.PLAYING)
    pipeline.get_bus().timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.EOS)
    pipeline.set_state(Gst.State.NULL)
    return path


@pytest.mark.parametrize("step", ["_source_setup", "_part_added", "_pad_added"])
def test_a_file_that_is_opened_slowly_is_not_called_damaged(
    run: Any, clip: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setattr(opening, "_PERIOD", 0.02)
    original = getattr(UriSource, step)

    def slow(self: Any, *arguments: Any) -> Any:
        time.sleep(0.2)
        return original(self, *arguments)

    monkeypatch.setattr(UriSource, step, slow)
    one = run(f"nvurisrcbin uri={clip} ! {MUX}").to_end()
    assert len(one.out.pts) == 10


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
    del server
    gc.collect()
    go.set()
    (thread,) = threads
    thread.join(60)
    assert not thread.is_alive()
