import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from waiting import wait_until

from headrace.errors import BrokerError
from headrace.message import BrokerWorker, make_broker
from headrace.message.broker import broker_name
from headrace.message.brokers.file import FileSubscription


class Recorder:
    """A broker whose every call can be held up or made to fail."""

    def __init__(self, fail=(), connect_error=None):
        self.calls, self.threads = [], set()
        self.gate = threading.Event()
        self.gate.set()
        self.fail, self.connect_error = set(fail), connect_error

    def connect(self):
        self.note("connect")
        if self.connect_error:
            raise self.connect_error

    def send(self, topic, payload):
        self.gate.wait(60)
        self.note(payload)
        if payload in self.fail:
            raise BrokerError("refused")

    def close(self):
        self.note("close")

    def note(self, what):
        self.calls.append(what)
        self.threads.add(threading.get_ident())


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("/opt/nvidia/deepstream/deepstream/lib/libnvds_kafka_proto.so", "kafka"),
        ("libnvds_mqtt_proto.so.1.0", "mqtt"),
        ("/x/libnvds_azure_edge_proto.so", "azure-edge"),
        ("file", "file"),
        ("libnvds_file_proto.so", "file"),
        ("/x/libcustom.so", "libcustom.so"),
    ],
)
def test_library_names_mean_adaptors(given, name):
    assert broker_name(given) == name


def test_an_unknown_broker_says_what_there_is_and_what_to_install():
    with pytest.raises(
        BrokerError, match=r"'libmine.so'.*available: file\. An adaptor of your own cannot be a compiled"
    ):
        make_broker("/x/libmine.so", "a;b")
    with pytest.raises(BrokerError, match=r"'kafka'.*available: file.*pip install.*headrace\[kafka\]"):
        make_broker("/opt/lib/libnvds_kafka_proto.so", "localhost;9092")


def test_a_file_broker_needs_a_path():
    with pytest.raises(BrokerError, match="conn-str"):
        make_broker("file", " ")


def test_payloads_become_lines_and_are_readable_at_once(tmp_path):
    path = tmp_path / "e.jsonl"
    broker = make_broker("file", str(path))
    broker.connect()
    broker.send("t", b'{\n  "a": [1,\n 2]\n}')
    assert path.read_bytes() == b'{"a":[1,2]}\n'
    broker.send("t", b'{"b": "line\\nbreak"}')
    broker.close()
    assert [json.loads(line) for line in path.open()] == [{"a": [1, 2]}, {"b": "line\nbreak"}]


def test_a_second_run_appends_and_mends_a_torn_line(tmp_path):
    path = tmp_path / "e.jsonl"
    path.write_bytes(b'{"a":1}\n{"torn')
    broker = make_broker("file", str(path))
    broker.connect()
    broker.send("t", b'{"b":2}')
    broker.close()
    assert path.read_bytes() == b'{"a":1}\n{"torn\n{"b":2}\n'


def test_events_written_before_a_crash_stay(tmp_path):
    path = tmp_path / "e.jsonl"
    program = (
        "import os, sys, time\n"
        "from headrace.message import BrokerWorker, make_broker\n"
        "worker = BrokerWorker(make_broker('file', sys.argv[1])); worker.start()\n"
        "for n in range(500): worker.submit('t', b'{\"n\": %d}' % n)\n"
        "while worker.counts.sent < 500: time.sleep(0.01)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        env=os.environ | {"PYTHONPATH": str(root)},
        check=False,
        timeout=120,
    )
    assert done.returncode == -9
    assert [json.loads(line)["n"] for line in path.open()] == list(range(500))


def test_a_file_that_goes_away_while_somebody_listens_to_it_is_no_fault(tmp_path, monkeypatch):
    path = tmp_path / "e.jsonl"
    path.write_bytes(b"")
    subscription = FileSubscription(str(path))
    there = Path.is_file
    monkeypatch.setattr(Path, "is_file", lambda self: there(self) and (self.unlink() or True))
    assert subscription.receive(0.0) is None
    path.write_bytes(b'{"a":1}\n')
    monkeypatch.undo()
    assert subscription.receive(60.0) == b'{"a":1}'


def test_dash_is_standard_output(capfdbinary):
    broker = make_broker("file", "-")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", os.fdopen(os.dup(1), "w"))
        broker.connect()
        broker.send("t", b'{"a": 1}')
        broker.close()
        sys.stdout.close()
    assert capfdbinary.readouterr().out == b'{"a":1}\n'


def test_a_folder_that_is_not_there_is_reported(tmp_path):
    broker = make_broker("file", str(tmp_path / "no" / "e.jsonl"))
    with pytest.raises(BrokerError, match=r"no/e\.jsonl.*No such file"):
        broker.connect()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_reported_and_counted():
    told = []
    worker = BrokerWorker(make_broker("file", "/dev/full"), on_error=told.append)
    worker.start()
    for _ in range(5):
        worker.submit("t", b"{}")
    worker.close()
    assert len(told) == 1, "a run of equal failures is told once"
    assert "No space left" in str(told[0])
    assert worker.counts.sent == 0
    assert sum(worker.counts.dropped.values()) == 5


def test_a_payload_that_is_not_json_is_refused_and_the_next_is_written(tmp_path):
    path = tmp_path / "e.jsonl"
    told = []
    worker = BrokerWorker(make_broker("file", str(path)), on_error=told.append)
    worker.start()
    worker.submit("t", b"not json")
    worker.submit("t", b"{}")
    worker.close()
    assert path.read_bytes() == b"{}\n"
    assert "not JSON" in str(told[0])


def test_everything_arrives_in_order_through_a_small_queue():
    broker = Recorder()
    worker = BrokerWorker(broker, capacity=2)
    worker.start()
    payloads = [b"%d" % n for n in range(300)]
    for payload in payloads:
        worker.submit("t", payload)
    worker.close()
    assert broker.calls == ["connect", *payloads, "close"]
    assert len(broker.threads) == 1, "one thread owns the broker"
    assert threading.get_ident() not in broker.threads
    assert (worker.counts.sent, worker.counts.waiting, worker.counts.dropped) == (300, 0, {})


def test_blocking_waits_for_room():
    broker = Recorder()
    broker.gate.clear()
    worker = BrokerWorker(broker, capacity=1)
    worker.start()
    sender = threading.Thread(target=lambda: [worker.submit("t", b"%d" % n) for n in range(4)])
    sender.start()
    sender.join(0.1)
    assert sender.is_alive()
    broker.gate.set()
    sender.join(60)
    worker.close()
    assert worker.counts.sent == 4


def test_dropping_keeps_the_newest_and_counts_the_rest():
    broker = Recorder()
    broker.gate.clear()
    worker = BrokerWorker(broker, capacity=2, when_full="drop-oldest")
    worker.start()
    worker.submit("t", b"first")
    wait_until(lambda: not worker.counts.waiting)
    for n in range(5):
        worker.submit("t", b"%d" % n)
    broker.gate.set()
    worker.close()
    assert broker.calls[1:-1] == [b"first", b"3", b"4"]
    assert worker.counts.dropped == {"queue full": 3}


def test_failures_are_told_once_until_something_works():
    told = []
    broker = Recorder(fail=[b"bad"])
    worker = BrokerWorker(broker, on_error=told.append)
    worker.start()
    for payload in (b"bad", b"bad", b"good", b"bad"):
        worker.submit("t", payload)
    worker.close()
    assert [str(error) for error in told] == ["refused", "refused"]
    assert (worker.counts.sent, worker.counts.dropped) == (1, {"refused": 3})


def test_a_failed_connect_is_raised_at_start():
    worker = BrokerWorker(Recorder(connect_error=BrokerError("nobody there")))
    with pytest.raises(BrokerError, match="nobody there"):
        worker.start()
    with pytest.raises(BrokerError, match="not running"):
        worker.submit("t", b"{}")
    worker.close()


def test_sending_after_close_is_refused_and_closing_twice_is_harmless():
    worker = BrokerWorker(Recorder())
    worker.start()
    worker.close()
    worker.close()
    with pytest.raises(BrokerError, match="not running"):
        worker.submit("t", b"{}")


def test_a_stuck_broker_does_not_hang_close():
    broker = Recorder()
    broker.gate.clear()
    worker = BrokerWorker(broker)
    worker.start()
    for _ in range(3):
        worker.submit("t", b"{}")
    with pytest.raises(BrokerError, match="waiting"):
        worker.close(timeout=0.1)
    broker.gate.set()
