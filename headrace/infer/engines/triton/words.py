"""What is said when a server's model cannot be used, each with what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.infer.engines.triton.address import AUTHORIZATION, Address
from headrace.infer.engines.triton.protocol import ServerError, Trouble, one_line

#: Troubles that a server has with a model, rather than we with the server.
ABOUT_MODEL = (Trouble.UNKNOWN, Trouble.REFUSED, Trouble.DROPPED)


def in_words(address: Address, error: ServerError, otherwise: str) -> str:
    """An error with its remedy; ``otherwise`` where the trouble has no remedy of its own.

    Example:
        >>> from headrace.infer.engines.triton.address import parse_url
        >>> in_words(parse_url("grpc://h/m"), ServerError(Trouble.UNKNOWN, ""), "is not known")
        'grpc://h:8001/m is not known'
    """
    trust = "; SSL_CERT_FILE names the certificates to trust" if address.secure else ""
    kind = "gRPC" if address.scheme.startswith("grpc") else "HTTP"
    words = {
        Trouble.AWAY: f"is not available: {error.text}; check that the server runs, and host and port "
        f"(Triton: 8000 for HTTP, 8001 for gRPC; this is {kind}){trust}",
        Trouble.DROPPED: f"did not answer, asked twice: {error.text}; look into the server's log, and check that "
        f"the port is one for {kind}",
        Trouble.LATE: f"has not answered within {address.timeout:g} s; look at the server's load, or allow more "
        "with ?timeout=SECONDS at the end of the URL",
        Trouble.DENIED: f"refuses access: {error.text}; set the environment variable {AUTHORIZATION} to the "
        "value of the Authorization header, such as 'Bearer TOKEN'",
    }
    return f"{address} {words.get(error.trouble, otherwise)}"


def why_unusable(address: Address, error: ServerError, index: Sequence[Mapping[str, Any]] | None) -> str:
    """Why a model cannot be loaded.

    Args:
        address: Of the model.
        error: What the server said.
        index: Its models, see `headrace.infer.engines.triton.protocol.Transport.models`; ``None`` if it does not tell.
    """
    reason = f"cannot be used: {error.text}"
    if index is None:
        return in_words(
            address, error, f"{reason}; check the model's name, and that this is a KServe v2 server"
        )
    states = [_state(one) for one in index if one.get("name") == address.model]
    if states:
        return f"{address} {reason}; the server has it as {', '.join(states)}: load it there, or see the server's log"
    others = ", ".join(sorted({str(one.get("name")) for one in index})) or "no models"
    return f"{address} {reason}; the server has {others}"


def _state(entry: Mapping[str, Any]) -> str:
    """Version, state and reason of a model in a server's index."""
    reason = f" ({one_line(str(entry['reason']))})" if entry.get("reason") else ""
    version = f"version {entry['version']}" if entry.get("version") else "a model without versions"
    return f"{version} {entry.get('state', '')}".strip() + reason
