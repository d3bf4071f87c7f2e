"""nvmsgbroker: delivers messages, off the streaming thread.

gst-launch-1.0 ... ! nvmsgconv ... ! nvmsgbroker proto-lib=file conn-str=/tmp/events.jsonl
"""

from __future__ import annotations

import dataclasses

from gi.repository import Gst, GstBase

from headrace.errors import ConfigError
from headrace.gst import payload
from headrace.gst.face import ANY, USER_ERRORS, Face, properties_of, template
from headrace.gst.options import option
from headrace.gst.threads import keep_thread_state
from headrace.message import BrokerWorker, make_broker
from headrace.meta.batch import Batch
from headrace.meta.user import MetaType
from headrace.profiling import span


@dataclasses.dataclass(frozen=True)
class MsgBrokerOptions:
    """Options of nvmsgbroker."""

    proto_lib: str = option("", "adaptor, such as file; DeepStream's library names are understood too")
    conn_str: str = option("", "address; for file: a path, or - for standard output")
    config: str = option("", "file with the adaptor's settings")
    topic: str = option("", "topic; empty: what stands behind the last ; of conn-str")
    comp_id: int = option(0, "only events of this component", no_effect="choose at nvmsgconv")
    on_error: str = option(
        "stop", "when a message cannot be delivered: stop the pipeline, or drop the message"
    )
    new_api: bool = option(False, "use the reconnecting library", no_effect="there is one way of delivery")
    sleep_time: int = option(0, "pause between work calls, ms", no_effect="delivery waits for messages")


class MsgBroker(Face, GstBase.BaseSink):
    """Face of delivery: payloads on frames go to a worker's queue."""

    __gtype_name__ = "HeadraceMsgBroker"
    factory = "nvmsgbroker"
    options_type = MsgBrokerOptions
    __gproperties__ = properties_of(MsgBrokerOptions)
    __gstmetadata__ = ("Message broker", "Sink/Metadata", "Sends messages", "Headrace")
    __gsttemplates__ = (template("sink", Gst.PadDirection.SINK, ANY),)

    worker: BrokerWorker | None = None

    def do_start(self) -> bool:
        """GStreamer vmethod: connect."""
        options = self.options
        try:
            if options.on_error not in ("stop", "drop"):
                raise ConfigError(f"on-error={options.on_error!r} is not known; use stop or drop")
            if not options.proto_lib:
                raise ConfigError("no adaptor: set proto-lib=file and conn-str=PATH")
            broker = make_broker(options.proto_lib, options.conn_str, options.config)
            self.worker = BrokerWorker(broker, on_error=self._undelivered)
            self.worker.start()
        except USER_ERRORS as error:
            self.post_error(error)
            return False
        return True

    def do_stop(self) -> bool:
        """GStreamer vmethod: deliver what waits and disconnect."""
        worker, self.worker = self.worker, None
        try:
            if worker is not None:
                worker.close()
        except USER_ERRORS as error:  # the way down must not fail
            self.post_error(error)
        return True

    def do_render(self, buffer: Gst.Buffer) -> Gst.FlowReturn:
        """GStreamer vmethod: queue the payloads of one buffer."""
        keep_thread_state()
        try:
            rider = payload.find(hash(buffer))
            if isinstance(rider, Batch) and self.worker is not None:
                with span(self, rider.meta.frames):
                    self._send(self.worker, rider)
        except USER_ERRORS as error:
            self.post_error(error)
            return Gst.FlowReturn.ERROR
        return Gst.FlowReturn.OK

    def _send(self, worker: BrokerWorker, batch: Batch) -> None:
        for frame in batch.meta.frames:
            for meta in frame.user_meta_items(MetaType.PAYLOAD):
                worker.submit(self.options.topic, meta.data)

    def _undelivered(self, error: Exception) -> None:
        if self.options.on_error == "stop":
            self.post_error(error)
        else:
            self.post_warning(str(error))
