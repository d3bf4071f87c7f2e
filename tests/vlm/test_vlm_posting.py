"""Requests that are given up while they are under way, over an encrypted connection."""

import contextlib
import http.client
import socket
import ssl
import threading

import pytest
from certificates import certificate

from headrace.vlm.model import ServerError
from headrace.vlm.posting import Poster

LIMIT = 60
SECRET = b"what the camera saw"


class Wire:
    """An encrypted server that takes one connection, never answers, and keeps what came over the wire."""

    def __init__(self, files):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*files)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.listener.getsockname()[1]}/v1"
        self.received = b""
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls, shaken = self.context.wrap_bio(incoming, outgoing, server_side=True), False
        with self.listener.accept()[0] as raw, contextlib.suppress(ConnectionResetError):
            while data := raw.recv(1 << 16):
                self.received += data
                incoming.write(data)
                with contextlib.suppress(ssl.SSLWantReadError):
                    if not shaken:
                        tls.do_handshake()
                        shaken = True
                raw.sendall(outgoing.read())


@pytest.fixture
def server(tmp_path, monkeypatch):
    files = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    wire = Wire(files)
    yield wire
    wire.listener.close()


@pytest.mark.parametrize(("how", "reason"), [("late", "time-out"), ("closed", "connection lost")])
def test_nothing_goes_out_as_plain_text_when_a_request_is_given_up(server, monkeypatch, how, reason):
    poster = Poster(server.url, {}, timeout=0.3 if how == "late" else LIMIT)
    cutting, sent = threading.Event(), threading.Event()
    shutdown, send = socket.socket.shutdown, http.client.HTTPConnection.send

    def slow_shutdown(sock, way):
        """The machine stands still at this place, and the other thread goes on."""
        cutting.set()
        assert sent.wait(LIMIT)
        shutdown(sock, way)

    def slow_send(connection, data):
        """It goes on when the request is being given up, with its body."""
        if data == SECRET:
            assert cutting.wait(LIMIT)
        try:
            send(connection, data)
        finally:
            if data == SECRET:
                sent.set()
            elif how == "closed":
                threading.Thread(target=poster.close).start()

    monkeypatch.setattr(socket.socket, "shutdown", slow_shutdown)
    monkeypatch.setattr(http.client.HTTPConnection, "send", slow_send)
    with pytest.raises(ServerError) as caught:
        poster.post(SECRET)
    assert caught.value.reason == reason
    server.thread.join(LIMIT)
    assert server.received
    assert SECRET not in server.received
