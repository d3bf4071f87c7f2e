"""hrvlm: asks a vision-language model about objects and frames, when a rule holds, and attaches its answers.

gst-launch-1.0 ... ! nvtracker ! hrvlm config-file-path=questions.yaml ! nvmsgconv payload-type=1 ! ...
gst-launch-1.0 ... ! hrvlm base-url=http://localhost:8000/v1 model=qwen2.5-vl prompt="What happens?" ! ...

Batches pass at once; an answer comes with a later batch of the same source, as the signal ``vlm-result`` (JSON) and as
an element message of that name on the bus.
"""

from __future__ import annotations

import dataclasses
import json
import weakref
from collections.abc import Iterable
from typing import Any, ClassVar

from gi.repository import GObject, Gst

from headrace.elements.base.filter import ON_ERROR_HELP, Filter
from headrace.elements.vlm.answering import Answers
from headrace.elements.vlm.watching import SourceWatchers
from headrace.gst.face import describe, properties_of
from headrace.gst.options import option
from headrace.meta.batch import Batch
from headrace.paths import resolve
from headrace.vlm import Asker, AskerCounts, VlmRequest, VlmResult, load_config
from headrace.vlm.loader import load_model

RESULT = "vlm-result"
_COUNTS = "counts"


@dataclasses.dataclass(frozen=True)
class VlmOptions:
    """Options of hrvlm."""

    config_file_path: str = option("", "YAML file with questions, rules, server and limits")
    base_url: str = option("", "address of an OpenAI-compatible server up to /v1; wins over the file")
    model: str = option(
        "", "with base-url the server's name of the model, otherwise file.py:Class; wins over the file"
    )
    prompt: str = option("", "the question; wins over the file")
    when: str = option(
        "", "the rule that must hold, such as class == person and dwell > 10; wins over the file"
    )
    counts: str = option(
        "", "questions asked, answered, waiting and lost, with reasons, as JSON", read_only=True
    )
    on_error: str = option("stop", ON_ERROR_HELP)


class Vlm(Filter):
    """Face of the questions: a watcher for each source, and threads that ask."""

    __gtype_name__ = "HeadraceVlm"
    factory = "hrvlm"
    options_type = VlmOptions
    __gproperties__ = properties_of(VlmOptions)
    __gsignals__: ClassVar[dict[str, Any]] = {RESULT: (GObject.SignalFlags.RUN_LAST, None, (str,))}
    __gstmetadata__ = (
        "Vision-language model",
        "Filter/Analyzer/Video",
        "Asks about objects and frames, and attaches the answers",
        "Headrace",
    )

    asker: Asker | None = None

    def start(self) -> None:
        """Read the configuration and load the model."""
        options = self.options
        names = ("base_url", "model", "prompt", "when")
        config = load_config(options.config_file_path, {name: getattr(options, name) for name in names})
        self.drain_timeout = config.drain_timeout
        self.watchers = SourceWatchers(config, self.post_warning)
        self.answers = Answers(config)
        announce, report = weakref.WeakMethod(self._announce), weakref.WeakMethod(self._report)
        # A path in the file is relative to the file, one in a property to the working directory.
        inside = options.config_file_path and not options.model
        model = load_model(config, resolve(options.config_file_path).parent if inside else None)
        self.asker = Asker(model, config, _weakly(announce), _weakly(report))

    def stop(self) -> None:
        """End the threads."""
        if self.asker is not None:
            self.asker.close()

    @property
    def counts(self) -> AskerCounts:
        """What became of the questions of this run or, after it, the last one."""
        return AskerCounts() if self.asker is None else self.asker.counts

    def do_get_property(self, spec: GObject.ParamSpec) -> Any:
        """GObject vmethod."""
        if spec.name != _COUNTS:
            return super().do_get_property(spec)
        return json.dumps(dataclasses.asdict(self.counts))

    def process(self, batch: Batch, buffer: int) -> None:
        """Attach the answers that have come, and ask what is due."""
        if self.asker is not None:
            self.answers.write(batch.meta, self.asker.results())
            self._submit(self.watchers.look(batch))

    def source_event(self, what: str, index: int) -> None:
        """Questions about a source that has gone are asked with the pictures there are."""
        if what in ("pad-deleted", "stream-eos"):
            self._submit(self.watchers.finish(index))
            self.answers.forget(index)

    def _submit(self, requests: Iterable[VlmRequest]) -> None:
        if self.asker is not None:
            for request in requests:
                self.asker.submit(request)

    def handle_event(self, pad: Gst.Pad, event: Gst.Event) -> bool:
        """The end of the stream waits for answers, but not for long; a flush ends the waiting."""
        if self.asker is not None:
            if event.type == Gst.EventType.EOS:
                self._submit(self.watchers.finish())
                self.asker.drain(self.drain_timeout)
            elif event.type == Gst.EventType.FLUSH_START:
                self.asker.interrupt()
            elif event.type == Gst.EventType.FLUSH_STOP:
                self.asker.resume()
        return super().handle_event(pad, event)

    def do_change_state(self, transition: Gst.StateChange) -> Gst.StateChangeReturn:
        """GStreamer vmethod: who stops does not wait for answers."""
        if transition == Gst.StateChange.PAUSED_TO_READY and self.asker is not None:
            self.asker.interrupt()
        return Filter.do_change_state(self, transition)

    def _announce(self, result: VlmResult) -> None:
        """An answer has come; on an asking thread."""
        text = json.dumps(result.to_dict())
        self.emit(RESULT, text)
        structure = Gst.Structure.new_empty(RESULT)
        structure.set_value("result", text)
        self.post_message(Gst.Message.new_element(self, structure))

    def _report(self, error: BaseException) -> None:
        """A question was not answered; on an asking thread."""
        self.post_warning(*describe(error))


def _weakly(method: weakref.WeakMethod[Any]) -> Any:
    """A call for another thread, which does not keep the element alive."""

    def call(*arguments: Any) -> None:
        target = method()
        if target is not None:
            target(*arguments)

    return call
