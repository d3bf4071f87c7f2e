"""What answers questions: a server, or a class of the user's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

from headrace.errors import HeadraceError


class ServerError(HeadraceError):
    """A question was not answered.

    Attributes:
        reason: A few words to count it under, such as ``time-out``.
        again: Whether to ask again.
        wait: How many seconds to wait before that, as the server says; ``None`` if it says nothing.
    """

    def __init__(self, message: str, reason: str, again: bool = False, wait: float | None = None) -> None:
        super().__init__(message)
        self.reason, self.again, self.wait = reason, again, wait


@dataclass(frozen=True, slots=True)
class VlmRequest:
    """A question with its pictures.

    Attributes:
        prompt: The question, placeholders replaced.
        pictures: JPEGs, oldest first.
        system: What the model is told about its task; may be empty.
        schema: JSON schema of the answer, ``None`` if it is text.
        source_id: Id of the source.
        pad_index: Index of the muxer's pad, by which the answer finds its way back.
        object_id: Track that the question is about, ``None`` for frames.
        label: Class of that object.
        frame_number: Number of the last picture's frame.
        first_pts: Time of the first picture, in ns.
        last_pts: Time of the last picture, in ns.
        asked: When it was asked, in seconds of the monotonic clock.
        rejected: An answer that was no such JSON, and what was wrong with it; ``None`` at first.
    """

    prompt: str
    pictures: tuple[bytes, ...] = field(repr=False)
    system: str = ""
    schema: dict[str, Any] | None = None
    source_id: int = 0
    pad_index: int = 0
    object_id: int | None = None
    label: str = ""
    frame_number: int = 0
    first_pts: int = 0
    last_pts: int = 0
    asked: float = 0.0
    rejected: tuple[str, str] | None = None


class VisionLanguageModel(ABC):
    """Answers questions about pictures: give it `answer`.

    `load` is called once before the first question, `close` after the last. `answer` is called by as many threads at
    once as ``workers`` says (one if nothing is said), never by a streaming thread; it may take its time. What it raises
    is counted and reported with its traceback.

    Example:
        >>> class Size(VisionLanguageModel):
        ...     def answer(self, request):
        ...         return f"{len(request.pictures)} pictures"
        >>> Size().answer(VlmRequest("How many?", (b"", b"")))
        '2 pictures'
    """

    def load(self) -> None:
        """Get ready: read weights, warm up."""
        return

    @abstractmethod
    def answer(self, request: VlmRequest) -> str:
        """Answer one question.

        Args:
            request: Prompt and JPEGs; with ``request.schema`` the answer must be JSON of that schema, and
                ``request.rejected`` says what was wrong with the answer before.

        Returns:
            The answer: text, or JSON as text.

        Raises:
            ServerError: To be asked again (``again=True``), or to count the failure under a reason of its own.
        """

    def close(self) -> None:
        """Free what `load` took, and make an `answer` that is under way return soon. Called from another thread."""
        return
