"""A pipeline's RTSP server."""

import socket
import time

import pytest
from flows import play

from headrace.errors import PipelineError
from headrace.flow import BufferObserver, Pipeline, Probe


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


class Count(BufferObserver):
    frames = 0

    def handle_buffer(self, buffer):
        self.frames += 1


def test_what_is_sent_to_a_port_is_served():
    port, udp = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)
    sender = Pipeline("sender")
    caps = "video/x-raw,format=I420,width=64,height=48,framerate=30/1"
    sender.add("videotestsrc", "source", {"is-live": True}).add("capsfilter", "caps", {"caps": caps})
    sender.add("x264enc", "encoder", {"tune": "zerolatency", "key-int-max": 5})
    sender.add("rtph264pay", "pay", {"config-interval": 1})
    sender.add("udpsink", "sink", {"host": "127.0.0.1", "port": udp, "async": False})
    sender.link("source", "caps", "encoder", "pay", "sink")
    assert sender.start_rtsp_server(port, udp) == 0
    with pytest.raises(PipelineError, match=f"port {port}"):
        sender.start_rtsp_server(port, udp)
    sender.start()
    frames = 0
    for _ in range(5):  # the first clients may come before there is anything to serve
        frames = frames or receive(port)
    sender.quit()
    sender.wait()
    assert frames >= 9
    assert free_again(port)


def receive(port):
    """Number of packets' frames that a client gets, at most ten; 0 if it is sent away."""
    receiver, count = Pipeline("receiver"), Count()
    receiver.add("rtspsrc", "source", {"location": f"rtsp://localhost:{port}/ds-test", "latency": 0})
    receiver.add("rtph264depay", "depay").add("identity", "few", {"eos-after": 10}).add("fakesink", "sink")
    receiver.link("source", "depay", "few", "sink").attach("few", Probe("count", count))
    try:
        play(receiver, limit=60)
    except PipelineError:
        return 0
    return count.frames


def free_again(port):
    for _ in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            if probe.connect_ex(("localhost", port)) != 0:
                return True
        time.sleep(0.1)
    return False
