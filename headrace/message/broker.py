"""What a broker is, and how one is made from the name or library that a pipeline gives."""

from __future__ import annotations

import os
import re
from types import ModuleType
from typing import Protocol

from headrace import discovery, paths
from headrace.errors import BrokerError

PACKAGE = "headrace.message.brokers"
#: Names a file that gets the messages of the brokers in `_DUMPED`, which are then not connected to.
DUMP_VARIABLE = "NVDS_JSON_DUMP_FILE"
#: Brokers whose libraries `pip` knows as extras of Headrace.
_PLANNED = ("amqp", "kafka", "mqtt", "nats", "redis")
_DUMPED = ("kafka", "redis")


class Broker(Protocol):
    """Takes payloads to where they are read; each kind is one file in `headrace.message.brokers`.

    All methods are called by one thread, that of a `BrokerWorker`, which owns the broker from `connect` to
    `close`; no method needs a lock, and each may block. Whatever goes wrong is raised as `BrokerError` that
    names the address and the remedy. One that delivers in the background raises the failure of an earlier
    payload from a later `send` or from `close`.
    """

    def connect(self) -> None:
        """Open the connection; called once, before anything else."""
        ...

    def send(self, topic: str, payload: bytes) -> None:
        """Deliver one payload, or accept it for delivery; the bytes are not changed and not kept after."""
        ...

    def close(self) -> None:
        """Deliver what was accepted and let go of the connection; called once, also after a failure."""
        ...


def broker_name(proto_lib: str) -> str:
    """Name of the adaptor that a ``proto-lib`` value means.

    Example:
        >>> broker_name("/opt/nvidia/deepstream/deepstream/lib/libnvds_azure_edge_proto.so")
        'azure-edge'
    """
    base = proto_lib.strip().rsplit("/", 1)[-1]
    match = re.fullmatch(r"lib(?:nvds_)?(\w+?)_proto\.so[.\d]*", base)
    return (match[1] if match else base).replace("_", "-")


def adaptor(proto_lib: str) -> ModuleType:
    """The module of the adaptor that a ``proto-lib`` value means.

    Raises:
        BrokerError: There is no such adaptor, or it needs a library that is not installed.
    """
    name = broker_name(proto_lib)
    known = discovery.available(PACKAGE)
    if name not in known:
        raise BrokerError(
            f"no message broker adaptor {name!r} (proto-lib {proto_lib!r}) in this version of Headrace; "
            f"available: {', '.join(known)}{_remedy(name)}"
        )
    return discovery.load(PACKAGE, name, "message broker adaptor", BrokerError)


def _remedy(name: str) -> str:
    if name not in _PLANNED:
        return ". An adaptor of your own cannot be a compiled library here"
    return (
        f". To install it: pip install --upgrade 'headrace[{name}]'; to see the messages of kafka or redis without "
        f"it: {DUMP_VARIABLE}=FILE"
    )


def make_broker(proto_lib: str, conn_str: str, config: str = "") -> Broker:
    """A broker that is not connected yet.

    Args:
        proto_lib: Name of an adaptor such as ``file``, or the DeepStream library of that adaptor.
        conn_str: Address, in the adaptor's own form; not used where `DUMP_VARIABLE` sends messages to a file.
        config: Path of the adaptor's configuration file, empty for none.

    Raises:
        BrokerError: There is no such adaptor, or it cannot use the address or configuration.
    """
    dump = os.environ.get(DUMP_VARIABLE)
    if dump and broker_name(proto_lib) in _DUMPED:
        proto_lib, conn_str, config = "file", str(paths.resolve(dump)), ""
    module = adaptor(proto_lib)
    broker: Broker = module.build(conn_str, str(paths.resolve(config)) if config else "")
    return broker
