"""nvmsgbrokersinkbin: makes messages of metadata and delivers them.

gst-launch-1.0 ... ! nvmsgbrokersinkbin msg-conv-config=sensors.txt msg-broker-proto-lib=file \
        msg-broker-conn-str=events.jsonl
"""

from __future__ import annotations

import dataclasses
from typing import Any

from gi.repository import Gst

from headrace.elements.base.built import Built
from headrace.elements.base.caps import BATCH_CAPS
from headrace.elements.base.parts import make
from headrace.elements.nvmsgbroker import MsgBrokerOptions
from headrace.elements.nvmsgconv import MsgConvOptions
from headrace.gst.face import properties_of, template
from headrace.gst.options import option, property_name

_SYNC = option(False, "send messages at their frames' time; without it at once")


def _own_name(prefix: str, field: str) -> str:
    """This bin's name for an option of one of its elements."""
    if field == "topic":
        return field
    return prefix + ("msg2p_new_api" if field == "msg2p_newapi" else field)


def _fields(prefix: str, options: type[Any]) -> list[tuple[str, str, Any]]:
    return [
        (
            _own_name(prefix, field.name),
            "object",
            dataclasses.field(default=field.default, metadata=field.metadata),
        )
        for field in dataclasses.fields(options)
    ]


MsgBrokerBinOptions = dataclasses.make_dataclass(
    "MsgBrokerBinOptions",
    [
        *_fields("msg_conv_", MsgConvOptions),
        *_fields("msg_broker_", MsgBrokerOptions),
        ("sync", "bool", _SYNC),
    ],
    frozen=True,
)


class MsgBrokerBin(Built):
    """Face of a queue, nvmsgconv and nvmsgbroker; properties of both begin with ``msg-conv-`` and ``msg-broker-``."""

    __gtype_name__ = "NvMsgBrokerSinkBin"
    factory = "nvmsgbrokersinkbin"
    options_type = MsgBrokerBinOptions
    __gproperties__ = properties_of(MsgBrokerBinOptions)
    __gstmetadata__ = ("Message sink", "Sink/Metadata", "Makes and sends messages", "Headrace")
    __gsttemplates__ = (template("sink", Gst.PadDirection.SINK, BATCH_CAPS),)

    def build(self) -> list[Gst.Element]:
        """Queue, converter, broker."""
        converter = make("nvmsgconv", "converter", self._of("msg_conv_", MsgConvOptions))
        broker = make("nvmsgbroker", "broker", self._of("msg_broker_", MsgBrokerOptions))
        broker.set_property("sync", self.options.sync)
        return [make("queue", None, {"max-size-buffers": 4}), converter, broker]

    def _of(self, prefix: str, options: type[Any]) -> dict[str, Any]:
        return {
            property_name(field.name): getattr(self.options, _own_name(prefix, field.name))
            for field in dataclasses.fields(options)
        }
