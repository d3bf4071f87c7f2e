"""User code of a pipeline: operators on batches and buffers, what takes buffers out and what puts them in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from headrace.flow.objects.configurable import Configurable, Value
from headrace.meta.batch import BatchMetadata
from headrace.meta.buffer import Buffer


class BatchMetadataOperator(Configurable):
    """User code that reads and writes the metadata of each batch; override `handle_metadata`.

    Called on the streaming thread; metadata is valid until it returns. `get_property` reads what was set on its
    probe. A subclass need not call ``super().__init__()``.

    Example:
        >>> class Count(BatchMetadataOperator):
        ...     def handle_metadata(self, batch_meta):
        ...         print(sum(frame.n_objects for frame in batch_meta.frame_items))
        >>> Count().handle_metadata(BatchMetadata.new(2))
        0
    """

    def handle_metadata(self, batch_meta: BatchMetadata) -> Any:
        """Called once for each batch; the return value is ignored."""
        raise NotImplementedError(f"{type(self).__name__} must override handle_metadata(self, batch_meta)")


class BufferOperator(Configurable):
    """User code that sees each buffer and may drop it; override `handle_buffer`.

    Example:
        >>> class Even(BufferOperator):
        ...     def handle_buffer(self, buffer):
        ...         return buffer.timestamp % 2 == 0
        >>> Even().handle_buffer(Buffer())
        False
    """

    def handle_buffer(self, buffer: Buffer) -> bool | None:
        """Called once for each buffer; what is false drops it, ``None`` keeps it."""
        raise NotImplementedError(f"{type(self).__name__} must override handle_buffer(self, buffer)")


class BufferObserver(Configurable):
    """User code that sees each buffer and never drops one; override `handle_buffer`.

    Example:
        >>> class Last(BufferObserver):
        ...     def handle_buffer(self, buffer):
        ...         self.time = buffer.timestamp
        >>> Probe("last", Last()).handle(Buffer())
        True
    """

    def handle_buffer(self, buffer: Buffer) -> Any:
        """Called once for each buffer; the return value is ignored."""
        raise NotImplementedError(f"{type(self).__name__} must override handle_buffer(self, buffer)")


class BufferRetriever(Configurable):
    """User code that takes buffers out of a pipeline; override `consume` and attach it with a `Receiver`.

    Example:
        >>> class Take(BufferRetriever):
        ...     def consume(self, buffer):
        ...         return 1
        >>> Take().consume(Buffer())
        1
    """

    def consume(self, buffer: Buffer) -> int | None:
        """Called for each buffer on the streaming thread; a negative number means failure.

        The buffer is valid until it returns; `Tensor.clone` lives on.
        """
        raise NotImplementedError(f"{type(self).__name__} must override consume(self, buffer)")


class BufferProvider(Configurable):
    """User code that puts buffers into a pipeline; override `generate` and attach it with a `Feeder`.

    Example:
        >>> class Nothing(BufferProvider):
        ...     def generate(self, size):
        ...         return Buffer()
        >>> bool(Nothing().generate(4096))
        False
    """

    def generate(self, size: int) -> Buffer | None:
        """Called on the feeder's thread when data is wanted.

        Args:
            size: Bytes that are wanted, a hint.

        Returns:
            The next buffer; an empty ``Buffer()`` or ``None`` ends the stream, one of no bytes asks to be
            called again later.
        """
        raise NotImplementedError(f"{type(self).__name__} must override generate(self, size)")


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

    #: What can be probed with.
    kinds: ClassVar[tuple[type[Configurable], ...]] = (BatchMetadataOperator, BufferOperator, BufferObserver)

    def __init__(self, name: str, operator: Any) -> None:
        if not isinstance(operator, self.kinds):
            raise TypeError(
                f"probe {name!r} needs a BatchMetadataOperator or BufferOperator, not {type(operator).__name__}"
            )
        self.name = name
        self.operator: Any = operator

    @staticmethod
    def create(plugin: str, name: str) -> Any:
        """A built-in or registered probe as an object.

        Raises:
            PipelineError: There is none of this name.
        """
        from headrace.flow.objects.factory import CommonFactory

        return CommonFactory.create(plugin, name)

    def set(self, properties: Mapping[str, Value]) -> Probe:
        """Set properties of the operator; unknown ones are logged and ignored."""
        self.operator.set(properties, self.name)
        return self

    def handle(self, buffer: Buffer) -> bool:
        """Call the operator; returns whether the buffer goes on."""
        if isinstance(self.operator, BatchMetadataOperator):
            meta = buffer.batch_meta
            if meta is not None:
                self.operator.handle_metadata(meta)
            return True
        kept = self.operator.handle_buffer(buffer)
        return isinstance(self.operator, BufferObserver) or kept is None or bool(kept)
