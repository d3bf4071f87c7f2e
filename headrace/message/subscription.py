"""Payloads from a broker: the receiving side of the adaptors in `headrace.message.brokers`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from headrace.errors import BrokerError
from headrace.message.broker import adaptor


class Subscription(Protocol):
    """Receives payloads; all methods are called by one thread."""

    def receive(self, timeout: float) -> bytes | None:
        """The next payload, ``None`` if none came within so many seconds."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


def subscribe(proto_lib: str, conn_str: str, config: str, topics: Sequence[str]) -> Subscription:
    """Connect and receive what is published from now on.

    Args:
        proto_lib: Name of an adaptor such as ``file``, or the DeepStream library of that adaptor.
        conn_str: Address, in the adaptor's own form.
        config: Path of the adaptor's configuration file, empty for none.
        topics: What to receive.

    Raises:
        BrokerError: There is no such adaptor, it cannot receive, or it cannot connect.
    """
    module = adaptor(proto_lib)
    if not hasattr(module, "subscribe"):
        raise BrokerError(f"the message broker adaptor of {proto_lib!r} sends only; it receives no commands")
    subscription: Subscription = module.subscribe(conn_str, config, topics)
    return subscription
