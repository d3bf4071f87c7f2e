"""A real HTTP server with ``POST /v1/chat/completions``, whose faults are chosen by the test."""

import base64
import json
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np


class ChatServer:
    """Answers questions about pictures; use as a context manager.

    What it does with each request is taken from `script`, in order; after that it is `usual`. A step is a text (the
    answer), a dict (the answer as JSON), a callable of the request's JSON that gives one of them, or one of the faults
    below.

    Attributes:
        requests: JSON bodies in the order of arrival.
        keys: What stood in the header Authorization.
    """

    def __init__(self, usual="yes", script=()):
        self.usual, self.script = usual, deque(script)
        self.requests, self.keys, self.times = [], [], []
        self.lock = threading.Lock()
        self.closing = threading.Event()

    def __enter__(self):
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                owner.handle(self)

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def handle(self, http):
        body = json.loads(http.rfile.read(int(http.headers["Content-Length"])))
        with self.lock:
            step = self.script.popleft() if self.script else self.usual
            self.requests.append(body)
            self.keys.append(http.headers.get("Authorization"))
            self.times.append(time.monotonic())
        try:
            assert http.path == "/v1/chat/completions", http.path
            step = step(body) if callable(step) and not isinstance(step, Fault) else step
            if isinstance(step, Fault):
                step.act(self, http)
            else:
                reply(http, 200, completion(step))
        except OSError:
            pass  # the client has gone


class Fault:
    """Something that servers do."""

    def act(self, server, http):
        raise NotImplementedError


class Status(Fault):
    """An error of HTTP."""

    def __init__(self, status, message="something is wrong", headers=None):
        self.status, self.message, self.headers = status, message, headers or {}

    def act(self, server, http):
        reply(http, self.status, {"error": {"message": self.message}}, self.headers)


class Raw(Fault):
    """A reply that is no chat completion."""

    def __init__(self, body, status=200):
        self.body, self.status = body, status

    def act(self, server, http):
        http.send_response(self.status)
        http.send_header("Content-Length", str(len(self.body)))
        http.end_headers()
        http.wfile.write(self.body)


class Slow(Fault):
    """The answer after some seconds."""

    def __init__(self, seconds, answer="late"):
        self.seconds, self.answer = seconds, answer

    def act(self, server, http):
        server.closing.wait(self.seconds)
        reply(http, 200, completion(self.answer))


class Disconnect(Fault):
    """Half an answer, then the line is dead."""

    def act(self, server, http):
        http.send_response(200)
        http.send_header("Content-Length", "1000")
        http.end_headers()
        http.wfile.write(b'{"choices": [')
        http.wfile.flush()
        http.connection.close()


class Never(Fault):
    """No answer at all."""

    def act(self, server, http):
        server.closing.wait()


class Drip(Fault):
    """A byte now and then, for ever."""

    def __init__(self, begin=b"HTTP/1.1 200 OK\r\nX-Slow: "):
        self.begin = begin

    def act(self, server, http):
        http.wfile.write(self.begin)
        while not server.closing.wait(0.05):
            http.wfile.write(b"z")
            http.wfile.flush()


def completion(answer):
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]
    }


def reply(http, status, body, headers=None):
    data = json.dumps(body).encode()
    http.send_response(status)
    for name, value in (headers or {}).items():
        http.send_header(name, value)
    http.send_header("Content-Type", "application/json")
    http.send_header("Content-Length", str(len(data)))
    http.end_headers()
    http.wfile.write(data)


def text_of(body):
    """The text of the first question in a request."""
    content = next(message for message in body["messages"] if message["role"] == "user")["content"]
    return next(part["text"] for part in content if part["type"] == "text")


def pictures_of(body):
    """The pictures of the first question, as BGR arrays."""
    content = next(message for message in body["messages"] if message["role"] == "user")["content"]
    urls = [part["image_url"]["url"] for part in content if part["type"] == "image_url"]
    data = [base64.b64decode(url.removeprefix("data:image/jpeg;base64,")) for url in urls]
    return [cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_COLOR) for one in data]
