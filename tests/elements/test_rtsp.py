"""nvurisrcbin against a real RTSP server on the loopback address."""

import threading

import gi
import pytest

from headrace import BatchMetadataOperator, Pipeline, PipelineError, Probe

gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402 - the version must be chosen first

LAUNCH = (
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=160,height=120,framerate=25/1 "
    "! x264enc tune=zerolatency key-int-max=10 ! rtph264pay name=pay0 pt=96 )"
)


@pytest.fixture(scope="module")
def server():
    """A server with an open stream /open and /locked for user camera, password geheim; yields its port."""
    context = GLib.MainContext.new()
    rtsp = GstRtspServer.RTSPServer.new()
    rtsp.set_address("127.0.0.1")
    rtsp.set_service("0")
    auth = GstRtspServer.RTSPAuth.new()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic("camera", "geheim"), token)
    everybody = GstRtspServer.RTSPToken()
    everybody.set_string("media.factory.role", "anybody")
    auth.set_default_token(everybody)
    rtsp.set_auth(auth)
    for path, is_open in (("/open", True), ("/locked", False)):
        factory = GstRtspServer.RTSPMediaFactory.new()
        factory.set_launch(LAUNCH)
        factory.set_shared(True)
        for role in ("anybody", "user"):
            allowed = Gst.Structure.new_empty(role)
            allowed.set_value("media.factory.access", True)
            # Who may see a stream but not use it is asked for a password.
            allowed.set_value("media.factory.construct", is_open or role == "user")
            factory.add_role_from_structure(allowed)
        rtsp.get_mount_points().add_factory(path, factory)
    rtsp.attach(context)
    loop = GLib.MainLoop.new(context, False)
    thread = threading.Thread(target=loop.run, daemon=True)
    thread.start()
    yield rtsp.get_bound_port()
    loop.quit()
    thread.join(5)


class UntilTen(BatchMetadataOperator):
    """Counts frames and ends the pipeline after ten."""

    def __init__(self, pipeline):
        super().__init__()
        self.pipeline = pipeline
        self.sizes = []

    def handle_metadata(self, batch_meta):
        self.sizes += [(frame.source_width, frame.source_height) for frame in batch_meta.frame_items]
        if len(self.sizes) >= 10:
            self.pipeline.quit()


def watch(uri):
    pipeline = Pipeline("rtsp")
    pipeline.add("nvurisrcbin", "camera", {"uri": uri, "select-rtp-protocol": 4})
    pipeline.add("nvstreammux", "mux", {"batch-size": 1, "live-source": True, "batched-push-timeout": 40000})
    pipeline.add("fakesink", "end", {"sync": False, "async": False})
    pipeline.link(("camera", "mux"), ("", "sink_%u")).link("mux", "end")
    counter = UntilTen(pipeline)
    pipeline.attach("mux", Probe("count", counter))
    guard = threading.Timer(100, pipeline.quit)
    guard.start()
    try:
        pipeline.start().wait()
    finally:
        guard.cancel()
    return counter.sizes


def test_frames_come_from_an_rtsp_camera(server):
    assert watch(f"rtsp://127.0.0.1:{server}/open")[:10] == [(160, 120)] * 10


def test_user_and_password_of_the_address_are_used(server):
    assert len(watch(f"rtsp://camera:geheim@127.0.0.1:{server}/locked")) >= 10


@pytest.mark.parametrize("path", ["locked", "nothing-here"])
def test_errors_name_the_source_and_keep_the_password(server, path):
    with pytest.raises(PipelineError) as caught:
        watch(f"rtsp://camera:falsch@127.0.0.1:{server}/{path}")
    assert f"rtsp://***@127.0.0.1:{server}/{path}" in str(caught.value)
    assert "falsch" not in str(caught.value) + caught.value.debug
    assert caught.value.element == "camera"


def test_a_camera_that_is_off_is_an_error_that_says_so():
    with pytest.raises(PipelineError, match=r"rtsp://127\.0\.0\.1:9/off"):
        watch("rtsp://127.0.0.1:9/off")
