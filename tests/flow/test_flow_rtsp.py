"""A pipeline's RTSP server."""

import socket

import pytest
from flows import play
from waiting import wait_until

from headrace.elements.rtsp_server import free_udp_port
from headrace.errors import PipelineError
from headrace.flow import BufferObserver, Pipeline, Probe


class Count(BufferObserver):
    frames = 0

    def handle_buffer(self, buffer):
        self.frames += 1


def test_what_is_sent_to_a_port_is_served():
    udp = free_udp_port()
    sender = Pipeline("sender")
    caps = "video/x-raw,format=I420,width=64,height=48,framerate=30/1"
    sender.add("videotestsrc", "source", {"is-live": True}).add("capsfilter", "caps", {"caps": caps})
    sender.add("x264enc", "encoder", {"tune": "zerolatency", "key-int-max": 5})
    sender.add("rtph264pay", "pay", {"config-interval": 1})
    sender.add("udpsink", "sink", {"host": "127.0.0.1", "port": udp, "async": False})
    sender.link("source", "caps", "encoder", "pay", "sink")
    assert sender.start_rtsp_server(0, udp) == 0
    port = sender._servers[0].server.port
    with pytest.raises(PipelineError, match=f"port {port}"):
        sender.start_rtsp_server(port, udp)
    sender.start()
    wait_until(
        lambda: receive(port) >= 9, 100
    )  # the first clients may come before there is anything to serve
    sender.quit()
    sender.wait()
    wait_until(lambda: not is_listening(port), 60)


def receive(port):
    """Number of packets' frames that a client gets, at most ten; 0 if it is sent away."""
    receiver, count = Pipeline("receiver"), Count()
    receiver.add("rtspsrc", "source", {"location": f"rtsp://localhost:{port}/ds-test", "latency": 0})
    receiver.add("rtph264depay", "depay").add("identity", "few", {"eos-after": 10}).add("fakesink", "sink")
    receiver.link("source", "depay", "few", "sink").attach("few", Probe("count", count))
    try:
        play(receiver, limit=100)
    except PipelineError:
        return 0
    return count.frames


def is_listening(port):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(("localhost", port)) == 0
