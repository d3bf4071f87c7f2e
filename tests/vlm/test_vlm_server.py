"""Questions to a real HTTP server with all the faults that servers have."""

import base64
import json
import logging
import socket
import threading
import time
from types import SimpleNamespace

import msgspec
import pytest
from openai_server import ChatServer, Disconnect, Drip, Never, Raw, Slow, Status, text_of
from waiting import wait_until

from headrace.vlm import Asker, VisionLanguageModel, VlmConfig, VlmRequest
from headrace.vlm.answers import AnswerError, read_json
from headrace.vlm.loader import load_model

LIMIT = 60.0
SCHEMA = {"type": "object", "properties": {"open": {"type": "boolean"}}, "required": ["open"]}


class Asking:
    """An asker in front of a server; what it announced and reported."""

    def __init__(self, server, **settings):
        values = {"base_url": server.url, "model": "m", "prompt": "?", "backoff": 0.01, "timeout": LIMIT}
        config = VlmConfig(**{**values, **settings})
        self.announced, self.reported = [], []
        self.asker = Asker(load_model(config), config, self.announced.append, self.reported.append)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.asker.close()
        assert_adds_up(self.asker.counts)

    def ask(self, *prompts, schema=None):
        for index, prompt in enumerate(prompts):
            now = time.monotonic()
            self.asker.submit(VlmRequest(prompt, (b"jpeg",), schema=schema, source_id=index, asked=now))
        return self

    def answers(self):
        assert self.asker.drain(LIMIT), self.asker.counts
        return [result for _, result in self.asker.results()]


def assert_adds_up(counts):
    assert counts.asked == counts.answered + counts.waiting + sum(counts.lost.values()), counts


@pytest.fixture
def server():
    with ChatServer() as running:
        yield running


def test_a_request_is_as_openai_documents_it(server, monkeypatch):
    pytest.importorskip("jsonschema")
    monkeypatch.setenv("VLM_TEST_KEY", "sk-secret")
    settings = {
        "api_key_env": "VLM_TEST_KEY",
        "max_tokens": 99,
        "temperature": None,
        "extra_body": {"seed": 3},
    }
    with Asking(server, **settings) as asking:
        request = VlmRequest(
            "Is it open?", (b"one", b"two"), system="You watch doors.", schema=SCHEMA, asked=time.monotonic()
        )
        server.usual = {"open": True}
        asking.asker.submit(request)
        (result,) = asking.answers()
    (body,) = server.requests
    assert server.keys == ["Bearer sk-secret"]
    assert (body["model"], body["max_tokens"], body["seed"]) == ("m", 99, 3)
    assert "temperature" not in body
    assert body["response_format"]["json_schema"]["schema"] == SCHEMA
    assert body["messages"][0] == {"role": "system", "content": "You watch doors."}
    text, *images = body["messages"][1]["content"]
    assert text["text"].startswith("Is it open?")
    prefix = "data:image/jpeg;base64,"
    assert [image["image_url"]["url"] for image in images] == [
        prefix + base64.b64encode(data).decode() for data in (b"one", b"two")
    ]
    assert (result.data, result.pictures, result.model) == ({"open": True}, 2, "m")
    assert 0 < result.latency < LIMIT


@pytest.mark.parametrize(
    "fault",
    [
        Status(500),
        Status(503),
        Status(429, headers={"Retry-After": "0"}),
        Disconnect(),
        Raw(b"<html>"),
        Raw(b"{}"),
    ],
    ids=["500", "503", "429", "disconnect", "no JSON", "no completion"],
)
def test_what_may_pass_is_tried_again(server, fault):
    server.script.extend([fault, fault])
    with Asking(server, retries=2) as asking:
        assert [result.text for result in asking.ask("?").answers()] == ["yes"]
        assert len(server.requests) == asking.asker.counts.requests == 3
    assert asking.reported == []


@pytest.mark.parametrize(
    ("fault", "reason", "requests", "says"),
    [
        (Status(500), "HTTP 500", 3, "something is wrong"),
        (Status(400), "HTTP 400", 1, "check that the model takes pictures"),
        (Status(401), "HTTP 401", 1, "api-key-env"),
        (Status(404), "HTTP 404", 1, "usually /v1"),
        (Disconnect(), "connection lost", 3, "check that the server runs"),
        (Raw(b"nonsense"), "broken reply", 3, "no chat completion: 'nonsense'"),
        (" ", "empty answer", 1, "holds no text"),
    ],
)
def test_what_stays_broken_is_counted_and_reported_once(server, fault, reason, requests, says):
    server.usual = fault
    with Asking(server, retries=2) as asking:
        assert asking.ask("a", "b").answers() == []
        assert asking.asker.counts.lost == {reason: 2}
    assert len(server.requests) == 2 * requests
    assert len(asking.reported) == 1
    assert says in str(asking.reported[0])


SLOW_BODY = Drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\nConnection: close\r\n\r\n")


@pytest.mark.parametrize(
    "fault", [Never(), Slow(30), Drip(), SLOW_BODY], ids=["never", "slow", "drip", "slow body"]
)
def test_a_server_that_does_not_answer_is_given_up(server, fault):
    server.usual = fault
    with Asking(server, retries=0, timeout=0.3) as asking:
        assert asking.ask("?").answers() == []
        assert asking.asker.counts.lost == {"time-out": 1}
    assert "did not answer within 0.3 s" in str(asking.reported[0])


def test_no_server_at_all():
    with socket.socket() as silent:  # it holds the port, and nobody listens
        silent.bind(("127.0.0.1", 0))
        nobody = SimpleNamespace(url=f"http://127.0.0.1:{silent.getsockname()[1]}/v1")
        with Asking(nobody, retries=1) as asking:
            assert asking.ask("?").answers() == []
            assert asking.asker.counts.lost == {"connection lost": 1}


def test_retry_after_is_obeyed(server):
    server.script.append(Status(429, headers={"Retry-After": "0.3"}))
    with Asking(server) as asking:
        asking.ask("?").answers()
    assert server.times[1] - server.times[0] >= 0.3


@pytest.mark.parametrize(("keep", "left"), [("newest", ["1", "5", "6"]), ("oldest", ["1", "2", "3"])])
def test_the_queue_is_bounded(server, keep, left):
    hold = threading.Event()
    server.usual = lambda body: hold.wait(LIMIT) and text_of(body)
    with Asking(server, queue=2, keep=keep, timeout=LIMIT) as asking:
        asking.ask("1")
        wait_until(lambda: server.requests)
        asking.ask("2", "3", "4", "5", "6")
        counts = asking.asker.counts
        assert (counts.asked, counts.waiting, counts.lost) == (6, 3, {"queue full": 3})
        hold.set()
        assert [result.text for result in asking.answers()] == left


def test_several_workers_ask_at_the_same_time(server):
    three = threading.Barrier(3)
    server.usual = lambda body: "yes" if three.wait(LIMIT) >= 0 else ""
    with Asking(server, workers=3) as asking:
        assert len(asking.ask(*"abcdef").answers()) == 6


def test_the_budget_bounds_requests_retries_included(server):
    server.script.extend(["yes", Status(500)])
    with Asking(server, requests_per_minute=2) as asking:
        assert len(asking.ask("a", "b", "c").answers()) == 1
        assert asking.asker.counts.lost == {"over budget": 2}
    assert len(server.requests) == 2
    assert "requests-per-minute=2" in str(asking.reported[0])


@pytest.mark.parametrize(
    "answer",
    [
        '{"open": true}',
        '```json\n{"open": true}\n```',
        'It is:\n```\n{"open": true}\n```',
        '<think>{}</think>{"open": true}',
    ],
)
def test_json_is_found(server, answer):
    pytest.importorskip("jsonschema")
    server.usual = answer
    with Asking(server) as asking:
        assert [result.data for result in asking.ask("?", schema=SCHEMA).answers()] == [{"open": True}]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("maybe", "not JSON"),
        ('{"open": 3}', "$.open"),
        ("{}", "'open'"),
        ('{"open": true, "n": 1e999}', "not JSON"),
    ],
)
def test_a_wrong_answer_is_given_back_once(server, answer, says):
    pytest.importorskip("jsonschema")
    server.script.extend([answer, {"open": False}])
    with Asking(server) as asking:
        assert [result.data for result in asking.ask("?", schema=SCHEMA).answers()] == [{"open": False}]
        *_, rejected, wrong = server.requests[1]["messages"]
        assert rejected == {"role": "assistant", "content": answer}
        assert says in wrong["content"]
        server.usual = answer
        assert asking.ask("?", schema=SCHEMA).answers() == []
        assert asking.asker.counts.lost == {"invalid answer": 1}
    assert len(server.requests) == 4


def test_the_key_is_never_told(server, monkeypatch, caplog):
    monkeypatch.setenv("VLM_TEST_KEY", "sk-secret")
    caplog.set_level(logging.DEBUG)
    server.script.extend([Status(401, "Incorrect API key provided: sk-secret."), Raw(b"sk-secret"), "fine"])
    with Asking(server, api_key_env="VLM_TEST_KEY", retries=0) as asking:
        answers = asking.ask("a", "b", "c").answers()
    told = [*map(str, asking.reported), *map(repr, asking.announced), *map(repr, answers), caplog.text]
    assert len(asking.reported) == 2
    assert not [text for text in told if "secret" in text]


@pytest.mark.parametrize("fault", [Never(), SLOW_BODY], ids=["never", "slow body"])
def test_closing_does_not_wait_for_a_server(server, fault):
    server.usual = fault
    asking = Asking(server, timeout=600.0, queue=5)
    asking.ask("a", "b", "c")
    wait_until(lambda: server.requests)
    assert not asking.asker.drain(0.05)
    asking.asker.close()
    wait_until(lambda: not any(thread.is_alive() for thread in asking.asker._threads))
    assert asking.asker.counts.lost == {"not answered before the end": 3}
    asking.ask("late")
    assert asking.asker.counts.lost["closed"] == 1
    assert_adds_up(asking.asker.counts)


def test_a_drain_can_be_interrupted(server):
    server.usual = Never()
    with Asking(server, timeout=600.0) as asking:
        asking.ask("?")
        threading.Timer(0.1, asking.asker.interrupt).start()
        assert not asking.asker.drain(600.0)


def test_an_interruption_that_comes_before_the_drain_holds_for_it(server):
    go = threading.Event()
    server.usual = lambda body: go.wait(LIMIT) and "yes"
    with Asking(server) as asking:
        asking.ask("?")
        asking.asker.interrupt()
        assert not asking.asker.drain(600.0)
        assert asking.asker.counts.waiting == 1
        go.set()
        asking.asker.resume()
        assert asking.asker.drain(LIMIT)
        assert asking.asker.counts.answered == 1


class Broken(VisionLanguageModel):
    def answer(self, request):
        raise ValueError("my mistake")


def test_a_class_of_the_users_that_fails_is_counted():
    reported = []
    config = VlmConfig(model="x.py:X", prompt="?")
    asker = Asker(Broken(), config, report=reported.append)
    asker.submit(VlmRequest("?", ()))
    asker.submit(VlmRequest("?", ()))
    assert asker.drain(LIMIT)
    asker.close()
    assert asker.counts.lost == {"failed": 2}
    assert [str(error) for error in reported] == ["my mistake"]


@pytest.mark.parametrize(("answer", "says"), [(3, "must return text, not int"), (None, "must return text")])
def test_a_class_that_gives_no_text_is_told(answer, says):
    class Odd(VisionLanguageModel):
        def answer(self, request):
            return answer

    reported = []
    asker = Asker(Odd(), VlmConfig(model="x.py:Odd", prompt="?"), report=reported.append)
    asker.submit(VlmRequest("?", ()))
    assert asker.drain(LIMIT)
    asker.close()
    assert says in str(reported[0])


def test_asking_survives_who_listens(server):
    config = VlmConfig(base_url=server.url, model="m", prompt="?")
    reported = []

    def announce(result):
        raise SystemExit("listener")

    asker = Asker(load_model(config), config, announce, reported.append)
    asker.submit(VlmRequest("a", ()))
    asker.submit(VlmRequest("b", ()))
    assert asker.drain(LIMIT)
    assert [result.text for _, result in asker.results()] == ["yes", "yes"]
    asker.close()
    assert [str(error) for error in reported] == ["listener"]


@pytest.mark.parametrize(
    "answer", ["half \ud800 a character", "\x00\x01 control", "日本語 🎉", "x" * 100_000]
)
def test_odd_texts_come_through_and_can_be_sent_on(server, answer):
    server.usual = answer
    with Asking(server) as asking:
        (result,) = asking.ask("?").answers()
    assert json.loads(msgspec.json.encode(result.to_dict()))["text"] == result.text
    assert result.text == answer.strip().replace("\ud800", "?")


@pytest.mark.parametrize(
    "text", ['"\\ud800"', "1e999", "NaN", "[" * 5000, "[" * 400 + "]" * 400 + ",", "{'a': 1}", ""]
)
def test_what_could_not_be_sent_on_is_no_json(text):
    with pytest.raises(AnswerError, match="is not JSON"):
        read_json(text)
