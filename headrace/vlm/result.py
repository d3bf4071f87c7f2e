"""What came back: the user data that an answer is attached as."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class VlmResult:
    """An answer; user meta of type `MetaType.VLM_RESULT` on an object or a frame. Never changed, so copies share it.

    Attributes:
        prompt: The question, placeholders replaced.
        text: The answer as the model gave it.
        data: The answer as data, where a JSON schema was asked for; otherwise ``None``.
        source_id: Id of the source.
        object_id: Track that the question was about, ``None`` for a question about frames.
        label: Class of that object, empty for frames.
        frame_number: Number of the last picture's frame in its source.
        first_pts: Time of the first picture, in ns.
        last_pts: Time of the last picture, in ns.
        pictures: Number of pictures that were sent.
        latency: Seconds from the question to the answer, those in the queue included.
        model: Name of the model, as configured.

    Example:
        >>> VlmResult("Is it open?", "Yes.", source_id=2).to_dict()["text"]
        'Yes.'
    """

    prompt: str
    text: str
    data: Any = None
    source_id: int = 0
    object_id: int | None = None
    label: str = ""
    frame_number: int = 0
    first_pts: int = 0
    last_pts: int = 0
    pictures: int = 1
    latency: float = 0.0
    model: str = ""

    def to_dict(self) -> dict[str, Any]:
        """All fields by name, ready for JSON."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
