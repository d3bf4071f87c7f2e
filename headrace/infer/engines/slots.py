"""Running where frames and results stay on a device: an engine's own input is filled in place, and waited for once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias, runtime_checkable

from numpy.typing import NDArray

from headrace.infer.engines.base import Array, Engine

#: What is made of the outputs, in the graph's order, on the device and as part of the run: one tensor, of the same
#: shape for the same batch. Where the engine records a run it is recorded, so it may not look at values.
Finish: TypeAlias = Callable[[Sequence[Array]], Array]


class Slot(Protocol):
    """One run's place on the device, from the filling of its input to the reading of its results; used by one thread.

    Attributes:
        input: The engine's own input tensor, with at least the rows that were asked for; what it held is undefined.
    """

    input: Array

    def run(self) -> NDArray[Any] | None:
        """Run what was filled in, and wait for it with the GIL released.

        Returns:
            What `Finish` made of the outputs, on the host, valid as long as the slot is held; ``None`` without one.

        Raises:
            ModelError: The run failed.
        """
        ...

    def outputs(self) -> dict[str, Array]:
        """The outputs of the rows that were asked for, in 32 bits on the device, valid as long as the slot is held."""
        ...


@runtime_checkable
class SlotEngine(Engine, Protocol):
    """An engine that offers slots.

    Attributes:
        device: DLPack device ``(type, id)`` of its tensors.
    """

    device: tuple[int, int]

    def slot(
        self, rows: int, size: tuple[int, int], finish: Finish | None = None
    ) -> AbstractContextManager[Slot]:
        """A slot for a number of rows; waits until one is free. Within it, the device's current stream is the slot's.

        Frames that a kernel reads to fill the input may go when the slot is left: the device is done with them then.

        Args:
            rows: Of the batch.
            size: Width and height of the input.
            finish: What to make of the outputs; runs are recorded for each such object, so give always the same.

        Raises:
            ModelError: The engine is closed, or a run failed.
        """
        ...

    def warm(self, rows: int, size: tuple[int, int], finish: Finish | None = None) -> None:
        """Get every slot ready for all numbers of rows up to this one, so that no run waits for that.

        Args:
            rows: The greatest batch.
            size: Width and height of the input.
            finish: As for `slot`.

        Raises:
            ModelError: The engine is closed, or a run failed, for example for lack of memory.
        """
        ...


def slot_engine(engine: Engine) -> SlotEngine | None:
    """The engine, if it offers slots for models with one input that is a picture and an open batch."""
    if not isinstance(engine, SlotEngine) or engine.device[0] != 2:
        return None
    inputs = engine.graph.inputs
    return engine if len(inputs) == 1 and len(inputs[0].shape) == 4 and inputs[0].shape[0] is None else None
