"""Pipeline: elements by name, linked, probed and run (contract §1)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, ClassVar

from gi.repository import GLib, Gst

from headrace.elements import register_all
from headrace.elements.rtsp_server import RtspStream
from headrace.errors import PipelineError
from headrace.flow.linking import link
from headrace.flow.making import make_element
from headrace.flow.node import Node
from headrace.flow.objects.factory import CommonFactory
from headrace.flow.playing.ending import process_ends, running, stacks
from headrace.flow.playing.events import Events, OnMessage
from headrace.flow.playing.manners import OWN, SERVICE_MAKER, Manners, OnError
from headrace.flow.playing.recording import Recorder, RecordingInfo
from headrace.flow.playing.seeking import play_from
from headrace.flow.specification import build
from headrace.gst.face import describe
from headrace.gst.threads import is_streaming, shorten_switch_interval
from headrace.suggestion import did_you_mean

_POLL = 100 * Gst.MSECOND
#: Seconds that elements get to let go of what they hold before the pipeline is given up. One that is ended while a
#: model is loaded waits for that; on a slow machine it takes long.
_PATIENCE = 30.0


class Pipeline:
    """Elements, linked, that run on their own threads.

    Messages are handled on a thread of the pipeline's own, so two pipelines in one process do not meet.

    Args:
        name: Shown in messages.
        config_file: YAML file with nodes and edges that are added at once (contract §9).

    Attributes:
        manners: How it behaves towards its program; see `ServiceMakerPipeline`.

    Raises:
        PipelineError: The file cannot be used; names file, node and what would be right.

    Example:
        >>> pipeline = Pipeline("example")
        >>> _ = pipeline.add("videotestsrc", "source", {"num-buffers": 3}).add("fakesink", "sink")
        >>> _ = pipeline.link("source", "sink").start()
        >>> pipeline.wait()
    """

    manners: ClassVar[Manners] = OWN

    def __init__(self, name: str, config_file: str | os.PathLike[str] | None = None) -> None:
        _initialise(self.manners)
        self.name = name
        self.gst = Gst.Pipeline.new(name)
        self._nodes: dict[str, Node] = {}
        self._thread: threading.Thread | None = None
        self._events = Events(self.gst, self.manners, None)
        self._quit = threading.Event()
        self._stop_asked = False
        self._position: float | None = None
        self._recorder = Recorder(self)
        self._servers: list[RtspStream] = []
        if config_file:
            build(self, config_file)

    def add(self, type_name: str, name: str, properties: Mapping[str, Any] | None = None) -> Pipeline:
        """Make an element and add it.

        Raises:
            PipelineError: There is no such element, the name is taken, or a property does not fit.
        """
        if self.gst.get_by_name(name) is not None:
            raise PipelineError(f"Element creation failed: the name {name!r} is taken", name)
        self.gst.add(make_element(type_name, name))
        self.manners.say(f"Add Element ... {name}")
        self[name].set(properties or {})
        return self

    def __getitem__(self, name: str) -> Node:
        """The handle of an element.

        Raises:
            PipelineError: There is none of this name.
        """
        if name not in self._nodes:
            element = self.gst.get_by_name(name)
            if element is None:
                raise PipelineError(f"{name} Not found{did_you_mean(name, self._nodes)}", name)
            self._nodes[name] = Node(self, element)
        return self._nodes[name]

    def link(self, *names: Any) -> Pipeline:
        """Link elements: names in a row, or ``(source, target), (source_hint, target_hint)``.

        A hint is the name of a pad or of a pad template, or that of a pad to request; empty for any.

        Raises:
            PipelineError: They do not fit, or one does not exist.
        """
        if len(names) < 2:
            raise PipelineError("link needs two elements at least")
        hints = ("", "")
        if isinstance(names[0], tuple):
            if len(names) != 2 or any(not isinstance(pair, tuple) or len(pair) != 2 for pair in names):
                raise PipelineError(f"link takes (source, target), (source_hint, target_hint), not {names}")
            names, hints = names
        for source, target in pairwise(names):
            link(self[source].element, self[target].element, *hints, manners=self.manners)
        return self

    def attach(
        self,
        target: str,
        what: Any,
        name: str = "",
        tips: str = "",
        properties: Mapping[str, Any] | None = None,
    ) -> Pipeline:
        """Attach user code or a built-in object to an element; see `Node.attach`.

        Args:
            target: Name of the element.
            what: A Probe, Receiver, Feeder or signal handler, or the name of a built-in or registered one.
            name: Name of the new object, if `what` is a name; the same by default.
            tips: Name of a pad or of signals.
            properties: Properties of the new object.

        Raises:
            PipelineError: There is no such element, pad, signal or built-in object.
        """
        if isinstance(what, str):
            what = CommonFactory.create(what, name or what)
        self[target].attach(what, tips)
        if properties:
            what.set(properties)
        return self

    def prepare(self, on_message: OnMessage | None = None) -> Pipeline:
        """Get ready to play: models are loaded, sources opened; `activate` goes on.

        Args:
            on_message: Called for each `Message` on the pipeline's own thread.

        Raises:
            PipelineError: The callback cannot be called, or the pipeline runs already.
        """
        self._begin(on_message)
        if self.gst.set_state(Gst.State.PAUSED) == Gst.StateChangeReturn.FAILURE:
            self._cannot("paused")
        return self

    def activate(self) -> Pipeline:
        """Play what `prepare` made ready; returns at once."""
        self._thread = threading.Thread(target=self._run, name=f"headrace-{self.name}", daemon=True)
        self._thread.start()
        running.add(self)
        return self

    def start(self, on_message: OnMessage | None = None) -> Pipeline:
        """Start to play; returns at once.

        Args:
            on_message: Called for each `Message` on the pipeline's own thread.

        Raises:
            PipelineError: The callback cannot be called, or the pipeline runs already.
        """
        self._begin(on_message)
        return self.activate()

    def wait(self, on_error: OnError | None = None) -> None:
        """Wait for the end, then free everything the elements hold.

        Args:
            on_error: ``raise`` ends the pipeline at the first error and raises it; ``return`` goes on until end of
                stream, `quit`, or an error after which nothing can come, as DeepStream's programs expect. By default
                what the pipeline's manners say.

        Raises:
            PipelineError: An element failed; user code on a streaming thread does not return (the debug text shows
                where each thread is); or a callback waits, for itself.
        """
        if is_streaming(threading.current_thread()) or self._thread is threading.current_thread():
            raise PipelineError(
                "wait() in a callback would wait for itself; call stop() there, and wait outside"
            )
        raises = (on_error or self.manners.on_error) == "raise"
        thread = self._thread
        while thread is not None and thread.is_alive() and not self._quit.is_set():
            thread.join(0.05)
            if raises and self._events.error is not None:
                self.quit()
        self._free()
        self.manners.say(f"Pipeline {self.name} stopped")
        if raises and self._events.error is not None:
            raise self._events.error

    def stop(self) -> None:
        """Send end of stream in at every source, so that files are finished; does not wait.

        While the pipeline is on its way to play, the end is sent as soon as it does: sources that are being opened take
        it for damage. `quit` ends one that never gets there.
        """
        self._stop_asked = self._thread is not None

    def quit(self) -> None:
        """End without waiting for what is under way."""
        self._quit.set()

    def seek(self, seconds: float) -> None:
        """Go on from another place: at once while playing, otherwise when it starts."""
        self._position = float(seconds)
        if self._thread is not None and self._events.started:
            play_from(self.gst, self._position, lambda: self._quit.is_set())

    def start_rtsp_server(self, rtsp_port: int, udp_port: int, buffer_size: int = 0) -> int:
        """Serve H.264 that arrives as RTP at a UDP port, at ``rtsp://localhost:<rtsp_port>/ds-test``.

        Args:
            rtsp_port: Port of the server.
            udp_port: Port where the pipeline's udpsink sends to.
            buffer_size: Bytes of the receiving socket's buffer, 0 for 1 MiB.

        Returns:
            Number of the server within this pipeline; it ends with the pipeline.

        Raises:
            PipelineError: The port is in use, or the GstRtspServer library is missing.
        """
        self._servers.append(RtspStream(rtsp_port, "/ds-test", udp_port, buffer_size=buffer_size))
        return len(self._servers) - 1

    def start_recording(
        self,
        source_name: str,
        start_time: int,
        duration: int,
        callback: Callable[[RecordingInfo], Any] | None = None,
    ) -> int:
        """Record a source to a file (smart recording of ``nvurisrcbin``).

        Args:
            source_name: The element.
            start_time: Seconds before now from where on, out of the element's cache.
            duration: Seconds from now on.
            callback: Called with a `RecordingInfo` when the file is finished; by default a line is printed.

        Returns:
            Number of the session, 0 when it cannot be recorded: a line says why.
        """
        return self._recorder.start(source_name, start_time, duration, callback)

    def stop_recording(self, source_name: str) -> bool:
        """End the recording of a source; returns whether there was one."""
        return self._recorder.stop(source_name)

    def stop_recording_by_session_id(self, session_id: int) -> bool:
        """End the recording with this number; returns whether there was one."""
        return self._recorder.stop_session(session_id)

    def failed(self, element: Gst.Element, place: str, error: BaseException) -> bool:
        """User code raised: tell it as the pipeline's manners are; returns whether its buffer goes on.

        Args:
            element: Where it is attached.
            place: Whose code, and at which frame.
            error: What it raised.
        """
        text, debug = describe(error, place)
        if self.manners.keeps_going:
            self._events.print_user_error(text, debug)
            return True
        gerror = GLib.Error.new_literal(Gst.stream_error_quark(), text, int(Gst.StreamError.FAILED))
        element.post_message(Gst.Message.new_error(element, gerror, debug))
        return False

    def _begin(self, on_message: OnMessage | None) -> None:
        if on_message is not None and not callable(on_message):
            raise PipelineError("on_message must be callable")
        if self._thread is not None:
            raise PipelineError(f"pipeline {self.name!r} runs already; wait for its end first")
        self._quit.clear()
        self._stop_asked = False
        self._events = Events(self.gst, self.manners, on_message)
        shorten_switch_interval()

    def _run(self) -> None:
        self.manners.say("Event Thread Enabled...")
        if self._quit.is_set() or not self._play():
            return
        self.manners.say("Main Loop Running...")
        self._loop()
        self._events.over = True
        self.manners.say("Main Loop Exited...")
        if process_ends.is_set():
            self.gst.set_state(Gst.State.NULL)

    def _play(self) -> bool:
        if self._position is not None:
            play_from(self.gst, self._position, lambda: self._quit.is_set())
        elif self.gst.set_state(Gst.State.PLAYING) == Gst.StateChangeReturn.FAILURE:
            self._cannot("playing")
            return False
        return True

    def _cannot(self, state: str) -> None:
        self.manners.say(f"Unable to set the pipeline to the {state} state.")
        self._drain()
        self._events.fail(f"pipeline {self.name!r} could not start")
        self._quit.set()

    def _loop(self) -> None:
        bus = self.gst.get_bus()
        while True:
            message = bus.timed_pop(0 if self._quit.is_set() else _POLL)
            if self._stop_asked and self.gst.get_state(0).state == Gst.State.PLAYING:
                self._send_end()
            if message is not None:
                if self._events.handle(message) or self._events.is_given_up(message):
                    return
            elif self._quit.is_set() or self._events.is_stalled():
                return

    def _drain(self) -> None:
        while (message := self.gst.get_bus().pop()) is not None:
            self._events.handle(message)

    def _send_end(self) -> None:
        self._stop_asked = False
        # In a thread of its own: it waits for sources, which may wait for a model.
        threading.Thread(
            target=self.gst.send_event, args=(Gst.Event.new_eos(),), name="headrace-stop", daemon=True
        ).start()
        self.manners.say("Posted EOS to stop pipeline")

    def _free(self) -> None:
        helper = threading.Thread(target=self._shut_down, name=f"headrace-end-{self.name}", daemon=True)
        helper.start()
        helper.join(_PATIENCE)
        if helper.is_alive():
            raise PipelineError(
                f"pipeline {self.name!r} does not end: code of an element or probe has not returned for "
                f"{_PATIENCE:g} s; see the debug text for where",
                debug=stacks(),
            )

    def _shut_down(self) -> None:
        thread = self._thread
        if thread is not None:
            thread.join()
            self._thread = None
        if self.gst.get_state(0).state != Gst.State.NULL:
            # In READY elements have finished, but their last messages are not flushed yet as they are in NULL.
            self.gst.set_state(Gst.State.READY)
            self._drain()
        self.gst.set_state(Gst.State.NULL)
        while self._servers:
            self._servers.pop().close()


class ServiceMakerPipeline(Pipeline):
    """The pipeline as programs written for pyservicemaker know it.

    It prints the contract's texts, `wait` returns after errors, and exceptions in user code are printed to stderr
    while the stream goes on.

    Example:
        >>> ServiceMakerPipeline.manners.on_error, Pipeline.manners.on_error
        ('return', 'raise')
    """

    manners = SERVICE_MAKER


_initialised: set[Manners] = set()


def _initialise(manners: Manners) -> None:
    """What the first pipeline of a process does."""
    if manners not in _initialised:
        _initialised.add(manners)
        manners.say("Initializing GStreamer Backend...!")
    register_all()
