"""One loaded model at work for several elements, of one pipeline or of several, by name."""

from __future__ import annotations

from collections.abc import Callable

from headrace.elements.inference.model_slot import PATIENCE, ModelSlot
from headrace.infer import InferOptions, load_model
from headrace.infer.sharing import Shared

_slots: Shared[ModelSlot] = Shared("shared-model")


def open_slot(options: InferOptions, name: str = "") -> tuple[ModelSlot, Callable[[], None]]:
    """The slot of a model, loaded if it is not yet.

    Args:
        options: The model and its settings.
        name: All who give the same name have one slot: one model, whose calls never overlap, and which a swap
            replaces for all. Empty for a slot of one's own.

    Returns:
        The slot, and what to call once when it is no longer needed: it waits for what was submitted, and frees the
        model after the last user.

    Raises:
        ConfigError: The name stands for another model, or for other options.
        ModelError: The model cannot be loaded.
    """

    def load() -> ModelSlot:
        return ModelSlot(load_model(options.model, options), options)

    if not name:
        slot = load()
        return slot, slot.close
    slot = _slots.take(name, options, load)
    return slot, lambda: _give_back(slot, name)


def _give_back(slot: ModelSlot, name: str) -> None:
    if _slots.give_back(name) is not None:
        slot.close()
    else:
        slot.drain(PATIENCE)  # what this user submitted is done then, unless the others keep the model busy
