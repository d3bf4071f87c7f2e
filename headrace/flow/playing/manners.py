"""What differs between Headrace's own API and that of DeepStream's programs: console texts and what an error does."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from typing import Literal

_log = logging.getLogger("headrace.flow")

OnError = Literal["raise", "return"]


def console(text: str) -> None:
    """Print a text of the contract: in one piece, as other threads print too, and flushed, as a signal may end us."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class Manners:
    """How a pipeline behaves towards its program.

    Attributes:
        console: Whether the texts of the contract (§1.1) are printed; otherwise they are logged.
        on_error: What `Pipeline.wait` does about an error when it is not told.
        keeps_going: Whether a buffer goes on when user code raised, with the traceback on stderr; otherwise the
            pipeline gets an error.

    Example:
        >>> SERVICE_MAKER.say("End of stream")
        End of stream
    """

    console: bool
    on_error: OnError
    keeps_going: bool

    def say(self, text: str) -> None:
        """What goes on, for the console."""
        if self.console:
            console(text)
        else:
            _log.debug("%s", text)

    def warn(self, text: str) -> None:
        """What the user should know although it goes on."""
        if self.console:
            self.say(text)
        else:
            _log.warning("%s", text)


#: Errors are raised, nothing is printed.
OWN = Manners(console=False, on_error="raise", keeps_going=False)
#: As programs written for pyservicemaker expect.
SERVICE_MAKER = Manners(console=True, on_error="return", keeps_going=True)
