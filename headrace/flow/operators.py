"""What user code attaches to a pipeline: operators on batches and buffers, and the probe that calls them."""

from __future__ import annotations

from typing import Any

from headrace.meta.batch import BatchMetadata
from headrace.meta.buffer import Buffer


class BatchMetadataOperator:
    """User code that reads and writes the metadata of each batch; override `handle_metadata`.

    Called on the streaming thread; metadata is valid until it returns.

    Example:
        >>> class Count(BatchMetadataOperator):
        ...     def handle_metadata(self, batch_meta):
        ...         print(sum(frame.n_objects for frame in batch_meta.frame_items))
        >>> Count().handle_metadata(BatchMetadata.new(2))
        0
    """

    def handle_metadata(self, batch_meta: BatchMetadata) -> None:
        """Called once for each batch; the return value is ignored."""
        raise NotImplementedError(f"{type(self).__name__} must override handle_metadata(self, batch_meta)")


class BufferOperator:
    """User code that sees each buffer and may drop it; override `handle_buffer`.

    Example:
        >>> class Even(BufferOperator):
        ...     def handle_buffer(self, buffer):
        ...         return buffer.timestamp % 2 == 0
        >>> Even().handle_buffer(Buffer())
        False
    """

    def handle_buffer(self, buffer: Buffer) -> bool | None:
        """Called once for each buffer; ``False`` drops it, ``None`` keeps it."""
        raise NotImplementedError(f"{type(self).__name__} must override handle_buffer(self, buffer)")


class Probe:
    """An operator under a name, to be attached to an element.

    Args:
        name: Unique on its element.
        operator: The user code; kept alive.

    Raises:
        TypeError: The operator is of another kind.

    Example:
        >>> Probe("nothing", BatchMetadataOperator()).name
        'nothing'
    """

    def __init__(self, name: str, operator: Any) -> None:
        if not isinstance(operator, BatchMetadataOperator | BufferOperator):
            raise TypeError(
                f"probe {name!r} needs a BatchMetadataOperator or BufferOperator, not {type(operator).__name__}"
            )
        self.name = name
        self.operator = operator

    def handle(self, buffer: Buffer) -> bool:
        """Call the operator; returns whether the buffer goes on."""
        if isinstance(self.operator, BatchMetadataOperator):
            meta = buffer.batch_meta
            if meta is not None:
                self.operator.handle_metadata(meta)
            return True
        return self.operator.handle_buffer(buffer) is not False
