"""Pipelines: building, running, messages, errors, in Headrace's own manners and in DeepStream's."""

import threading
import time

import pytest
from chains import write_model
from flows import chain, finish, frames, play
from gi.repository import GLib, Gst
from waiting import wait_until

from headrace.errors import PipelineError
from headrace.flow import (
    BatchMetadataOperator,
    BufferObserver,
    BufferOperator,
    EOSMessage,
    Pipeline,
    PipelineState,
    Probe,
    ServiceMakerPipeline,
    StateTransitionMessage,
)
from headrace.flow.playing import stalls

SOURCE = ("videotestsrc", {"num-buffers": 3})
SINK = ("fakesink", {"sync": False})


class Raises(BatchMetadataOperator):
    """Raises at every batch; counts them."""

    def __init__(self):  # and does not call super().__init__()
        self.calls = 0

    def handle_metadata(self, batch_meta):
        self.calls += 1
        raise ValueError("broken on purpose")


class Count(BufferObserver):
    def __init__(self):
        self.calls = 0

    def handle_buffer(self, buffer):
        self.calls += 1


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda p: p.add("nosuchelement", "x"), "Element creation failed"),
        (lambda p: p.add("fakesink", "sink"), "Element creation failed: the name 'sink' is taken"),
        (lambda p: p["sonk"], "sonk Not found, did you mean 'sink'?"),
        (lambda p: p.link("source", "nobody"), "nobody Not found"),
        (lambda p: p.link("source"), "link needs two elements"),
        (lambda p: p.link(("source", "sink"), ("",)), "link takes"),
        (lambda p: p.link("sink", "source"), "Elements linking  failed"),
        (lambda p: p.link(("source", "sink"), ("src", "sink_%u")), "Elements linking  failed"),
        (lambda p: p.attach("sink", 7), "Unsupported object type int"),
        (lambda p: p.attach("sink", "measure_fsp_probe"), "did you mean 'measure_fps_probe'"),
        (lambda p: p.attach("sink", Probe("a", Count()), tips="nopad"), "Probe failure"),
        (lambda p: p.attach("sink", "sample_signal_handler"), "cannot be attached to signal 'model-updated'"),
        (lambda p: p.start("no function"), "on_message must be callable"),
        (lambda p: p.prepare(1), "on_message must be callable"),
    ],
)
def test_mistakes_raise_runtime_errors_in_the_contracts_words(build, text):
    pipeline = Pipeline("p").add("videotestsrc", "source").add("fakesink", "sink")
    with pytest.raises(RuntimeError) as caught:
        build(pipeline)
    assert text in str(caught.value)


def test_an_object_has_a_name_of_its_own_on_its_element():
    pipeline = Pipeline("p").add("fakesink", "sink").attach("sink", Probe("a", Count()))
    with pytest.raises(RuntimeError, match="has an object named 'a' already"):
        pipeline.attach("sink", Probe("a", Count()))
    assert pipeline["sink"].find("a").name == "a"
    assert pipeline["sink"].find("b") is None


def test_the_console_shows_the_contracts_texts_in_order(capfd):
    pipeline = chain(ServiceMakerPipeline("shown"), SOURCE, SINK)
    play(pipeline)
    lines = capfd.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith("Initializing")] == [
        "Add Element ... videotestsrc",
        "Add Element ... fakesink",
        "LINKING: Source: videotestsrc Target: fakesink",
        "Event Thread Enabled...",
        "Main Loop Running...",
        "End of stream",
        "Main Loop Exited...",
        "Pipeline shown stopped",
    ]


def test_headraces_own_pipeline_prints_nothing(capfd):
    play(chain(Pipeline("quiet"), SOURCE, SINK))
    with pytest.raises(PipelineError):
        play(chain(Pipeline("quiet"), ("filesrc", {"location": "/nowhere"}), SINK))
    shown = capfd.readouterr()
    assert shown.out + shown.err == ""


def test_messages_come_on_a_thread_of_the_pipelines_own():
    told, threads = [], set()

    def on_message(message):
        told.append(message)
        threads.add(threading.current_thread())

    play(chain(ServiceMakerPipeline("p"), SOURCE, SINK), on_message)
    playing = StateTransitionMessage(PipelineState.PAUSED, PipelineState.PLAYING, "fakesink")
    assert playing in told
    assert told[-1] == EOSMessage()
    assert {type(message) for message in told} == {StateTransitionMessage, EOSMessage}
    assert len(threads) == 1
    assert threading.main_thread() not in threads


def test_a_callback_that_raises_does_not_stop_the_stream(capfd):
    def on_message(message):
        raise ValueError("broken callback")

    play(chain(ServiceMakerPipeline("p"), SOURCE, SINK), on_message)
    shown = capfd.readouterr()
    assert "End of stream" in shown.out
    assert "ValueError: broken callback" in shown.err
    with pytest.raises(PipelineError, match="broken callback"):
        play(chain(Pipeline("p"), SOURCE, SINK), on_message)


def test_prepare_and_activate():
    told = []
    pipeline = chain(ServiceMakerPipeline("p"), SOURCE, SINK)
    assert pipeline.prepare(told.append) is pipeline
    time.sleep(0.05)
    assert pipeline.gst.get_state(0).state != PipelineState.PLAYING
    assert not any(isinstance(message, EOSMessage) for message in told)
    assert pipeline.activate() is pipeline
    finish(pipeline)
    assert told[-1] == EOSMessage()


def test_two_pipelines_make_progress_together():
    pipelines = [frames(20, kind=ServiceMakerPipeline) for _ in range(2)]
    counts = [Count(), Count()]
    for pipeline, count in zip(pipelines, counts, strict=True):
        pipeline.attach("mux", Probe("count", count)).start()
    for pipeline in pipelines:
        finish(pipeline)
    assert [count.calls for count in counts] == [20, 20]


def test_a_pipeline_runs_once_at_a_time_but_again_afterwards():
    pipeline = chain(Pipeline("p"), SOURCE, SINK)
    pipeline.start()
    with pytest.raises(PipelineError, match="runs already"):
        pipeline.start()
    finish(pipeline)
    play(pipeline)


def test_stop_sends_the_end_in_and_does_not_block(capfd):
    pipeline = chain(ServiceMakerPipeline("p"), ("videotestsrc", {"is-live": True}), SINK)
    pipeline.stop()  # nothing runs: nothing happens
    pipeline.start()
    pipeline.stop()
    finish(pipeline)
    lines = capfd.readouterr().out.splitlines()
    assert "Posted EOS to stop pipeline" in lines
    assert "End of stream" in lines


def test_stop_in_a_pause_is_kept_until_it_plays_again():
    pipeline = chain(Pipeline("p"), ("videotestsrc", {"is-live": True}), SINK)
    pipeline.start()
    wait_until(lambda: pipeline._events.started)
    pipeline.gst.set_state(Gst.State.PAUSED)
    pipeline.stop()
    pipeline.gst.set_state(Gst.State.PLAYING)
    finish(pipeline)


def test_seek_before_the_start():
    times = []

    class Times(BufferOperator):
        def handle_buffer(self, buffer):
            times.append(buffer.timestamp)

    pipeline = chain(Pipeline("p"), ("videotestsrc", {"num-buffers": 5}), SINK)
    pipeline.attach("videotestsrc", Probe("times", Times()))
    pipeline.seek(2.0)
    play(pipeline)
    assert 2_000_000_000 in times


@pytest.mark.parametrize(
    "element",
    [("filesrc", {"location": "/nowhere/at/all.h264"}), ("nvurisrcbin", {"uri": "file:///nowhere.mp4"})],
)
def test_a_source_that_cannot_start_does_not_hang_a_program(element, capfd):
    pipeline = ServiceMakerPipeline("p").add(*([element[0], "source", element[1]]))
    pipeline.add("nvstreammux", "mux").add("fakesink", "sink").link("mux", "sink")
    if element[0] == "nvurisrcbin":
        pipeline.link("source", "mux")
    play(pipeline)
    out = capfd.readouterr().out
    assert "ERROR from " in out
    assert "nowhere" in out
    assert out.rstrip().endswith("Pipeline p stopped")


def test_failing_to_start_is_told_and_the_thread_ends(capfd):
    pipeline = chain(ServiceMakerPipeline("p"), ("filesrc", {"location": "/nowhere"}), SINK)
    play(pipeline)
    out = capfd.readouterr().out
    assert "Unable to set the pipeline to the playing state." in out
    assert "Main Loop Running..." not in out
    with pytest.raises(PipelineError, match="nowhere"):
        play(chain(Pipeline("p"), ("filesrc", {"location": "/nowhere"}), SINK))


def test_an_error_that_cuts_the_only_stream_ends_the_wait(capfd):
    pipeline = frames(60, ("identity", {"error-after": 5}), kind=ServiceMakerPipeline)
    play(pipeline)
    out = capfd.readouterr().out
    assert "ERROR from identity: " in out
    assert "Pipeline test stopped" in out


@pytest.mark.parametrize(
    "text",
    [
        "Reconnection attempts exceeded for all sources or EOS received.",
        "closing: Output window was closed",
    ],
)
def test_two_errors_end_a_pipeline_that_could_go_on(text):
    pipeline = chain(ServiceMakerPipeline("p"), ("videotestsrc", {"is-live": True}), SINK)
    pipeline.start()
    wait_until(lambda: pipeline._events.started)
    element = pipeline["fakesink"].element
    for words in ("something else", text):
        error = GLib.Error.new_literal(Gst.stream_error_quark(), words, 1)
        element.post_message(Gst.Message.new_error(element, error, ""))
        if words != text:
            time.sleep(0.4)
            assert pipeline._thread.is_alive()
    finish(pipeline)


@pytest.mark.parametrize("kind", [ServiceMakerPipeline, Pipeline])
def test_an_error_on_the_way_to_playing_does_not_stop_it_for_ever(kind):
    """GStreamer gives up the way: a sink that has its first frame would wait for the rest of it."""
    count = Count()
    pipeline = chain(kind("p"), SOURCE, ("identity", {}), ("fakesink", {"sync": False}))

    class Posts(BufferOperator):
        def handle_buffer(self, buffer):
            if count.calls == 0:
                element = pipeline["identity"].element
                error = GLib.Error.new_literal(Gst.stream_error_quark(), "nothing serious", 1)
                element.post_message(Gst.Message.new_error(element, error, ""))

    pipeline.attach("videotestsrc", Probe("posts", Posts())).attach("identity", Probe("count", count))
    play(pipeline, on_error="return")
    # Where errors end a pipeline this one does, unless it came so early that GStreamer took no notice.
    assert count.calls in ((3,) if kind is ServiceMakerPipeline else (1, 3))


def test_after_an_error_a_slow_model_is_waited_for(tmp_path, monkeypatch, capfd):
    looks, go_on, look = [], tmp_path / "go on", stalls.StallWatch.is_stalled
    monkeypatch.setattr(stalls, "PATIENCE", 2)
    monkeypatch.setattr(stalls.StallWatch, "is_stalled", lambda watch: looks.append(look(watch)) or looks[-1])
    body = f"""
        def infer(self, frames):
            import os, time
            while not os.path.exists({str(go_on)!r}):
                time.sleep(0.01)
            return [Detections.empty() for _ in frames]
    """
    element, count = ("hrinfer", {"model": write_model(tmp_path, body)}), Count()
    pipeline = frames(1, element, kind=ServiceMakerPipeline).attach("hrinfer", Probe("count", count))
    pipeline.start()
    error = GLib.Error.new_literal(Gst.stream_error_quark(), "something else", 1)
    sink = pipeline["sink"].element
    sink.post_message(Gst.Message.new_error(sink, error, ""))
    read = pipeline["source"].element.get_static_pad("src")
    wait_until(lambda: read.get_task_state() == Gst.TaskState.PAUSED)
    looks.clear()
    wait_until(lambda: len(looks) > 5)
    go_on.touch()
    finish(pipeline)
    assert count.calls == 1
    assert "End of stream" in capfd.readouterr().out


def test_after_an_error_a_model_without_work_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(stalls, "PATIENCE", 5)
    body = "def infer(self, frames):\n    return [Detections.empty() for _ in frames]\n"
    model = "hrinfer", {"model": write_model(tmp_path, body)}
    play(frames(60, model, ("identity", {"error-after": 5}), kind=ServiceMakerPipeline))


def test_user_code_that_raises_keeps_the_buffer_and_the_stream(capfd):
    raises, count = Raises(), Count()
    pipeline = frames(3, ("identity", {}), kind=ServiceMakerPipeline)
    pipeline.attach("mux", Probe("faulty", raises)).attach("identity", Probe("count", count))
    play(pipeline)
    shown = capfd.readouterr()
    assert (raises.calls, count.calls) == (3, 3)
    assert "ValueError: broken on purpose" in shown.err
    assert "probe 'faulty'" in shown.err
    assert "End of stream" in shown.out


def test_wait_raises_when_asked_whatever_the_manners():
    pipeline = frames(3, kind=Pipeline).attach("mux", Probe("faulty", Raises()))
    with pytest.raises(PipelineError, match="broken on purpose") as caught:
        play(pipeline)
    assert "handle_metadata" in caught.value.debug
    play(frames(3, kind=Pipeline).attach("mux", Probe("faulty", Raises())), on_error="return")
    with pytest.raises(PipelineError):
        play(frames(3, ("identity", {"error-after": 2}), kind=ServiceMakerPipeline), on_error="raise")


class Third(BufferOperator):
    """Gives back one value."""

    def __init__(self, value):
        self.value = value

    def handle_buffer(self, buffer):
        return self.value


@pytest.mark.parametrize(("value", "kept"), [(True, 3), (1, 3), (None, 3), (False, 0), (0, 0)])
def test_a_buffer_operator_drops_by_what_is_false(value, kept):
    count = Count()
    pipeline = frames(3, ("identity", {}))
    pipeline.attach("mux", Probe("drop", Third(value))).attach("identity", Probe("count", count), tips="sink")
    play(pipeline)
    assert count.calls == kept


def test_probes_on_one_pad_run_in_the_order_in_which_they_came():
    order = []

    class Note(BatchMetadataOperator):
        def __init__(self, name):
            self.name = name

        def handle_metadata(self, batch_meta):
            order.append(self.name)

    pipeline = frames(1)
    for name in ("one", "two", "three"):
        pipeline.attach("mux", Probe(name, Note(name)))
    play(pipeline)
    assert order == ["one", "two", "three"]


@pytest.mark.parametrize("where", ["probe", "on_message"])
def test_waiting_in_a_callback_is_refused_not_a_deadlock(where):
    class Waits(BufferOperator):
        def handle_buffer(self, buffer):
            pipeline.wait()

    pipeline = Pipeline("p").add("fakesrc", "a", {"num-buffers": 2}).add("fakesink", "b").link("a", "b")
    if where == "probe":
        pipeline.attach("a", Probe("waits", Waits()))
        pipeline.start()
    else:
        pipeline.start(lambda message: pipeline.wait())
    with pytest.raises(PipelineError, match="wait outside"):
        pipeline.wait()


def test_an_output_without_a_link_is_named():
    pipeline = Pipeline("p").add("fakesrc", "a", {"num-buffers": 2})
    with pytest.raises(PipelineError, match="has no link") as caught:
        pipeline.start().wait()
    assert caught.value.element == "a"
