"""Where a model on a server is: the URL that names it, and the credentials that go with it."""

from __future__ import annotations

import base64
import math
import os
import re
from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from headrace.errors import ModelError

#: Environment variable with the value of the Authorization header, such as ``Bearer TOKEN``.
AUTHORIZATION = "HEADRACE_TRITON_AUTHORIZATION"
#: Schemes and the ports that they stand for.
PORTS = {"http": 80, "https": 443, "grpc": 8001, "grpcs": 443}
_SECRET = "***"
#: The protocol's own path, which people copy: /prefix/v2/models/NAME/versions/3/infer
_PATH = re.compile(
    r"(?P<prefix>.*)/v2/models/(?P<model>[^/]+)(/versions/(?P<version>[^/]+))?(/infer|/ready)?/?"
)
_SHORT = re.compile(r"(?P<prefix>)/(?P<model>[^/]+)(/(?P<version>[^/]+))?/?")
_SECONDS = {"timeout": "timeout", "connect-timeout": "connect_timeout"}


@dataclass(frozen=True, slots=True)
class Address:
    """A model on a server that speaks the KServe v2 protocol.

    ``str`` of it is the URL without credentials and query, fit for messages.

    Attributes:
        scheme: ``http``, ``https``, ``grpc`` or ``grpcs``.
        host: Name or number of the machine.
        port: TCP port.
        model: Name of the model.
        version: Its version; empty lets the server choose.
        prefix: HTTP: path in front of ``/v2``, such as a gateway's; empty or starting with ``/``.
        timeout: Seconds for an answer; over HTTP, that the server may be silent.
        connect_timeout: Seconds for a connection.
        authorization: Value of the Authorization header; empty for none.

    Example:
        >>> address = parse_url("grpc://user:secret@gpu-box/yolo/3?timeout=2")
        >>> str(address), address.version, address.timeout
        ('grpc://gpu-box:8001/yolo/3', '3', 2.0)
    """

    scheme: str
    host: str
    port: int
    model: str
    version: str = ""
    prefix: str = ""
    timeout: float = 10.0
    connect_timeout: float = 5.0
    authorization: str = field(default="", repr=False)

    def __str__(self) -> str:
        parts = [self.server, quote(self.model), *([quote(self.version)] if self.version else [])]
        return "/".join(parts)

    @property
    def server(self) -> str:
        """The URL up to the model, without credentials."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.prefix}"

    @property
    def secure(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme in ("https", "grpcs")

    def hide(self, text: str) -> str:
        """A text without the credentials, should a server repeat them."""
        secret = self.authorization.rpartition(" ")[2]
        return text.replace(secret, _SECRET) if secret else text


def redacted(url: str) -> str:
    """A URL without what may be secret: user, password and query.

    Example:
        >>> redacted("http://me:pass@host/model?key=1")
        'http://***@host/model'
    """
    return re.sub(r"//[^/?#]*@", f"//{_SECRET}@", url.partition("?")[0])


def parse_url(url: str) -> Address:
    """Take a model's URL apart: ``grpc://host:8001/model``, ``http://host:8000/model/version``.

    ``https`` and ``grpcs`` are encrypted. The path may be the protocol's own, with a gateway's prefix:
    ``https://host/prefix/v2/models/NAME/versions/3``. Options follow as a query: ``?timeout=2&connect-timeout=1``.
    Credentials are those of the environment variable ``HEADRACE_TRITON_AUTHORIZATION``, or ``user:password@`` in
    front of the host.

    Raises:
        ModelError: Something is missing or not understood; the message has no credentials in it.
    """
    shown = redacted(url)
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS[parts.scheme]
    except (ValueError, KeyError) as error:
        # The library's own message may quote the credentials.
        raise ModelError(f"model URL {shown} is not understood; write {_usage()}") from (
            None if "@" in url else error
        )
    path = _PATH.fullmatch(parts.path) or _SHORT.fullmatch(parts.path)
    if not parts.hostname or path is None:
        raise ModelError(f"model URL {shown} does not name host and model; write {_usage()}")
    address = Address(
        parts.scheme,
        parts.hostname,
        port,
        unquote(path["model"]),
        unquote(path["version"] or ""),
        path["prefix"],
    )
    return _with_options(replace(address, authorization=_authorization(parts)), parts.query, shown)


def _usage() -> str:
    return "grpc://host:8001/model or http://host:8000/model, with /version behind it for a certain one"


def _authorization(parts: SplitResult) -> str:
    if parts.username is None:
        text = os.environ.get(AUTHORIZATION, "").strip()
        if not (text.isascii() and text.isprintable()):  # the libraries' own messages would quote it
            raise ModelError(f"{AUTHORIZATION} is no header's value: it has line breaks or is not ASCII")
        return text
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _with_options(address: Address, query: str, shown: str) -> Address:
    for name, text in parse_qsl(query, keep_blank_values=True):
        try:
            seconds = float(text)
        except ValueError:
            seconds = math.nan
        if name not in _SECONDS:
            raise ModelError(f"model URL {shown} has an unknown option {name}; known: {', '.join(_SECONDS)}")
        if not 0 < seconds < math.inf:
            raise ModelError(f"model URL {shown}: {name} is {text!r}; give seconds, more than 0")
        address = replace(address, **{_SECONDS[name]: seconds})  # type: ignore[arg-type]
    return address
