"""A pipeline's RTSP server."""

import socket

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
    receiver, count = Pipeline("receiver"), Count()
    receiver.add("rtspsrc", "source", {"location": f"rtsp://localhost:{port}/ds-test", "latency": 0})
    receiver.add("rtph264depay", "depay").add("identity", "few", {"eos-after": 10}).add("fakesink", "sink")
    receiver.link("source", "depay", "few", "sink").attach("few", Probe("count", count))
    play(receiver)
    sender.quit()
    sender.wait()
    assert count.frames >= 9
    assert free_again(port)


def free_again(port):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(("localhost", port)) != 0
